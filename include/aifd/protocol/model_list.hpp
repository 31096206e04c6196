// A provider's list of models, with only some of them left in it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace aifd::protocol {

// The list without the entries that are not allowed; every other byte as it was. Reads the
// top-level arrays "data" (OpenAI, Anthropic), "models" (Gemini, Ollama), "tunedModels" and
// "publisherModels", or an array that is the whole text. An entry is known by its "id", else by
// "name" and "model", which must then both be allowed; or it is the name. One that cannot be known
// is cut out. nullopt where the text is no such list.
std::optional<std::string> filter_model_list(
    std::string_view list, const std::function<bool(std::string_view)>& is_allowed);

}  // namespace aifd::protocol
