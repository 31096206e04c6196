#include "aifd/protocol/cache_key_parts.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "aifd/protocol/canonical_json.hpp"

namespace aifd::protocol {
namespace {

using FieldList = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string body = R"({"model":"gpt-4","n":1})";
  FieldList fields = {{"Content-Type", "application/json"}};
  std::string query = {};
  std::string scope = "level 0";
  std::string path = "/v1/chat/completions";
  std::string method = "POST";
  std::string upstream = "https://api.openai.com";
  CacheKeyBody body_is = CacheKeyBody::canonical;
};

// As the link makes it; nullopt where the request cannot be cached.
std::optional<std::string> key_text(const Request& request) {
  std::optional<std::string> body = request.body;
  if (request.body_is == CacheKeyBody::canonical) {
    body = canonical_json(request.body, kFieldsOutsideCacheKey);
  }
  if (!body) return std::nullopt;
  Fields fields;
  for (const auto& [name, value] : request.fields) fields.add(name, value);
  const std::string query = query_without_key(request.query);
  const CacheKeyParts parts{.upstream = request.upstream,
                            .method = request.method,
                            .path = request.path,
                            .query = query,
                            .fields = fields,
                            .scope = request.scope,
                            .body_is = request.body_is,
                            .body = *body};
  return cache_key_head(parts) + *body;
}

Request raw(Request request) {
  request.body_is = CacheKeyBody::raw;
  return request;
}

struct Pair {
  Request a;
  Request b;
};

// clang-format off
const Pair kEqual[] = {
    // bodies
    {{}, {}},
    {{}, {.body = R"({"n":1,"model":"gpt-4"})"}},
    {{}, {.body = " {\n \"model\" : \"gpt-4\",\r\n\t\"n\" : 1 } "}},
    {{}, {.body = R"({"model":"gpt-4","n":1,"stream":true})"}},
    {{}, {.body = R"({"stream":false,"model":"gpt-4","n":1})"}},
    {{}, {.body = R"({"stream_options":{"include_usage":true},"model":"gpt-4","n":1})"}},
    {{}, {.body = R"({"model":"gpt-4","n":1,"user":"alice"})"}},
    {{}, {.body = R"({"model":"gpt-4","caching":true,"n":1})"}},
    {{}, {.body = R"({"str\u0065am":1,"\u0075ser":[{"b":1,"a":2}],"model":"gpt-4","n":1})"}},
    {{.body = R"({"user":"a","n":1})"}, {.body = R"({"user":"b","n":1})"}},
    {{}, {.body = R"({"model":"gpt-4","n":1.0})"}},
    {{}, {.body = R"({"model":"gpt-4","n":10e-1})"}},
    {{}, {.body = R"({"\u006dodel":"\u0067pt-4","n":1})"}},
    {{.body = R"({"a":100})"}, {.body = R"({"a":1e2})"}},
    {{.body = R"({"a":0.7})"}, {.body = R"({"a":0.70})"}},
    {{.body = R"({"a":-0.0})"}, {.body = R"({"a":-0})"}},
    {{.body = R"({"a":123456789012345678901230})"}, {.body = R"({"a":12345678901234567890123e1})"}},
    {{.body = R"({"a":"/"})"}, {.body = R"({"a":"\/"})"}},
    {{.body = R"({"a":"\n"})"}, {.body = R"({"a":"\u000a"})"}},
    {{.body = "{\"a\":\"\xC3\xA9\"}"}, {.body = R"({"a":"\u00E9"})"}},
    {{.body = "{\"a\":\"\xF0\x9F\x98\x80\"}"}, {.body = R"({"a":"\uD83D\ude00"})"}},
    {{.body = R"({"messages":[{"role":"user","content":"hi"}]})"},
     {.body = R"({"messages":[ {"content":"hi","role":"user"} ]})"}},
    {{.body = R"({"a":{"c":{"e":1,"f":2},"d":3},"b":4})"},
     {.body = R"({"b":4,"a":{"d":3,"c":{"f":2,"e":1}}})"}},
    // fields
    {{}, {.fields = {{"content-type", "Application/JSON"}}}},
    {{}, {.fields = {{"Content-Type", "application/json; charset=UTF-8"}}}},
    {{}, {.fields = {{"Content-Type", "application/json;charset=\"utf-8\""}}}},
    {{}, {.fields = {{"Content-Type", "application/json ;"}}}},
    {{}, {.fields = {{"Content-Type", "application/json"}, {"X-Stainless-Retry-Count", "1"}}}},
    {{}, {.fields = {{"x-stainless-timeout", "600"}, {"Content-Type", "application/json"}}}},
    {{}, {.fields = {{"Content-Type", "application/json"}, {"Idempotency-Key", "k-1"}}}},
    {{}, {.fields = {{"Content-Type", "application/json"}, {"Authorization", "Bearer fk-1"}}}},
    {{}, {.fields = {{"Content-Type", "application/json"}, {"x-api-key", "fk-1"}}}},
    {{}, {.fields = {{"Content-Type", "application/json"}, {"traceparent", "00-1-2-01"}}}},
    {{}, {.fields = {{"Content-Type", "application/json"}, {"User-Agent", "curl"}, {"Cookie", "a=b"}}}},
    {{}, {.fields = {{"Content-Type", "application/json"}, {"Accept", "text/event-stream"}}}},
    {{}, {.fields = {{"Content-Type", "application/json"}, {"Accept-Encoding", "gzip"}}}},
    {{}, {.fields = {{"Content-Type", "application/json"}, {"Content-Length", "23"}, {"Host", "h"}}}},
    {{.fields = {{"anthropic-version", "1"}, {"openai-beta", "2"}}},
     {.fields = {{"OpenAI-Beta", "2"}, {"Anthropic-Version", "1"}}}},
    // queries
    {{}, {.query = "key=AIza"}},
    {{.query = "key=a"}, {.query = "key=b"}},
    {{.query = "alt=sse"}, {.query = "alt=sse&key=b"}},
    {{.query = "alt=sse"}, {.query = "k%65y=b&alt=sse"}},
    {{.query = "a=1&b=2"}, {.query = "a=1&key=&b=2"}},
    // raw bodies
    {raw({}), raw({})},
    {raw({}), raw({.fields = {{"Content-Type", "application/json"}, {"X-Stainless-Lang", "js"}}})},
    {raw({}), raw({.fields = {{"User-Agent", "x"}, {"content-type", "application/json"}}})},
};

const Pair kUnequal[] = {
    // bodies
    {{}, {.body = R"({"model":"gpt-4","n":2})"}},
    {{}, {.body = R"({"model":"gpt-4"})"}},
    {{}, {.body = R"({"model":"gpt-4","n":"1"})"}},
    {{}, {.body = R"({"model":"gpt-4","n":1.0000000000000000000001})"}},
    {{}, {.body = R"({"model":"GPT-4","n":1})"}},
    {{}, {.body = R"({"model":"gpt-4 ","n":1})"}},
    {{}, {.body = R"({"Model":"gpt-4","n":1})"}},
    {{}, {.body = R"({"model":"gpt-4","n":1,"seed":null})"}},
    {{}, {.body = R"({"model":"gpt-4","n":1,"Stream":true})"}},
    {{}, {.body = R"({"model":"gpt-4","n":1,"x":{"stream":true}})"}},
    {{}, {.body = R"({"model":"gpt-4","n":[1]})"}},
    {{}, {.body = R"({"model":"gpt-4,\"n\":1"})"}},
    {{.body = R"({"x":{"user":"a"}})"}, {.body = R"({"x":{"user":"b"}})"}},
    {{.body = R"({"a":12345678901234567890123})"}, {.body = R"({"a":12345678901234567890124})"}},
    {{.body = R"({"a":9007199254740992})"}, {.body = R"({"a":9007199254740993})"}},
    {{.body = R"({"a":0.1})"}, {.body = R"({"a":0.1000000000000000055511151231257827})"}},
    {{.body = R"({"a":1e400})"}, {.body = R"({"a":1e401})"}},
    {{.body = R"({"a":1e-400})"}, {.body = R"({"a":0})"}},
    {{.body = R"({"a":0})"}, {.body = R"({"a":-0})"}},
    {{.body = R"({"a":1})"}, {.body = R"({"a":-1})"}},
    {{.body = R"({"a":1})"}, {.body = R"({"a":true})"}},
    {{.body = R"({"a":null})"}, {.body = R"({"a":false})"}},
    {{.body = R"({"a":null})"}, {.body = R"({"a":"null"})"}},
    {{.body = R"({"a":[]})"}, {.body = R"({"a":{}})"}},
    {{.body = R"({"a":[1,2]})"}, {.body = R"({"a":[2,1]})"}},
    {{.body = R"({"a":[1,[2]]})"}, {.body = R"({"a":[[1],2]})"}},
    {{.body = R"({"a":[12]})"}, {.body = R"({"a":[1,2]})"}},
    {{.body = R"({"a":["x","y"]})"}, {.body = R"({"a":["x,y"]})"}},
    {{.body = R"({"a":[{},1]})"}, {.body = R"({"a":[{}],"1":1})"}},
    {{.body = R"({"a":{"b":1},"c":2})"}, {.body = R"({"a":{"b":1,"c":2}})"}},
    {{.body = R"({"a":{"b":1},"c":{}})"}, {.body = R"({"a":{},"c":{"b":1}})"}},
    {{.body = R"({"a":1,"b":2})"}, {.body = R"({"a":2,"b":1})"}},
    {{.body = R"({"a":"\\n"})"}, {.body = R"({"a":"\n"})"}},
    {{.body = R"({"a":"\\u0061"})"}, {.body = R"({"a":"a"})"}},
    {{.body = R"({"a":"\u0000"})"}, {.body = R"({"a":""})"}},
    {{.body = R"({"a":"\u00e9"})"}, {.body = R"({"a":"e\u0301"})"}},
    {{.body = R"({"a":" "})"}, {.body = R"({"a":"  "})"}},
    {{.body = R"({"a":"\u00a0"})"}, {.body = R"({"a":" "})"}},
    {{.body = "{}"}, {.body = R"({"":null})"}},
    // who asks, what and where
    {{}, {.scope = "level 1"}},
    {{}, {.scope = ""}},
    {{}, {.path = "/v1/completions"}},
    {{}, {.path = "/v1/chat/Completions"}},
    {{}, {.path = "/v1/ch%61t/completions"}},
    {{}, {.method = "PUT"}},
    {{}, {.upstream = "https://api.example.com"}},
    {{.path = "/a", .upstream = "http://h/b"}, {.path = "/b/a", .upstream = "http://h"}},
    {{.scope = "level 0", .path = "/a"}, {.scope = "level 0/a", .path = ""}},
    {{.query = "a", .path = "/b"}, {.query = "", .path = "/ba"}},
    {{.scope = "x", .method = "GET"}, {.scope = "GET", .method = "x"}},
    // queries
    {{}, {.query = "alt=sse"}},
    {{.query = "a=1"}, {.query = "a=2"}},
    {{.query = "a=1&b=2"}, {.query = "b=2&a=1"}},
    {{.query = "a=1&a=2"}, {.query = "a=1"}},
    {{.query = "Key=1"}, {.query = "Key=2"}},
    {{.query = "keys=1"}, {.query = "keys=2"}},
    {{.query = "token=1"}, {.query = "token=2"}},
    {{.query = "a=key=1"}, {.query = "a=key=2"}},
    // fields
    {{}, {.fields = {}}},
    {{}, {.fields = {{"Content-Type", "text/plain"}}}},
    {{}, {.fields = {{"Content-Type", "application/json; charset=utf-16"}}}},
    {{}, {.fields = {{"Content-Type", "application/json"}, {"Content-Type", "application/json"}}}},
    {{}, {.fields = {{"Content-Type", "application/json"}, {"Content-Encoding", "gzip"}}}},
    {{}, {.fields = {{"Content-Type", "application/json"}, {"anthropic-version", "2023-06-01"}}}},
    {{}, {.fields = {{"Content-Type", "application/json"}, {"anthropic-beta", "x"}}}},
    {{}, {.fields = {{"Content-Type", "application/json"}, {"OpenAI-Beta", "assistants=v2"}}}},
    {{}, {.fields = {{"Content-Type", "application/json"}, {"openai-organization", "o"}}}},
    {{}, {.fields = {{"Content-Type", "application/json"}, {"openai-project", "p"}}}},
    {{}, {.fields = {{"Content-Type", "application/json"}, {"X-HTTP-Method-Override", "PUT"}}}},
    {{.fields = {{"openai-project", "x"}}}, {.fields = {{"openai-organization", "x"}}}},
    {{.fields = {{"openai-project", "x"}}}, {.fields = {{"openai-project", ""}}}},
    {{.fields = {{"openai-project", ""}}}, {.fields = {}}},
    {{.fields = {{"anthropic-beta", "a"}, {"anthropic-beta", "b"}}},
     {.fields = {{"anthropic-beta", "ab"}}}},
    {{.fields = {{"anthropic-beta", "a"}, {"anthropic-beta", "b"}}},
     {.fields = {{"anthropic-beta", "b"}, {"anthropic-beta", "a"}}}},
    // raw bodies
    {{}, raw({})},
    {raw({}), raw({.body = R"({"model":"gpt-4", "n":1})"})},
    {raw({}), raw({.body = R"({"model":"gpt-4","n":1,"stream":true})"})},
    {raw({}), raw({.body = ""})},
    {raw({}), raw({.fields = {{"Content-Type", "application/json; charset=utf-8"}}})},
    {raw({}), raw({.fields = {{"Content-Type", "Application/json"}}})},
    {raw({}), raw({.fields = {{"Content-Type", "application/json"}, {"Accept", "text/html"}}})},
    {raw({}), raw({.fields = {{"Content-Type", "application/json"}, {"Accept-Language", "de"}}})},
    {raw({.fields = {{"Accept", "de"}}}), raw({.fields = {{"Accept-Language", "de"}}})},
    {raw({.body = "--a", .fields = {{"Content-Type", "multipart/form-data; boundary=a"}}}),
     raw({.body = "--a", .fields = {{"Content-Type", "multipart/form-data; boundary=b"}}})},
};
// clang-format on

TEST(CacheKeyParts, AreEqualWhereTheAnswerIs) {
  for (const Pair& pair : kEqual) {
    ASSERT_TRUE(key_text(pair.a)) << pair.a.body;
    EXPECT_EQ(key_text(pair.a), key_text(pair.b)) << &pair - kEqual << ": " << pair.b.body;
  }
}

TEST(CacheKeyParts, DifferWhereTheAnswerMay) {
  for (const Pair& pair : kUnequal) {
    ASSERT_TRUE(key_text(pair.a)) << pair.a.body;
    ASSERT_TRUE(key_text(pair.b)) << pair.b.body;
    EXPECT_NE(key_text(pair.a), key_text(pair.b)) << &pair - kUnequal << ": " << pair.b.body;
  }
}

// Else what was stored under the old layout would be read as of the new one.
TEST(CacheKeyParts, HaveThisLayout) {
  using std::string_literals::operator""s;
  Fields fields;
  fields.add("Accept", "x");
  const CacheKeyParts parts{.upstream = "u",
                            .method = "GET",
                            .path = "/p",
                            .query = "q",
                            .fields = fields,
                            .scope = "s",
                            .body_is = CacheKeyBody::raw,
                            .body = "body"};
  const auto number = [](char value) { return std::string(1, value) + std::string(7, '\0'); };
  std::string expected = number(16) + "aifd cache key 1" + number(1) + "u" + number(3) + "GET" +
                         number(2) + "/p" + number(1) + "q" + number(1) + "s" + number(3) + "raw";
  for (std::size_t i = 0; i < kFieldsOfCacheKey.size(); ++i) expected += number(0);
  expected += number(1) + number(1) + "x" + number(0) + number(4);
  EXPECT_EQ(cache_key_head(parts), expected);
}

TEST(QueryWithoutKey, LeavesTheRestAsItCame) {
  const std::pair<std::string, std::string> cases[] = {
      {"", ""},
      {"key=a", ""},
      {"key", ""},
      {"key=a&key=b", ""},
      {"%6b%65%79=a", ""},
      {"%4bey=a", "%4bey=a"},
      {"KEY=a", "KEY=a"},
      {"a=1&key=b&c", "a=1&c"},
      {"a=%2F&&b=&key=b&", "a=%2F&&b=&"},
      {"key=x&a=1", "a=1"},
      {"a=1;key=b", "a=1;key=b"},
  };
  for (const auto& [query, rest] : cases) EXPECT_EQ(query_without_key(query), rest) << query;
}

}  // namespace
}  // namespace aifd::protocol
