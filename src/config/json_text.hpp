// Reads JSON that a person wrote in a setting.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "aifd/base/error.hpp"

namespace aifd::config {

using Json = nlohmann::json;

// Strict JSON: a name repeated in one object is an error, and so are more than 16 levels of
// nesting. Error texts say where in the value, never what stands there: it may be a key.
Result<Json> parse_json(std::string_view text);

// A Json converts to everything, an Error too; this says that it is meant as the value.
Result<Json> to_result(Json value);

// Whether the value means to be JSON rather than a plain string: begins with [, { or ".
bool looks_like_json(std::string_view text);

// "a list", "a number" and so on, for error texts.
std::string json_type(const Json& value);

}  // namespace aifd::config
