#include "json_reader.hpp"

#include <simdjson.h>

namespace aifd::protocol {

JsonReader::JsonReader(std::string_view text, Surrogates allowed) noexcept
    : text_(text), allowed_(allowed) {
  if (!simdjson::validate_utf8(text.data(), text.size())) expected_ = Expected::nothing;
}

std::string_view JsonReader::finish_value(const Token& first) noexcept {
  switch (first.kind) {
    case Kind::string:
    case Kind::number:
    case Kind::literal:
      return first.text;
    case Kind::begin_object:
    case Kind::begin_array:
      break;
    default:
      return {};
  }
  const std::size_t begin = static_cast<std::size_t>(first.text.data() - text_.data());
  for (const std::size_t outside = depth_ - 1; depth_ > outside;) {
    if (next().kind == Kind::invalid) return {};
  }
  return text_.substr(begin, at_ - begin);
}

}  // namespace aifd::protocol
