// Errors in the words that the caller's SDK understands.
#pragma once

#include <string>
#include <string_view>

#include "aifd/base/error.hpp"
#include "aifd/base/words.hpp"

namespace aifd::protocol {

enum class Dialect { openai, anthropic, gemini, ollama };

// By the normalised path after the route prefix, then by the route's name: /v1/messages... or a
// prefix with "anthropic" or "claude": anthropic; /v1beta/, ":generateContent" and the like, or
// "gemini": gemini; /api/chat, /api/generate, /api/tags, /api/embed... or "ollama" (but not for
// /v1/...): ollama; all else openai.
Dialect detect_dialect(std::string_view route_prefix, std::string_view path_after_prefix);

struct ErrorText {
  std::string content_type;  // application/json
  std::string body;
};

// The body for an error, in the shapes and codes of each provider's documentation:
// openai {"error":{"message","type","param":null,"code"}}, anthropic
// {"type":"error","error":{"type","message"},"request_id"}, gemini
// {"error":{"code","message","status"}}, ollama
// {"error":"text"}. The message is error.detail, JSON-escaped; invalid UTF-8 is replaced.
ErrorText render_error(const Error& error, Dialect dialect, std::string_view request_id);

// Appends `text` as the inside of a JSON string: quotes, backslashes and control characters
// escaped, invalid UTF-8 replaced by U+FFFD.
void append_json_escaped(std::string& out, std::string_view text);

// Which bytes of a text are not sure to go over as they are.
inline Bytes mark_json_escaped(Bytes bytes) noexcept {
  return mark_below(bytes, 0x20) | mark_equal(bytes, '"') | mark_equal(bytes, '\\') |
         mark_equal(bytes, '\x7F') | mark_not_ascii(bytes);
}

}  // namespace aifd::protocol
