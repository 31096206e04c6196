#include "aifd/protocol/media_type.hpp"

#include "aifd/base/words.hpp"

namespace aifd::protocol {

std::string_view media_type(const Fields& fields) noexcept {
  const std::string_view value = fields.get("Content-Type");
  const auto ends = [](Bytes bytes) {
    return mark_equal(bytes, ';') | mark_equal(bytes, ' ') | mark_equal(bytes, '\t');
  };
  return value.substr(0, find_marked(value, 0, ends));
}

}  // namespace aifd::protocol
