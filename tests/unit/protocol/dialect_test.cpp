#include "aifd/protocol/dialect.hpp"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <string>

namespace aifd::protocol {
namespace {

using std::string_literals::operator""s;

TEST(DetectDialect, GoesByPathThenByRoute) {
  const struct {
    std::string_view prefix;
    std::string_view path;
    Dialect dialect;
  } cases[] = {
      {"/", "/v1/chat/completions", Dialect::openai},
      {"/", "/", Dialect::openai},
      {"/", "", Dialect::openai},
      {"/openai", "/v1/responses", Dialect::openai},
      {"/", "/v1/messages", Dialect::anthropic},
      {"/", "/v1/messages/count_tokens", Dialect::anthropic},
      {"/", "/v1/messagesx", Dialect::openai},
      {"/anthropic", "/", Dialect::anthropic},
      {"/my-Claude", "/v1/models", Dialect::anthropic},
      {"/anthropic", "/v1/chat/completions", Dialect::openai},
      {"/gemini", "/v1/messages", Dialect::anthropic},
      {"/", "/v1beta/models/x:generateContent", Dialect::gemini},
      {"/", "/v1beta", Dialect::gemini},
      {"/", "/upload/v1beta/files", Dialect::gemini},
      {"/", "/v1/models/x:streamGenerateContent", Dialect::gemini},
      {"/", "/v1/models/x:embedContent", Dialect::gemini},
      {"/", "/v1/models/ft:gpt-4", Dialect::openai},
      {"/gemini", "/v1beta/openai/embeddings", Dialect::openai},
      {"/GEMINI", "/v1/models", Dialect::gemini},
      {"/gemini", "", Dialect::gemini},
      {"/", "/api/chat", Dialect::ollama},
      {"/", "/api/generate", Dialect::ollama},
      {"/x", "/api/tags", Dialect::ollama},
      {"/", "/api/embed", Dialect::ollama},
      {"/", "/api/embeddings", Dialect::ollama},
      {"/", "/api/blobs/sha256:ab", Dialect::ollama},
      {"/", "/api/chats", Dialect::openai},
      {"/", "/api", Dialect::openai},
      {"/ollama", "/", Dialect::ollama},
      {"/ollama", "/v1/models", Dialect::openai},
      {"/ollama", "/v1", Dialect::openai},
      {"/ollama", "/v1x", Dialect::ollama},
      {"/localai", "/models", Dialect::openai},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(detect_dialect(c.prefix, c.path), c.dialect) << c.prefix << ' ' << c.path;
  }
}

Error error_of(ErrorKind kind, std::string detail = "Say \"hi\".") {
  return Error{kind, ErrorSource::aifd, false, std::move(detail)};
}

std::string body_of(ErrorKind kind, Dialect dialect) {
  const ErrorText text = render_error(error_of(kind), dialect, "req-1");
  EXPECT_EQ(text.content_type, "application/json");
  return text.body;
}

TEST(RenderError, SpeaksOpenai) {
  EXPECT_EQ(body_of(ErrorKind::unauthorized, Dialect::openai),
            R"({"error":{"message":"Say \"hi\".","type":"authentication_error","param":null,)"
            R"("code":"invalid_api_key"}})");
  const struct {
    ErrorKind kind;
    std::string type;
    std::string code;
  } cases[] = {
      {ErrorKind::bad_request, "invalid_request_error", "bad_request"},
      {ErrorKind::address_denied, "permission_error", "permission_denied"},
      {ErrorKind::model_denied, "invalid_request_error", "model_not_found"},
      {ErrorKind::no_route, "invalid_request_error", "not_found"},
      {ErrorKind::body_too_large, "invalid_request_error", "request_too_large"},
      {ErrorKind::rate_limited, "rate_limit_error", "rate_limit_exceeded"},
      {ErrorKind::draining, "server_error", "overloaded"},
      {ErrorKind::overloaded, "server_error", "overloaded"},
      {ErrorKind::upstream_unreachable, "upstream_error", "upstream_unreachable"},
      {ErrorKind::upstream_tls, "upstream_error", "upstream_tls"},
      {ErrorKind::upstream_broke, "upstream_error", "upstream_broke"},
      {ErrorKind::upstream_malformed, "upstream_error", "upstream_malformed"},
      {ErrorKind::upstream_connect_timeout, "timeout_error", "upstream_timeout"},
      {ErrorKind::upstream_first_byte_timeout, "timeout_error", "upstream_timeout"},
      {ErrorKind::upstream_idle_timeout, "timeout_error", "upstream_timeout"},
      {ErrorKind::not_cached, "invalid_request_error", "not_cached"},
      {ErrorKind::internal, "server_error", "internal_error"},
  };
  for (const auto& c : cases) {
    EXPECT_NE(body_of(c.kind, Dialect::openai)
                  .find(R"("type":")" + c.type + R"(","param":null,"code":")" + c.code + "\"}}"),
              std::string::npos)
        << body_of(c.kind, Dialect::openai);
  }
}

