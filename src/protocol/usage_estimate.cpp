#include "usage_estimate.hpp"

#include "json_tape.hpp"

namespace aifd::protocol {

TokenCounts reported_tokens(std::string_view usage) {
  struct Name {
    std::string_view name;
    std::uint64_t TokenCounts::*count;
  };
  // No API has two of a kind that do not add up.
  constexpr Name kNames[] = {{"prompt_tokens", &TokenCounts::prompt},
                             {"input_tokens", &TokenCounts::prompt},
                             {"cache_creation_input_tokens", &TokenCounts::prompt},
                             {"cache_read_input_tokens", &TokenCounts::prompt},
                             {"promptTokenCount", &TokenCounts::prompt},
                             {"completion_tokens", &TokenCounts::completion},
                             {"output_tokens", &TokenCounts::completion},
                             {"candidatesTokenCount", &TokenCounts::completion},
                             {"thoughtsTokenCount", &TokenCounts::completion}};
  TokenCounts counts;
  if (usage.empty()) return counts;
  JsonTape tape;
  if (!tape.read(usage)) return counts;
  for (const Name& name : kNames) counts.*name.count += tape.root().get(name.name).count();
  return counts;
}

}  // namespace aifd::protocol
