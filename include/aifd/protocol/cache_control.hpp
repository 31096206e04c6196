// The Cache-Control field (RFC 9111, 5.2), of requests and answers.
#pragma once

#include <cstdint>
#include <optional>

#include "aifd/protocol/fields.hpp"

namespace aifd::protocol {

// All fields of that name together. Unknown directives do not count; of a repeated one the smallest
// time does.
struct CacheControl {
  bool no_store = false;
  bool no_cache = false;  // also with a list of fields
  bool is_private = false;
  bool only_if_cached = false;
  // Seconds, at most 2^31; 0 where it is no number (RFC 9111, 4.2.1: then it is stale).
  std::optional<std::uint32_t> max_age;
  std::optional<std::uint32_t> s_maxage;
};

CacheControl read_cache_control(const Fields& fields);

// Of a request, where "Pragma: no-cache" says the same if there is no Cache-Control (5.4).
CacheControl read_request_cache_control(const Fields& fields);

}  // namespace aifd::protocol
