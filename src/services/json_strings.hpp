// The strings of a JSON text that is known to be valid.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace aifd::services {

struct JsonString {
  std::size_t at = 0;       // of its first character, after the quote
  std::string_view raw;     // without its quotes, still escaped
  bool is_escaped = false;  // a backslash is in it
  bool is_name = false;
  bool is_own_name = false;  // of a member of the text itself
  std::string_view member;   // raw name of the text's own member that it is the value of; or empty
};

// Goes through all strings, in order. Recurses nowhere.
class JsonStrings {
 public:
  explicit JsonStrings(std::string_view text) noexcept : text_(text) {}

  std::optional<JsonString> next() noexcept;

 private:
  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  std::string_view name_;  // the last at depth 1
};

// Without its escapes. Half a surrogate pair becomes three bytes that are no UTF-8.
std::string unescape_json(std::string_view raw);

}  // namespace aifd::services
