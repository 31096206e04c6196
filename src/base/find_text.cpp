#include "aifd/base/find_text.hpp"

#include "aifd/base/words.hpp"

namespace aifd {

// Few places have both the first and the last letter of what is wanted.
std::size_t find_text(std::string_view text, std::string_view wanted, std::size_t from) {
  const std::size_t last = wanted.size() - 1;
  const auto may_stand_at = [&](const char* place) {
    return mark_equal(load_bytes(place), wanted.front()) &
           mark_equal(load_bytes(place + last), wanted.back());
  };
  for (std::size_t at = from;; ++at) {
    at = find_place(text, at, wanted.size(), may_stand_at);
    if (at == std::string_view::npos || text.substr(at, wanted.size()) == wanted) return at;
  }
}

}  // namespace aifd
