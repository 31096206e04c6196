// One look into a JSON body for the few fields that decide where it goes; the bytes stay as they
// are.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace aifd::protocol {

struct JsonPeek {
  // The top-level "model", decoded; absent where there is none or it is no string.
  std::optional<std::string> model;
  // Where the model's string literal stands in the body, quotes included.
  std::size_t model_offset = 0;
  std::size_t model_length = 0;
  std::optional<bool> stream;  // the top-level "stream", where it is a boolean
};

// nullopt where the body is no valid JSON object up to where the peek must read: not UTF-8, not
// JSON, another type, a wanted name twice (which of them the upstream would take is unknown) or
// "model" in another case (servers written in Go take it), or nested deeper than 1,024. Values that
// are passed over are not checked any further. Uses simdjson on-demand with a parser kept per
// thread (its memory is given back after a body over 256 KiB); costs one padded copy of the body.
std::optional<JsonPeek> peek_json(std::string_view body);

}  // namespace aifd::protocol
