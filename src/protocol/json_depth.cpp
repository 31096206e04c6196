#include "json_depth.hpp"

#include <algorithm>

namespace aifd::protocol {
namespace {

// At most `limit`; the search is the library's and fast where there are few.
std::size_t count_up_to(std::string_view text, char c, std::size_t limit) {
  std::size_t count = 0;
  for (std::size_t at = text.find(c); at != std::string_view::npos && count < limit;
       at = text.find(c, at + 1)) {
    ++count;
  }
  return count;
}

std::size_t depth_of(std::string_view body) {
  std::size_t depth = 0;
  std::size_t deepest = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < body.size(); ++i) {
    const char c = body[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      deepest = std::max(deepest, ++depth);
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return deepest;
}

}  // namespace

// Few bodies have so many brackets that the second walk is needed.
bool is_deeper_than(std::size_t most, std::string_view body) {
  const std::size_t limit = most + 1;
  if (body.size() < limit) return false;
  if (count_up_to(body, '{', limit) + count_up_to(body, '[', limit) < limit) return false;
  return depth_of(body) > most;
}

}  // namespace aifd::protocol
