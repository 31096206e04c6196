#include "aifd/protocol/cache_key_parts.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "chars.hpp"
#include "percent.hpp"

namespace aifd::protocol {
namespace {

constexpr std::string_view kLayout = "aifd cache key 1";  // another one forgets all that is stored

void append_number(std::string& out, std::uint64_t number) {
  for (unsigned shift = 0; shift < 64; shift += 8) out += static_cast<char>(number >> shift);
}

void append_part(std::string& out, std::string_view part) {
  append_number(out, part.size());
  out.append(part);
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// JSON is UTF-8 whether it says so or not (RFC 8259, 8.1).
bool says_nothing(std::string_view parameters) {
  parameters = trimmed(parameters);
  return parameters.empty() || iequals(parameters, "charset=utf-8") ||
         iequals(parameters, "charset=\"utf-8\"");
}

// Of a canonical body: the media type in small letters, and its parameters as they came where they
// say something.
std::string content_type_for_key(std::string_view value) {
  const std::size_t semicolon = std::min(value.find(';'), value.size());
  std::string normal;
  for (const char c : trimmed(value.substr(0, semicolon))) normal += to_lower(c);
  const std::string_view parameters = value.substr(std::min(semicolon + 1, value.size()));
  if (!says_nothing(parameters)) normal.append(value.substr(semicolon));
  return normal;
}

void append_field(std::string& out, const CacheKeyParts& parts, const FieldName& name) {
  const bool is_json_type = name == "Content-Type" && parts.body_is == CacheKeyBody::canonical;
  append_number(out, parts.fields.count(name));
  for (const Field& field : parts.fields) {
    if (field.name != name) continue;
    append_part(out, is_json_type ? content_type_for_key(field.value) : std::string(field.value));
  }
}

void append_fields(std::string& out, const CacheKeyParts& parts,
                   std::span<const std::string_view> names) {
  for (const std::string_view name : names) append_field(out, parts, name);
}

// As in find_credentials().
bool is_key(std::string_view name) {
  constexpr std::size_t kMostBytes = 9;  // each letter as %XX
  return name == "key" || (name.size() <= kMostBytes && percent_decode(name) == "key");
}

}  // namespace

std::string cache_key_head(const CacheKeyParts& parts) {
  const bool is_raw = parts.body_is == CacheKeyBody::raw;
  std::string head;
  constexpr std::size_t kUsualBytes = 512;
  head.reserve(kUsualBytes);
  append_part(head, kLayout);
  append_part(head, parts.upstream);
  append_part(head, parts.method);
  append_part(head, parts.path);
  append_part(head, parts.query);
  append_part(head, parts.scope);
  append_part(head, is_raw ? "raw" : "canonical");
  append_fields(head, parts, kFieldsOfCacheKey);
  if (is_raw) append_fields(head, parts, kFieldsOfRawCacheKey);
  append_number(head, parts.body.size());
  return head;
}

std::string query_without_key(std::string_view query) {
  std::string kept;
  kept.reserve(query.size());
  bool is_first = true;
  while (true) {
    const std::size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    if (!is_key(pair.substr(0, pair.find('=')))) {
      if (!is_first) kept += '&';
      kept.append(pair);
      is_first = false;
    }
    if (end == std::string_view::npos) return kept;
    query.remove_prefix(end + 1);
  }
}

}  // namespace aifd::protocol