TEST(RenderError, SpeaksAnthropic) {
  EXPECT_EQ(body_of(ErrorKind::rate_limited, Dialect::anthropic),
            R"({"type":"error","error":{"type":"rate_limit_error","message":"Say \"hi\"."},)"
            R"("request_id":"req-1"})");
  const struct {
    ErrorKind kind;
    std::string type;
  } cases[] = {
      {ErrorKind::bad_request, "invalid_request_error"},
      {ErrorKind::unauthorized, "authentication_error"},
      {ErrorKind::address_denied, "permission_error"},
      {ErrorKind::model_denied, "permission_error"},
      {ErrorKind::no_route, "not_found_error"},
      {ErrorKind::body_too_large, "request_too_large"},
      {ErrorKind::internal, "api_error"},
      {ErrorKind::upstream_broke, "api_error"},
      {ErrorKind::upstream_idle_timeout, "timeout_error"},
      {ErrorKind::draining, "overloaded_error"},
  };
  for (const auto& c : cases) {
    EXPECT_NE(body_of(c.kind, Dialect::anthropic).find(R"({"type":")" + c.type + '"'),
              std::string::npos);
  }
}

TEST(RenderError, SpeaksGemini) {
  EXPECT_EQ(body_of(ErrorKind::rate_limited, Dialect::gemini),
            R"({"error":{"code":429,"message":"Say \"hi\".","status":"RESOURCE_EXHAUSTED"}})");
  const struct {
    ErrorKind kind;
    std::string status;
  } cases[] = {
      {ErrorKind::bad_request, "INVALID_ARGUMENT"},
      {ErrorKind::unauthorized, "UNAUTHENTICATED"},
      {ErrorKind::model_denied, "PERMISSION_DENIED"},
      {ErrorKind::no_route, "NOT_FOUND"},
      {ErrorKind::internal, "INTERNAL"},
      {ErrorKind::upstream_unreachable, "UNAVAILABLE"},
      {ErrorKind::upstream_first_byte_timeout, "DEADLINE_EXCEEDED"},
      {ErrorKind::not_implemented, "UNIMPLEMENTED"},
  };
  for (const auto& c : cases) {
    EXPECT_NE(body_of(c.kind, Dialect::gemini).find(R"("status":")" + c.status + '"'),
              std::string::npos);
  }
}

TEST(RenderError, SpeaksOllama) {
  EXPECT_EQ(body_of(ErrorKind::unauthorized, Dialect::ollama), R"({"error":"Say \"hi\"."})");
}

TEST(RenderError, IsValidJsonForEveryKindAndDialect) {
  simdjson::dom::parser parser;
  for (int kind = 0; kind <= static_cast<int>(ErrorKind::internal); ++kind) {
    for (const Dialect dialect :
         {Dialect::openai, Dialect::anthropic, Dialect::gemini, Dialect::ollama}) {
      for (const std::string& detail : {"\xFF\0\n\"\\"s, ""s, "x"s}) {
        const std::string body =
            render_error(error_of(static_cast<ErrorKind>(kind), detail), dialect, "\"\x80").body;
        EXPECT_EQ(parser.parse(body).error(), simdjson::SUCCESS) << body;
      }
    }
  }
}

TEST(RenderError, NamesTheKindWhereNoDetailIsGiven) {
  EXPECT_EQ(render_error(error_of(ErrorKind::internal, ""), Dialect::ollama, "").body,
            R"({"error":"internal"})");
}

TEST(AppendJsonEscaped, EscapesAndReplaces) {
  const std::string bad = "\xEF\xBF\xBD";
  const struct {
    std::string text;
    std::string escaped;
  } cases[] = {
      {"", ""},
      {"plain /", "plain /"},
      {"\"\\", "\\\"\\\\"},
      {"\n\r\t\b\x1F\x7F"s, "\\n\\r\\t\\u0008\\u001f\\u007f"},
      {"a\0b"s, "a\\u0000b"},
      {"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"},
      {"\xEE\x80\x80\xED\x9F\xBF\xF4\x8F\xBF\xBF", "\xEE\x80\x80\xED\x9F\xBF\xF4\x8F\xBF\xBF"},
      {"\x80x", bad + "x"},
      {"\xC0\xAF", bad + bad},
      {"\xC3", bad},
      {"\xC3x", bad + "x"},
      {"\xE0\x80\x80", bad + bad + bad},
      {"\xED\xA0\x80", bad + bad + bad},
      {"\xE2\x82", bad},
      {"\xE2\x82x", bad + "x"},
      {"\xF0\x9F\x98", bad},
      {"\xF0\x9F\x98\xC3\xA9", bad + "\xC3\xA9"},
      {"\xF4\x90\x80\x80", bad + bad + bad + bad},
      {"\xF5\xFF", bad + bad},
  };
  for (const auto& c : cases) {
    std::string out = ">";
    append_json_escaped(out, c.text);
    EXPECT_EQ(out, ">" + c.escaped) << c.text;
  }
}

}  // namespace
}  // namespace aifd::protocol
