// Messages as OpenAI's SDK for Python, and its servers, send them.
#pragma once

#include <string>
#include <string_view>

namespace aifd::bench {

inline constexpr std::string_view kRequestHead =
    "POST /v1/chat/completions HTTP/1.1\r\n"
    "Host: 127.0.0.1:8000\r\n"
    "Accept-Encoding: gzip, deflate\r\n"
    "Connection: keep-alive\r\n"
    "Accept: application/json\r\n"
    "Content-Type: application/json\r\n"
    "User-Agent: OpenAI/Python 1.54.3\r\n"
    "X-Stainless-Lang: python\r\n"
    "X-Stainless-Package-Version: 1.54.3\r\n"
    "X-Stainless-OS: Linux\r\n"
    "X-Stainless-Arch: x64\r\n"
    "X-Stainless-Runtime: CPython\r\n"
    "X-Stainless-Runtime-Version: 3.11.2\r\n"
    "Authorization: Bearer fk-abcdefghijklmnopqrstuvwxyz\r\n"
    "X-Stainless-Async: false\r\n"
    "x-stainless-retry-count: 0\r\n"
    "Content-Length: 113\r\n\r\n";

inline constexpr std::string_view kAnswerHead =
    "HTTP/1.1 200 OK\r\n"
    "Date: Sun, 22 Nov 2026 21:32:35 GMT\r\n"
    "Content-Type: application/json\r\n"
    "Transfer-Encoding: chunked\r\n"
    "Connection: keep-alive\r\n"
    "openai-organization: org-abcdefghijklmnop\r\n"
    "openai-processing-ms: 412\r\n"
    "openai-version: 2020-10-01\r\n"
    "x-ratelimit-limit-requests: 10000\r\n"
    "x-ratelimit-remaining-requests: 9999\r\n"
    "x-ratelimit-reset-requests: 8.64s\r\n"
    "x-request-id: req_0123456789abcdef0123456789abcdef\r\n"
    "strict-transport-security: max-age=31536000; includeSubDomains; preload\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Server: cloudflare\r\n"
    "CF-RAY: 8e5f0123456789ab-FRA\r\n\r\n";

inline constexpr std::string_view kRequestBody =
    R"({"model":"gpt-4o","messages":[{"role":"user","content":)"
    R"("hello there, how are you today?"}],"temperature":1})";

inline constexpr std::string_view kEvent =
    R"(data: {"id":"chatcmpl-ATxQ2vKzB1ZcR9","object":"chat.completion.chunk",)"
    R"("created":1731700000,"model":"gpt-4o-2024-08-06","system_fingerprint":"fp_0123456789",)"
    R"("choices":[{"index":0,"delta":{"content":" token"},"logprobs":null,"finish_reason":null}]})"
    "\n\n";

inline constexpr std::size_t kEvents = 100;

inline std::string stream() {
  std::string text;
  for (std::size_t i = 0; i < kEvents; ++i) text += kEvent;
  return text;
}

inline std::string answer_body() {
  return R"({"id":"chatcmpl-ATxQ2vKzB1ZcR9","object":"chat.completion","created":1731700000,)"
         R"("model":"gpt-4o-2024-08-06","choices":[{"index":0,"message":{"role":"assistant",)"
         R"("content":")" +
         std::string(300, 'a') +
         R"("},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":14,)"
         R"("completion_tokens":75,"total_tokens":89},"system_fingerprint":"fp_0123456789"})";
}

// A conversation of 100 messages, about 30 KB.
inline std::string long_request_body() {
  std::string text = R"({"model":"gpt-4o","stream":true,"messages":[)";
  for (int i = 0; i < 100; ++i) {
    if (i > 0) text += ',';
    text += R"({"role":")";
    text += i % 2 == 0 ? "user" : "assistant";
    text += R"(","content":"It said \"yes\".\n)" + std::string(260, 'b') + R"("})";
  }
  return text + "]}";
}

// One question about a long text, about 100 KB, in lines of English.
inline std::string document_request_body() {
  std::string text = R"({"model": "gpt-4o", "messages": [{"role": "user", "content": ")";
  for (int line = 0; line < 1400; ++line) {
    text += "This is one of the lines of a text that somebody asks his questions on.\\n";
  }
  return text + R"("}]})";
}

// A conversation of 400 messages, about 100 KB, most of them not in English.
inline std::string foreign_request_body() {
  std::string text = R"({"model":"gpt-4o","messages":[)";
  for (int i = 0; i < 400; ++i) {
    if (i > 0) text += ',';
    text += R"({"role":")";
    text += i % 2 == 0 ? "user" : "assistant";
    text += R"(","content":")";
    for (int part = 0; part < 6; ++part) text += R"(Caf\u00e9 \"今日は世界\", d’après.\n)";
    text += R"("})";
  }
  return text + "]}";
}

// About 30 KB, in lines.
inline std::string long_answer_body() {
  std::string text;
  for (int line = 0; line < 420; ++line) text += std::string(70, 'c') + "\\n";
  return R"({"choices":[{"index":0,"message":{"content":")" + text + R"("}}]})";
}

}  // namespace aifd::bench
