// Which models a request names, wherever the providers' APIs let it name them.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "aifd/protocol/json_peek.hpp"

namespace aifd::protocol {

struct AskedModels {
  std::vector<std::string> names;  // decoded; each as often as it was named
  // Why the names cannot be told for sure: one sentence for the caller. Empty: they can.
  std::string_view problem;
};

// Named by the path as the upstream gets it (percent-encoded, without query): what follows
// "/models/" (without Gemini's ":verb" and "/operations/..."; OpenAI's ids may hold slashes),
// "/tunedModels/" (the name begins with "tunedModels/"), Azure's "/deployments/" or "/engines/",
// Bedrock's "/model/".
AskedModels models_in_path(std::string_view method, std::string_view path);

// Named by the query: "model", and Azure's "deployment". What servers may read in two ways is a
// problem: a name there twice or in another case, a "+", a ";", a broken or doubled escape.
AskedModels models_in_query(std::string_view query);

// Whether at this path it is the query that decides about the model of a WebSocket (OpenAI's
// realtime API). Elsewhere the model may travel in the messages.
bool takes_model_from_query(std::string_view path);

// Whether a GET of this path lists models: .../models, .../tunedModels, .../deployments, and
// Ollama's /api/tags and /api/ps.
bool lists_models(std::string_view path);

// Named by a body: a multipart form's "model", or a JSON object's "model", "models" and
// "fallbacks"; at Ollama's own paths also "name". `content_type` decides only between a form and
// JSON. A problem: what is neither, what servers may read in two ways, and Ollama's requests that
// make a model from another (/api/create, /api/copy). `peek` is asked for a look into the body
// where that is to be JSON, so that a look which somebody else had serves here too; null: it is
// none.
AskedModels models_in_body(std::string_view content_type, std::string_view path,
                           std::string_view body, const std::function<const JsonPeek*()>& peek);

}  // namespace aifd::protocol
