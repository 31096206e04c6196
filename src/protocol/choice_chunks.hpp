// Chat completions and completions cut into chunks.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "json_text.hpp"

namespace aifd::protocol {

// See stream_from_answer. `bytes` is the answer's size.
std::optional<std::string> stream_of_choices(const JsonObject& answer, std::size_t bytes,
                                             bool include_usage);

}  // namespace aifd::protocol
