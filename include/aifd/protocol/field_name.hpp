// The names of header fields. Which of the known ones a name is, is found out once, when its head
// is read; whoever asks for a field then compares one byte.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "aifd/protocol/iequals.hpp"

namespace aifd::protocol {

// Names that aifd asks for, and those that many requests and answers have. In lower case; of
// letters, digits and "-" (see find_known_name()).
inline constexpr auto kKnownNames = std::to_array<std::string_view>({
    "accept",
    "accept-encoding",
    "accept-language",
    "access-control-allow-credentials",
    "access-control-allow-origin",
    "access-control-request-headers",
    "access-control-request-method",
    "age",
    "alt-svc",
    "anthropic-version",
    "api-key",
    "authorization",
    "cache-control",
    "cf-cache-status",
    "cf-ray",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "date",
    "etag",
    "expect",
    "forwarded",
    "host",
    "idempotency-key",
    "if-none-match",
    "keep-alive",
    "openai-organization",
    "openai-processing-ms",
    "openai-project",
    "openai-version",
    "origin",
    "range",
    "referer",
    "request-id",
    "retry-after",
    "retry-after-ms",
    "sec-websocket-protocol",
    "server",
    "server-timing",
    "set-cookie",
    "strict-transport-security",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "vary",
    "via",
    "x-accel-buffering",
    "x-aifd-cache",
    "x-aifd-request-id",
    "x-api-key",
    "x-content-type-options",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-goog-api-key",
    "x-ratelimit-limit-requests",
    "x-ratelimit-limit-tokens",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-remaining-tokens",
    "x-ratelimit-reset-requests",
    "x-ratelimit-reset-tokens",
    "x-real-ip",
    "x-request-id",
    "x-should-retry",
    "x-stainless-arch",
    "x-stainless-async",
    "x-stainless-helper-method",
    "x-stainless-lang",
    "x-stainless-os",
    "x-stainless-package-version",
    "x-stainless-read-timeout",
    "x-stainless-retry-count",
    "x-stainless-runtime",
    "x-stainless-runtime-version",
    "x-stainless-timeout",
});

// Its place in kKnownNames, from 1; 0 is none of them.
using NameId = std::uint8_t;
inline constexpr NameId kUnknownName = 0;
static_assert(kKnownNames.size() < 128);

// Of a name in any case, which is a token: other texts could be taken for a known one.
NameId find_known_name(std::string_view name) noexcept;

// The same at compile time.
consteval NameId known_name_id(std::string_view name) {
  for (std::size_t i = 0; i < kKnownNames.size(); ++i) {
    if (iequals(kKnownNames[i], name)) return static_cast<NameId>(i + 1);
  }
  return kUnknownName;
}

// As in `case name_id("Host"):`; only of a known name.
consteval NameId name_id(std::string_view name) {
  const NameId id = known_name_id(name);
  if (id == kUnknownName) throw "none of kKnownNames";
  return id;
}

// A name as it came or as it is to be sent. The text belongs to others. Two are equal whatever
// their case (RFC 9110, 5.1).
class FieldName {
 public:
  constexpr FieldName() noexcept = default;
  FieldName(std::string_view text) noexcept : text_(text), id_(find_known_name(text)) {}
  FieldName(const std::string& text) noexcept : FieldName(std::string_view(text)) {}
  consteval FieldName(const char* text) : text_(text), id_(known_name_id(text)) {}

  constexpr std::string_view text() const noexcept { return text_; }
  constexpr operator std::string_view() const noexcept { return text_; }
  constexpr std::size_t size() const noexcept { return text_.size(); }
  constexpr NameId id() const noexcept { return id_; }

  friend bool operator==(const FieldName& a, const FieldName& b) noexcept {
    if (a.id_ != b.id_) return false;
    return a.id_ != kUnknownName || iequals(a.text_, b.text_);
  }

 private:
  std::string_view text_;
  NameId id_ = kUnknownName;
};

// Some of the known names.
class NameSet {
 public:
  constexpr NameSet() noexcept = default;
  // Those for which belongs(name) is true.
  template <class Predicate>
  static consteval NameSet of_all(Predicate belongs) {
    NameSet set;
    for (std::size_t i = 0; i < kKnownNames.size(); ++i) {
      if (belongs(kKnownNames[i])) set.add(static_cast<NameId>(i + 1));
    }
    return set;
  }
  consteval NameSet(std::initializer_list<std::string_view> names) {
    for (const std::string_view name : names) add(name_id(name));
  }

  constexpr void add(NameId id) noexcept { bits_[id / kBits] |= std::uint64_t{1} << (id % kBits); }
  constexpr bool has(NameId id) const noexcept {
    return (bits_[id / kBits] >> (id % kBits) & 1) != 0;
  }

 private:
  static constexpr std::size_t kBits = 64;

  std::array<std::uint64_t, 2> bits_{};
};

}  // namespace aifd::protocol
