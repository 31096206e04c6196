// What an answer cost, as far as its conversation's record can tell.
#pragma once

#include <cstdint>
#include <string_view>

namespace aifd::protocol {

enum class UsageSource { exact, estimated, unknown };  // of usage_source

struct TokenCounts {
  std::uint64_t prompt = 0;
  std::uint64_t completion = 0;
};

// Of a usage object in the words of any of the APIs; 0 of what it does not say.
TokenCounts reported_tokens(std::string_view usage);

}  // namespace aifd::protocol
