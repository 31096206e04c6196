#include "cache_question.hpp"

#include <algorithm>
#include <array>

#include "aifd/protocol/canonical_json.hpp"
#include "aifd/protocol/credentials.hpp"
#include "aifd/protocol/secret_names.hpp"

namespace aifd::middleware {
namespace {

using chain::Exchange;
using chain::Identity;

// For paths where the answer's form is not ours to change.
constexpr std::array<std::string_view, 2> kFieldsOutsideFixedKey{"user", "caching"};

// Such requests are about a part of an answer, or about one that the caller has already.
bool is_partial(const protocol::Fields& fields) {
  constexpr std::array<std::string_view, 6> kNames{
      "Range", "If-None-Match", "If-Modified-Since", "If-Match", "If-Range", "If-Unmodified-Since"};
  return std::ranges::any_of(kNames, [&](std::string_view name) { return fields.contains(name); });
}

char small(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// The field holds what the scope says already: a key, by which the caller is known.
bool is_known_credential(const protocol::Field& field) {
  const std::optional<protocol::CredentialPlace> place = protocol::credential_place(field.name);
  if (!place) return false;
  if (*place != protocol::CredentialPlace::authorization) return true;
  return protocol::iequals(field.value.substr(0, field.value.find(' ')), "Bearer");
}

void append_part(std::string& out, std::string_view part) {
  out.append(std::to_string(part.size())).append(1, ':').append(part);
}

std::string upstream_text(const Exchange& exchange) {
  const chain::Destination& to = exchange.destination;
  std::string text(exchange.route.prefix);
  text.append(to.server.tls ? " https://" : " http://");
  return text.append(to.server.authority).append(to.base_path);
}

services::CacheKey key_of(const Exchange& exchange, const CachePlace& place, std::string_view scope,
                          std::string_view body) {
  const std::string upstream = upstream_text(exchange);
  std::string query(exchange.target.query);
  // The key may be one of aifd's, which take turns; the scope stands for it.
  if (place.openai) query = protocol::query_without_key(query);
  return services::make_cache_key(
      {.upstream = upstream,
       .method = exchange.request.method,
       .path = exchange.route.path,
       .query = query,
       .fields = exchange.request.fields,
       .scope = scope,
       .body_is = place.openai ? protocol::CacheKeyBody::canonical : protocol::CacheKeyBody::raw,
       .body = body});
}

// Null: it is none whose inputs are kept one by one.
std::shared_ptr<EmbeddingBatch> read_batch(const Exchange& exchange, const CachePlace& place,
                                           std::string_view scope) {
  std::optional<protocol::EmbeddingRequest> request =
      protocol::read_embedding_request(exchange.body.held());
  if (!request) return nullptr;
  const services::CacheKey common = key_of(exchange, place, scope, request->rest);
  return std::make_shared<EmbeddingBatch>(*std::move(request), common);
}

}  // namespace

std::optional<std::string> cache_scope(const Exchange& exchange, bool shared_by_all) {
  std::string scope;
  switch (exchange.identity) {
    case Identity::mixed:
      return std::nullopt;
    case Identity::anonymous:
      scope = "anonymous";
      break;
    case Identity::key:
      scope = "key";
      append_part(scope,
                  {reinterpret_cast<const char*>(exchange.caller.data()), exchange.caller.size()});
      break;
    case Identity::forward_key:
      // The head of an answer may repeat the query, with the API key in it.
      if (protocol::query_without_key(exchange.target.query) != exchange.target.query) {
        return std::nullopt;
      }
      scope = "level" + std::to_string(exchange.level);
      break;
  }
  if (shared_by_all) return "global";
  for (const protocol::Field& field : exchange.request.fields) {
    if (!protocol::is_secret_field(field.name)) continue;
    if (exchange.identity != Identity::anonymous && is_known_credential(field)) continue;
    for (const char c : field.name.text()) scope += small(c);
    append_part(scope, field.value);
  }
  return scope;
}

std::optional<CacheQuestion> read_question(Exchange& exchange, const CachePlace& place,
                                           bool shared_by_all) {
  CacheQuestion question;
  question.control = protocol::read_request_cache_control(exchange.request.fields);
  if (question.control.no_store || is_partial(exchange.request.fields)) return std::nullopt;
  question.reads = !question.control.no_cache && question.control.max_age != 0U;
  const std::optional<std::string> scope = cache_scope(exchange, shared_by_all);
  if (!scope) return std::nullopt;

  const std::string_view body = exchange.body.held();
  if (!place.openai) {
    question.key = key_of(exchange, place, *scope, body);
    return question;
  }
  using Names = std::span<const std::string_view>;
  const Names left_out = place.converts || place.embeddings
                             ? Names(protocol::kFieldsOutsideCacheKey)
                             : Names(kFieldsOutsideFixedKey);
  const std::optional<std::string> canonical = protocol::canonical_json(body, left_out);
  const protocol::JsonPeek* peek = exchange.body.peek();
  if (!canonical || peek == nullptr) return std::nullopt;
  question.converts = place.converts;
  question.wants_stream = place.converts && peek->stream.value_or(false);
  question.wants_usage = question.wants_stream && peek->include_usage.value_or(false);
  question.key = key_of(exchange, place, *scope, *canonical);
  if (place.embeddings) question.embeddings = read_batch(exchange, place, *scope);
  return question;
}

}  // namespace aifd::middleware
