// What a body may be, for its record, by what its Content-Type says.
#pragma once

#include <simdjson.h>

#include <algorithm>
#include <string_view>

#include "aifd/protocol/fields.hpp"
#include "chars.hpp"
#include "parameters.hpp"

namespace aifd::protocol {

// `part` in lower case.
inline bool icontains(std::string_view text, std::string_view part) {
  return std::ranges::search(text, part, {}, to_lower).begin() != text.end();
}

inline bool is_event_stream(std::string_view content_type) {
  return istarts_with(trimmed(content_type), "text/event-stream");
}

inline bool is_json_lines(std::string_view content_type) {
  const std::string_view type = main_value(content_type);
  if (iequals(type, "application/json")) return false;  // as most are
  return icontains(type, "ndjson") || icontains(type, "jsonl") || icontains(type, "json-seq");
}

// Also where it does not say, or says what some clients say of everything.
inline bool may_be_json(std::string_view content_type, std::string_view body) {
  const std::size_t first = std::min(body.find_first_not_of(" \t\r\n"), body.size());
  const std::string_view begin = body.substr(first, 1);
  if (begin == "{" || begin == "[") return true;
  const std::string_view type = main_value(content_type);
  return type.empty() || icontains(type, "json");
}

inline bool is_binary_type(std::string_view content_type) {
  const std::string_view type = trimmed(content_type);
  for (const std::string_view prefix :
       {"image/", "audio/", "video/", "font/", "application/octet-stream", "application/pdf",
        "application/zip", "application/gzip"}) {
    if (istarts_with(type, prefix)) return !icontains(type, "svg");
  }
  return false;
}

inline bool is_utf8(std::string_view text) {
  return simdjson::validate_utf8(text.data(), text.size());
}

inline bool is_coded(std::string_view content_encoding) {
  const std::string_view coding = trimmed(content_encoding);
  return !coding.empty() && !iequals(coding, "identity");
}

inline bool looks_like_events(std::string_view body) {
  if (body.starts_with("\xEF\xBB\xBF")) body.remove_prefix(3);
  return body.starts_with("data:") || body.starts_with("event:") || body.starts_with(":");
}

// An object, whole or not: "[DONE]" is none.
inline bool looks_like_object(std::string_view text) {
  return text.substr(std::min(text.find_first_not_of(" \t\r\n"), text.size())).starts_with('{');
}

}  // namespace aifd::protocol
