// What of a request decides its answer, as bytes to be digested into a key of the cache.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "aifd/protocol/fields.hpp"

namespace aifd::protocol {

// The fields of a request that can change its answer and so are part of the key, on every route.
// Of Content-Type with a canonical body only the media type counts, in any case, and parameters
// other than charset=utf-8. Content-Encoding is there since the same bytes mean something else.
//
// Never part of it is what differs between two tries of one request or says who asks:
// x-stainless-*, Idempotency-Key, traceparent, User-Agent, Authorization and the other credentials
// (the caller's scope stands for them), Cookie (not sent on), Accept-Encoding (the cache asks for
// identity), framing and hop-by-hop fields.
inline constexpr std::array<std::string_view, 8> kFieldsOfCacheKey{
    "content-type", "content-encoding",    "anthropic-version", "anthropic-beta",
    "openai-beta",  "openai-organization", "openai-project",    "x-http-method-override"};

// Those that count besides where the body is raw: general servers choose the answer's form by them;
// OpenAI's and its like by the body alone.
inline constexpr std::array<std::string_view, 2> kFieldsOfRawCacheKey{"accept", "accept-language"};

enum class CacheKeyBody {
  canonical,  // canonical_json() of the request's body, for openai routes
  raw,        // its bytes as they came, for general routes; also where there are none
};

// All views outlive the calls they are given to. Any of the texts may be empty.
struct CacheKeyParts {
  std::string_view upstream;  // where it goes: names one upstream among all, such as its base_url
  std::string_view method;
  // As it goes up: not comparable_path(), which takes "/files/A" and "/files/a" for the same.
  std::string_view path;
  // In its order; by query_without_key() where its "key" is the caller's credential.
  std::string_view query;
  const Fields& fields;
  // Callers with equal scopes share answers; opaque here. Must tell kinds of scope apart by itself
  // (a level 1 from a caller's key "1").
  std::string_view scope;
  CacheKeyBody body_is = CacheKeyBody::raw;
  std::string_view body;
};

// Bytes that, with parts.body directly behind them, are the same for two requests exactly where
// their parts are: each part stands behind its length in 8 bytes, each list behind its count. They
// begin with a version of this layout. The body is left to the caller so that it is not copied.
std::string cache_key_head(const CacheKeyParts& parts);

// `query` without its parameters "key" (also percent-encoded: "k%65y"), which find_credentials()
// takes for the caller's. The others stay as they came. Not for a query whose "key" may be a word
// to look up.
std::string query_without_key(std::string_view query);

}  // namespace aifd::protocol
