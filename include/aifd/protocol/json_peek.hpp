// One look into a JSON body for the few fields that decide where it goes; the bytes stay as they
// are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aifd::protocol {

struct JsonPeek {
  // The top-level "model", decoded; absent where there is none or it is no string.
  std::optional<std::string> model;
  // Where the model's string literal stands in the body, quotes included.
  std::size_t model_offset = 0;
  std::size_t model_length = 0;
  bool model_unclear = false;  // it is there, neither a string nor null
  std::optional<bool> stream;  // the top-level "stream", where it is a boolean
  // The "include_usage" of the top-level "stream_options", where it is a boolean; absent where one
  // of the names is there twice or in another case.
  std::optional<bool> include_usage;

  // The most tokens that the answer may have: the largest of the top-level "max_tokens",
  // "max_completion_tokens" and "max_output_tokens", Gemini's generationConfig.maxOutputTokens and
  // Ollama's options.num_predict. A fraction is rounded up; what is negative or no number does not
  // count.
  std::optional<std::uint64_t> max_tokens;

  // The strings of the top-level "models" and "fallbacks" (OpenRouter), each a list or one string.
  std::vector<std::string> more_models;
  std::optional<std::string> name;  // the top-level "name": a model's in Ollama's older requests
  // Whether "models" or "fallbacks" ("name") is there twice, in another case, of another type than
  // said here, or longer than 64 names: who must know every model cannot rely on what is above.
  bool more_models_unclear = false;
  bool name_unclear = false;
};

// nullopt where the body is no valid JSON object up to where the peek must read: not UTF-8, not
// JSON, another type, a wanted name twice (which of them the upstream would take is unknown) or
// "model" in another case (servers written in Go take it), or nested deeper than 1,024. Values that
// are passed over are not checked any further. Uses simdjson on-demand with a parser kept per
// thread (its memory is given back after a body over 256 KiB). Of a body behind which fewer than
// kPeekSlack bytes are readable, whatever they hold, it makes a padded copy.
std::optional<JsonPeek> peek_json(std::string_view body, std::size_t readable_behind = 0);

inline constexpr std::size_t kPeekSlack = 64;

}  // namespace aifd::protocol
