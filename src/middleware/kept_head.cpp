#include "kept_head.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "aifd/protocol/cache_control.hpp"
#include "aifd/protocol/cache_key_parts.hpp"
#include "aifd/protocol/media_type.hpp"

namespace aifd::middleware {
namespace {

using protocol::Fields;
using protocol::iequals;

bool is_one_of(std::string_view name, std::span<const std::string_view> names) {
  return std::ranges::any_of(names, [name](std::string_view one) { return iequals(name, one); });
}

bool begins_with(std::string_view name, std::string_view prefix) {
  return name.size() >= prefix.size() && iequals(name.substr(0, prefix.size()), prefix);
}

// Whether the answer differs by what the key of the cache tells apart, or what is not sent on.
bool varies_by_key_alone(const Fields& fields) {
  static constexpr std::array<std::string_view, 10> kOthers{"accept-encoding",
                                                            "origin",
                                                            "authorization",
                                                            "x-api-key",
                                                            "api-key",
                                                            "cookie",
                                                            "access-control-request-method",
                                                            "access-control-request-headers",
                                                            "accept",
                                                            "accept-language"};
  bool known = true;
  for (const protocol::Field& field : fields) {
    if (field.name != "Vary") continue;
    protocol::for_each_token(field.value, [&known](std::string_view name) {
      known = known && (is_one_of(name, protocol::kFieldsOfCacheKey) || is_one_of(name, kOthers));
    });
  }
  return known;
}

bool is_coded(const Fields& fields) {
  return std::ranges::any_of(fields, [](const protocol::Field& field) {
    return field.name == "Content-Encoding" && !field.value.empty() &&
           !iequals(field.value, "identity");
  });
}

// One that ends with its connection may have been cut: nothing but its own form tells, where it has
// one that does.
bool shows_its_end(const Fields& fields, bool openai) {
  if (fields.contains("Content-Length") || fields.contains("Transfer-Encoding")) return true;
  const std::string_view type = protocol::media_type(fields);
  return openai && (iequals(type, "application/json") || iequals(type, "text/event-stream"));
}

// nullopt: not to be kept. 0: for ever.
std::optional<std::chrono::seconds> allowed_time(const Fields& fields, std::chrono::seconds ttl) {
  const protocol::CacheControl control = protocol::read_cache_control(fields);
  if (control.no_store || control.no_cache || control.is_private) return std::nullopt;
  const std::optional<std::uint32_t> age = control.s_maxage ? control.s_maxage : control.max_age;
  if (!age) return ttl;
  if (*age == 0) return std::nullopt;
  const std::chrono::seconds allowed(*age);
  return ttl.count() == 0 ? allowed : std::min(ttl, allowed);
}

}  // namespace

bool is_replayed(std::string_view name) {
  static constexpr std::array<std::string_view, 29> kDropped{"connection",
                                                             "keep-alive",
                                                             "proxy-connection",
                                                             "transfer-encoding",
                                                             "te",
                                                             "trailer",
                                                             "upgrade",
                                                             "content-length",
                                                             "set-cookie",
                                                             "age",
                                                             "x-request-id",
                                                             "request-id",
                                                             "retry-after",
                                                             "retry-after-ms",
                                                             "x-should-retry",
                                                             "openai-processing-ms",
                                                             "server-timing",
                                                             "alt-svc",
                                                             "nel",
                                                             "report-to",
                                                             "cf-ray",
                                                             "cf-cache-status",
                                                             "via",
                                                             "proxy-authenticate",
                                                             "www-authenticate",
                                                             "x-accel-buffering",
                                                             "x-cache",
                                                             "vary",
                                                             "apim-request-id"};
  static constexpr std::array<std::string_view, 5> kDroppedPrefixes{
      "x-ratelimit-", "anthropic-ratelimit-", "x-aifd-", "access-control-", "x-envoy-"};
  if (is_one_of(name, kDropped)) return false;
  return std::ranges::none_of(
      kDroppedPrefixes, [name](std::string_view prefix) { return begins_with(name, prefix); });
}

bool is_for_others(const protocol::ResponseHead& head, bool openai) {
  constexpr int kFirstFailure = 400;
  if (openai || head.status >= kFirstFailure) return true;
  const protocol::CacheControl control = protocol::read_cache_control(head.fields);
  return !control.no_store && !control.is_private && !head.fields.contains("Set-Cookie") &&
         varies_by_key_alone(head.fields);
}

std::optional<KeptHead> kept_head(const protocol::ResponseHead& head, bool openai,
                                  std::chrono::seconds ttl) {
  constexpr int kOk = 200;
  if (head.status != kOk || is_coded(head.fields) || !varies_by_key_alone(head.fields) ||
      !shows_its_end(head.fields, openai)) {
    return std::nullopt;
  }
  KeptHead kept{{}, ttl};
  if (!openai) {
    if (head.fields.contains("Set-Cookie")) return std::nullopt;
    const std::optional<std::chrono::seconds> allowed = allowed_time(head.fields, ttl);
    if (!allowed) return std::nullopt;
    kept.ttl = *allowed;
  }
  for (const protocol::Field& field : head.fields) {
    if (!is_replayed(field.name) || protocol::has_token(head.fields, "Connection", field.name)) {
      continue;
    }
    kept.fields.push_back({std::string(field.name), std::string(field.value)});
  }
  return kept;
}

bool is_of_bytes(std::string_view name) {
  constexpr std::array<std::string_view, 7> kNames{"content-type", "etag",   "last-modified",
                                                   "content-md5",  "digest", "content-digest",
                                                   "repr-digest"};
  return is_one_of(name, kNames);
}

}  // namespace aifd::middleware
