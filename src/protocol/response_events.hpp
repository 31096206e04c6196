// A response of the Responses API as its events.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "json_text.hpp"

namespace aifd::protocol {

// See stream_from_answer. `raw` is the response's own text.
std::optional<std::string> stream_of_response(const JsonObject& response, std::string_view raw);

}  // namespace aifd::protocol
