#include <algorithm>
#include <array>

#include "aifd/base/words.hpp"
#include "aifd/protocol/asked_models.hpp"
#include "aifd/protocol/fields.hpp"
#include "aifd/protocol/json_peek.hpp"
#include "aifd/protocol/multipart.hpp"
#include "chars.hpp"
#include "parameters.hpp"
#include "percent.hpp"

namespace aifd::protocol {
namespace {

constexpr std::string_view kOddType =
    "The request's Content-Type is none that aifd can read a model from; send JSON or "
    "multipart/form-data with one boundary.";
constexpr std::string_view kNoObject =
    "The request's body is no JSON object with one \"model\", so its model cannot be told.";
constexpr std::string_view kLooseJson =
    "The request's body is no strict JSON, so servers may read different models in it.";
constexpr std::string_view kOddModel =
    "The request's \"model\" is no plain string, so its model cannot be told.";
constexpr std::string_view kOddList =
    "The request's \"models\" or \"fallbacks\" is no plain list of up to 64 names, so its models "
    "cannot be told.";
constexpr std::string_view kOddName =
    "The request's \"name\" is no plain string, so its model cannot be told.";
constexpr std::string_view kMakesModel =
    "This request makes one model from another, which is only for keys that may use all models.";

AskedModels unclear(std::string_view problem) {
  return {{}, problem};
}

bool is_media_type(std::string_view type) {
  const std::size_t slash = type.find('/');
  if (slash == std::string_view::npos) return false;
  const std::string_view main = type.substr(0, slash);
  const std::string_view sub = type.substr(slash + 1);
  return !main.empty() && !sub.empty() && kTokenChars.has_all(main) && kTokenChars.has_all(sub);
}

// Whether the text is UTF-8 or ASCII for every server.
bool has_plain_charset(std::string_view content_type) {
  Parameters parameters(parameters_of(content_type));
  while (!parameters.at_end()) {
    if (!parameters.next()) return false;
    if (!istarts_with(parameters.name, "charset")) continue;
    constexpr std::array<std::string_view, 3> kPlain{"utf-8", "utf8", "us-ascii"};
    const auto is_value = [&](std::string_view one) { return iequals(one, parameters.value); };
    if (parameters.name.size() != std::string_view("charset").size() ||
        std::none_of(kPlain.begin(), kPlain.end(), is_value)) {
      return false;
    }
  }
  return true;
}

// What a JSON body with this type may hold is a form's model, for a server that goes by the type.
bool hides_a_form_field(std::string_view type, std::string_view body) {
  if (!iequals(type, "application/x-www-form-urlencoded")) return false;
  const AskedModels asked = models_in_query(body);
  return !asked.names.empty() || !asked.problem.empty();
}

constexpr CharClass kJsonChars{[](unsigned char c) {
  return is_digit(static_cast<char>(c)) ||
         (c != 0 && std::string_view{"{}[]:, \t\r\n+-.eEtrufalsn"}.find(static_cast<char>(c)) !=
                        std::string_view::npos);
}};

// Where the string that `begin` lies in ends: at its quote, or at the text's end.
std::size_t end_of_string(std::string_view json, std::size_t begin) {
  const auto quote_or_escape = [](Bytes bytes) {
    return mark_equal(bytes, '"') | mark_equal(bytes, '\\');
  };
  for (std::size_t at = begin; at < json.size(); at += 2) {
    at = find_marked(json, at, quote_or_escape);
    if (at == json.size() || json[at] == '"') return at;
  }
  return json.size();
}

// Whether nothing stands outside the strings that only some servers take: comments, names and
// strings without double quotes. They could hide a part of the body from one of two readers, and
// the peek passes over most values.
bool is_strict_outside_strings(std::string_view json) {
  for (std::size_t i = 0; i < json.size(); ++i) {
    if (json[i] != '"') {
      if (!kJsonChars.has(json[i])) return false;
      continue;
    }
    i = end_of_string(json, i + 1);
  }
  return true;
}

// The last part of one of Ollama's own paths ("chat" of "/api/chat"); "" elsewhere.
std::string_view ollama_action(std::string_view path) {
  constexpr std::string_view kBase = "/api/";
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos || !path.substr(0, slash + 1).ends_with(kBase)) return {};
  return path.substr(slash + 1);
}

AskedModels models_in_form(std::string_view content_type, std::string_view body) {
  const std::optional<std::string_view> boundary = form_boundary(content_type);
  if (!boundary) return unclear(kOddType);
  const FormField model = read_form_field(body, *boundary, "model");
  if (!model.problem.empty()) return unclear(model.problem);
  AskedModels asked;
  if (model.value) asked.names.emplace_back(*model.value);
  return asked;
}

AskedModels models_in_json(std::string_view path, std::string_view body, const JsonPeek* peek) {
  if (peek == nullptr) return unclear(kNoObject);
  if (!is_strict_outside_strings(body)) return unclear(kLooseJson);
  if (peek->model_unclear) return unclear(kOddModel);
  if (peek->more_models_unclear) return unclear(kOddList);
  AskedModels asked{peek->more_models, {}};
  if (peek->model) asked.names.push_back(*peek->model);
  const std::string spelled = path.find('%') == path.npos ? std::string() : percent_decode(path);
  const std::string_view action = ollama_action(spelled.empty() ? path : spelled);
  if (action.empty()) return asked;
  if (action == "create" || action == "copy") return unclear(kMakesModel);
  if (peek->name_unclear) return unclear(kOddName);
  if (peek->name) asked.names.push_back(*peek->name);
  return asked;
}

}  // namespace

AskedModels models_in_body(std::string_view content_type, std::string_view path,
                           std::string_view body, const std::function<const JsonPeek*()>& peek) {
  const std::string_view type = main_value(content_type);
  if (!content_type.empty() && !is_media_type(type)) return unclear(kOddType);
  if (iequals(type, "multipart/form-data")) return models_in_form(content_type, body);
  if (istarts_with(type, "multipart/") || !has_plain_charset(content_type) ||
      hides_a_form_field(type, body)) {
    return unclear(kOddType);
  }
  return models_in_json(path, body, peek());
}

}  // namespace aifd::protocol
