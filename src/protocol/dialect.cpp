#include "aifd/protocol/dialect.hpp"

#include <algorithm>
#include <array>

#include "aifd/protocol/target.hpp"
#include "chars.hpp"

namespace aifd::protocol {
namespace {

// `part` in lower case.
bool icontains(std::string_view text, std::string_view part) {
  return std::search(text.begin(), text.end(), part.begin(), part.end(),
                     [](char a, char b) { return to_lower(a) == b; }) != text.end();
}

bool is_openai_path(std::string_view path) {
  return covers("/v1beta/openai", path) || path.ends_with("/chat/completions");
}

bool is_gemini_path(std::string_view path) {
  if (covers("/v1beta", path) || covers("/upload/v1beta", path)) return true;
  const std::size_t colon = path.rfind(':');
  if (colon == std::string_view::npos) return false;
  const std::string_view verb = path.substr(colon + 1);
  constexpr std::array<std::string_view, 8> kVerbs{
      "generateContent",    "streamGenerateContent", "countTokens", "embedContent",
      "batchEmbedContents", "batchGenerateContent",  "predict",     "predictLongRunning"};
  return std::find(kVerbs.begin(), kVerbs.end(), verb) != kVerbs.end();
}

bool is_ollama_path(std::string_view path) {
  constexpr std::array<std::string_view, 14> kPaths{
      "/api/chat", "/api/generate", "/api/tags",  "/api/embed",  "/api/embeddings",
      "/api/pull", "/api/push",     "/api/show",  "/api/ps",     "/api/create",
      "/api/copy", "/api/delete",   "/api/blobs", "/api/version"};
  return std::any_of(kPaths.begin(), kPaths.end(),
                     [&](std::string_view known) { return covers(known, path); });
}

// What the providers call an error of ours; a code of "" is the kind's own name.
struct Names {
  std::string_view openai_type;
  std::string_view openai_code;
  std::string_view anthropic_type;
  std::string_view gemini_status;
};

constexpr Names kInvalid{"invalid_request_error", "", "invalid_request_error", "INVALID_ARGUMENT"};
constexpr Names kBadGateway{"upstream_error", "", "api_error", "UNAVAILABLE"};
constexpr Names kTimeout{"timeout_error", "upstream_timeout", "timeout_error", "DEADLINE_EXCEEDED"};
constexpr Names kOverloaded{"server_error", "overloaded", "overloaded_error", "UNAVAILABLE"};

constexpr Names names_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::bad_request:
    case ErrorKind::head_too_large:
    case ErrorKind::misdirected:
      return kInvalid;
    case ErrorKind::upgrade_refused:
      return {"invalid_request_error", "", "invalid_request_error", "FAILED_PRECONDITION"};
    case ErrorKind::not_implemented:
      return {"invalid_request_error", "", "invalid_request_error", "UNIMPLEMENTED"};
    case ErrorKind::body_too_large:
      return {"invalid_request_error", "request_too_large", "request_too_large",
              "INVALID_ARGUMENT"};
    case ErrorKind::client_timeout:
      return {"timeout_error", "request_timeout", "timeout_error", "DEADLINE_EXCEEDED"};
    case ErrorKind::client_gone:
      return {"invalid_request_error", "client_closed_request", "invalid_request_error",
              "CANCELLED"};
    case ErrorKind::address_denied:
      return {"permission_error", "permission_denied", "permission_error", "PERMISSION_DENIED"};
    case ErrorKind::unauthorized:
      return {"authentication_error", "invalid_api_key", "authentication_error", "UNAUTHENTICATED"};
    case ErrorKind::model_denied:
      return {"invalid_request_error", "model_not_found", "permission_error", "PERMISSION_DENIED"};
    case ErrorKind::rate_limited:
      return {"rate_limit_error", "rate_limit_exceeded", "rate_limit_error", "RESOURCE_EXHAUSTED"};
    case ErrorKind::no_route:
      return {"invalid_request_error", "not_found", "not_found_error", "NOT_FOUND"};
    case ErrorKind::draining:
    case ErrorKind::overloaded:
      return kOverloaded;
    case ErrorKind::upstream_unreachable:
    case ErrorKind::upstream_tls:
    case ErrorKind::upstream_broke:
    case ErrorKind::upstream_malformed:
      return kBadGateway;
    case ErrorKind::not_cached:
      return {"invalid_request_error", "not_cached", "not_found_error", "NOT_FOUND"};
    case ErrorKind::upstream_connect_timeout:
    case ErrorKind::upstream_first_byte_timeout:
    case ErrorKind::upstream_idle_timeout:
      return kTimeout;
    case ErrorKind::internal:
      break;
  }
  return {"server_error", "internal_error", "api_error", "INTERNAL"};
}

void append_string(std::string& out, std::string_view text) {
  out += '"';
  append_json_escaped(out, text);
  out += '"';
}

std::string openai_body(ErrorKind kind, std::string_view message) {
  const Names names = names_of(kind);
  std::string body = R"({"error":{"message":)";
  append_string(body, message);
  body.append(R"(,"type":")").append(names.openai_type).append(R"(","param":null,"code":")");
  body.append(names.openai_code.empty() ? error_name(kind) : names.openai_code).append("\"}}");
  return body;
}

std::string anthropic_body(ErrorKind kind, std::string_view message, std::string_view request_id) {
  std::string body = R"({"type":"error","error":{"type":")";
  body.append(names_of(kind).anthropic_type).append(R"(","message":)");
  append_string(body, message);
  body.append(R"(},"request_id":)");
  append_string(body, request_id);
  body += '}';
  return body;
}

std::string gemini_body(ErrorKind kind, std::string_view message) {
  std::string body = R"({"error":{"code":)" + std::to_string(error_status(kind));
  body.append(R"(,"message":)");
  append_string(body, message);
  body.append(R"(,"status":")").append(names_of(kind).gemini_status).append("\"}}");
  return body;
}

std::string ollama_body(std::string_view message) {
  std::string body = R"({"error":)";
  append_string(body, message);
  body += '}';
  return body;
}

}  // namespace

Dialect detect_dialect(std::string_view route_prefix, std::string_view path_after_prefix) {
  const std::string_view path = path_after_prefix;
  if (is_openai_path(path)) return Dialect::openai;
  if (covers("/v1/messages", path)) return Dialect::anthropic;
  if (is_gemini_path(path)) return Dialect::gemini;
  if (is_ollama_path(path)) return Dialect::ollama;
  if (icontains(route_prefix, "anthropic") || icontains(route_prefix, "claude")) {
    return Dialect::anthropic;
  }
  if (icontains(route_prefix, "gemini")) return Dialect::gemini;
  if (icontains(route_prefix, "ollama") && !covers("/v1", path)) return Dialect::ollama;
  return Dialect::openai;
}

ErrorText render_error(const Error& error, Dialect dialect, std::string_view request_id) {
  const std::string_view message =
      error.detail.empty() ? error_name(error.kind) : std::string_view(error.detail);
  ErrorText text{"application/json", {}};
  switch (dialect) {
    case Dialect::openai:
      text.body = openai_body(error.kind, message);
      break;
    case Dialect::anthropic:
      text.body = anthropic_body(error.kind, message, request_id);
      break;
    case Dialect::gemini:
      text.body = gemini_body(error.kind, message);
      break;
    case Dialect::ollama:
      text.body = ollama_body(message);
      break;
  }
  return text;
}

}  // namespace aifd::protocol
