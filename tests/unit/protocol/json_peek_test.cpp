#include "aifd/protocol/json_peek.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace aifd::protocol {
namespace {

using std::string_literals::operator""s;

struct Expected {
  std::string body;
  std::optional<std::string> model;
  std::string literal;
  std::optional<bool> stream;
};

TEST(PeekJson, FindsModelAndStream) {
  const Expected cases[] = {
      {"{}", {}, "", {}},
      {" \r\n\t{ } \n", {}, "", {}},
      {R"({"model":"gpt-4","stream":true})", "gpt-4", R"("gpt-4")", true},
      {R"({"stream": false , "model" : "gpt-4" , "x":1})", "gpt-4", R"("gpt-4")", false},
      {R"({"messages":[{"role":"user","content":"hi"}],"model":"m"})", "m", R"("m")", {}},
      {R"({"model":""})", "", R"("")", {}},
      {R"({"model":"a\"b\\"})", "a\"b\\", R"("a\"b\\")", {}},
      {R"({"model":"\u0067pt\u00e9"})", "gpt\xC3\xA9", R"("\u0067pt\u00e9")", {}},
      {R"({"m\u006fdel":"a","str\u0065am":true})", "a", R"("a")", true},
      {"{\"model\":\"\xF0\x9F\x98\x80\"}", "\xF0\x9F\x98\x80", "\"\xF0\x9F\x98\x80\"", {}},
      {R"({"model":null,"stream":null})", {}, "", {}},
      {R"({"model":4,"stream":"true"})", {}, "", {}},
      {R"({"model":["a"],"stream":1})", {}, "", {}},
      {R"({"model":{"model":"a"},"stream":[true]})", {}, "", {}},
      {R"({"x":{"model":"a","stream":true},"y":["model","z"]})", {}, "", {}},
      {R"({"models":"a","mode":"b","streams":true,"Stream":true})", {}, "", {}},
      {R"({"a":"\"model\":\"x\"","model":"y"})", "y", R"("y")", {}},
      {R"({"a":"{[","b":"]}","model":"y"})", "y", R"("y")", {}},
      {R"({"a":1e999,"b":-0.10,"c":123456789012345678901234567890,"model":"y"})",
       "y",
       R"("y")",
       {}},
  };
  for (const auto& c : cases) {
    const auto peek = peek_json(c.body);
    ASSERT_TRUE(peek) << c.body;
    EXPECT_EQ(peek->model, c.model) << c.body;
    EXPECT_EQ(peek->stream, c.stream) << c.body;
    EXPECT_EQ(c.body.substr(peek->model_offset, peek->model_length), c.literal) << c.body;
  }
}

TEST(PeekJson, RefusesWhatIsNoObjectOrNotJson) {
  const std::string cases[] = {
      ""s,
      " "s,
      "null"s,
      "true"s,
      "5"s,
      "\"model\""s,
      "[]"s,
      R"([{"model":"a"}])"s,
      "{"s,
      "}"s,
      R"({"model":"a")"s,
      R"({"model":"a)"s,
      R"({"model":)"s,
      R"({"model"})"s,
      R"({"model" "a"})"s,
      R"({"model":"a",})"s,
      R"({,"model":"a"})"s,
      R"({"model":"a" "stream":true})"s,
      R"({"x":1 2,"model":"a"})"s,
      R"({model:"a"})"s,
      R"({'model':'a'})"s,
      R"({"stream":tru})"s,
      R"({"stream":truex})"s,
      R"({"model":"\x"})"s,
      R"({"model":"\ud800"})"s,
      R"({"model":"\u12"})"s,
      R"({"mod\xel":"a"})"s,
      "{\"model\":\"\xFF\"}"s,
      "{\"x\":\"\xC0\xAF\",\"model\":\"a\"}"s,
      "{\"x\":\"\xED\xA0\x80\"}"s,
      "{\"model\":\"a\nb\"}"s,
      "{\"model\":\"a\0b\"}"s,
      "\xEF\xBB\xBF{\"model\":\"a\"}"s,
      R"({"model":"a"}{"model":"b"})"s,
      R"({"model":"a"} x)"s,
      R"({"model":"a"}})"s,
      R"({"model":"a"},)"s,
      R"({}{})"s,
      R"({"model":"a"}"model":"b"})"s,
      "{\"model\":\"a\"}\0"s,
      "--boundary\r\n"s,
  };
  for (const auto& body : cases) EXPECT_FALSE(peek_json(body)) << body;
}

TEST(PeekJson, RefusesAWantedNameThatIsThereTwice) {
  EXPECT_FALSE(peek_json(R"({"model":"a","model":"b"})"));
  EXPECT_FALSE(peek_json(R"({"model":"a","model":"a"})"));
  EXPECT_FALSE(peek_json(R"({"model":"a","x":[1],"mod\u0065l":"b"})"));
  EXPECT_FALSE(peek_json(R"({"model":null,"model":"b"})"));
  EXPECT_FALSE(peek_json(R"({"model":"a","Model":"b"})"));
  EXPECT_FALSE(peek_json(R"({"MODEL":"b"})"));
  EXPECT_FALSE(peek_json(R"({"stream":true,"stream":true})"));
  EXPECT_FALSE(peek_json(R"({"stream":true,"stream":1})"));
  EXPECT_TRUE(peek_json(R"({"x":1,"x":2})"));
}

TEST(PeekJson, FindsTheMostTokens) {
  struct Case {
    const char* body;
    std::optional<std::uint64_t> most;
  };
  const std::uint64_t endless = std::numeric_limits<std::uint64_t>::max();
  const Case cases[] = {
      {R"({"messages":[]})", {}},
      {R"({"max_tokens":16})", 16},
      {R"({"max_completion_tokens":17 , "x":1})", 17},
      {R"({"max_output_tokens":0})", 0},
      {R"({"max_tokens":5,"max_completion_tokens":7,"max_output_tokens":6})", 7},
      {R"({"max_tokens":5,"max_tokens":3})", 5},
      {R"({"Max_Tokens":5})", 5},
      {R"({"max_tokens":1e3,"model":"a"})", 1000},
      {R"({"max_tokens":1.5,"model":"a"})", 2},
      {R"({"max_tokens":123456789012345678901234567890,"model":"a"})", endless},
      {R"({"max_tokens":18446744073709551615})", endless},
      {R"({"max_tokens":-1,"model":"a"})", {}},
      {R"({"max_tokens":"16","max_output_tokens":null,"max_completion_tokens":[9],"x":1})", {}},
      {R"({"max_tokens":{"max_tokens":9},"x":1})", {}},
      {R"({"generationConfig":{"temperature":1,"maxOutputTokens":800,"x":[1]},"y":2})", 800},
      {R"({"generation_config":{"max_output_tokens":801}})", 801},
      {R"({"generationConfig":[{"maxOutputTokens":800}],"max_tokens":1})", 1},
      {R"({"generationConfig":null})", {}},
      {R"({"options":{"num_ctx":9,"num_predict":42},"model":"a"})", 42},
      {R"({"options":{"num_predict":-2}})", {}},
      {R"({"options":{"x":{"num_predict":3}}})", {}},
      {R"({"x":{"max_tokens":3}})", {}},
  };
  for (const Case& c : cases) {
    const auto peek = peek_json(c.body);
    ASSERT_TRUE(peek) << c.body;
    EXPECT_EQ(peek->max_tokens, c.most) << c.body;
  }
  EXPECT_FALSE(peek_json(R"({"options":{"num_predict":1,})"));
  EXPECT_FALSE(peek_json(R"({"options":{num_predict:1}})"));
  EXPECT_TRUE(peek_json(R"({"max_tokens":1e999,"model":"a"})"));
}

using Names = std::vector<std::string>;

TEST(PeekJson, FindsFurtherModels) {
  struct Case {
    const char* body;
    Names more;
    std::optional<std::string> name;
    bool unclear;
    bool name_unclear = false;
  };
  const Case cases[] = {
      {R"({"model":"m"})", {}, {}, false},
      {R"({"models":["a","b\u0063"],"model":"m"})", {"a", "bc"}, {}, false},
      {R"({"models":"a","fallbacks":["b"]})", {"a", "b"}, {}, false},
      {R"({"fallbacks":"b","name":"n"})", {"b"}, "n", false},
      {R"({"models":[],"fallbacks":null,"name":null})", {}, {}, false},
      {R"({"models":[1,"a",["b"],{"c":1}],"x":1})", {"a"}, {}, true},
      {R"({"fallbacks":[{"model":"a"}],"x":1})", {}, {}, true},
      {R"({"models":{"a":1},"x":1})", {}, {}, true},
      {R"({"models":["a"],"models":["b"]})", {"a"}, {}, true},
      {R"({"name":"a","name":"b"})", {}, "a", false, true},
      {R"({"name":["a"],"x":1})", {}, {}, false, true},
      {R"({"Models":["a"],"x":1})", {}, {}, true},
      {R"({"NAME":"a"})", {}, {}, false, true},
      {"{\"model\xC5\xBF\":[\"a\"]}", {}, {}, true},
      {"{\"fallbac\xE2\x84\xAAS\":[\"a\"]}", {}, {}, true},
      {R"({"x":{"models":["a"],"name":"b"}})", {}, {}, false},
  };
  for (const Case& c : cases) {
    const auto peek = peek_json(c.body);
    ASSERT_TRUE(peek) << c.body;
    EXPECT_EQ(peek->more_models, c.more) << c.body;
    EXPECT_EQ(peek->name, c.name) << c.body;
    EXPECT_EQ(peek->more_models_unclear, c.unclear) << c.body;
    EXPECT_EQ(peek->name_unclear, c.name_unclear) << c.body;
  }
  EXPECT_FALSE(peek_json(R"({"models":["a")"));
  EXPECT_FALSE(peek_json(R"({"models":["a" "b"]})"));
}

TEST(PeekJson, ReadsWhetherAStreamIsToSayItsUsage) {
  struct Case {
    std::string body;
    std::optional<bool> include_usage;
  };
  for (const Case& c : std::vector<Case>{
           {R"({"stream_options":{"include_usage":true}})", true},
           {R"({"x":1,"stream_options":{"a":[{}],"include_usage" : false,"b":2},"y":1})", false},
           {R"({"stream_options":{"include\u005fusage":true}})", true},
           {R"({"stream\u005foptions":{"include_usage":true}})", true},
           {R"({"include_usage":true})", std::nullopt},
           {R"({"x":{"stream_options":{"include_usage":true}}})", std::nullopt},
           {R"({"stream_options":{"x":{"include_usage":true}}})", std::nullopt},
           {R"({"stream_options":{}})", std::nullopt},
           {R"({"stream_options":null})", std::nullopt},
           {R"({"stream_options":true})", std::nullopt},
           {R"({"stream_options":[{"include_usage":true}]})", std::nullopt},
           {R"({"stream_options":{"include_usage":null}})", std::nullopt},
           {R"({"stream_options":{"include_usage":1}})", std::nullopt},
           {R"({"stream_options":{"include_usage":"true"}})", std::nullopt},
           {R"({"stream_options":{"include_usage":true,"include_usage":true}})", std::nullopt},
           {R"({"stream_options":{"include_usage":true},"stream_options":{}})", std::nullopt},
           {R"({"stream_options":1,"stream_options":{"include_usage":true}})", std::nullopt},
           {R"({"stream_options":{"include_usage":true,"Include_Usage":false}})", std::nullopt},
           {R"({"Stream_Options":{"include_usage":true}})", std::nullopt},
       }) {
    const auto peek = peek_json(c.body);
    ASSERT_TRUE(peek) << c.body;
    EXPECT_EQ(peek->include_usage, c.include_usage) << c.body;
  }
  for (const std::string body :
       {R"({"stream_options":{"include_usage":tru}})", R"({"stream_options":{"include_usage":true)",
        R"({"stream_options":{"include_usage" true}})", R"({"stream_options":})"}) {
    EXPECT_FALSE(peek_json(body)) << body;
  }
}

TEST(PeekJson, BoundsTheNamesOfAList) {
  std::string body = R"({"models":["a")";
  for (int i = 1; i < 64; ++i) body += R"(,"a")";
  EXPECT_FALSE(peek_json(body + "]}")->more_models_unclear);
  const auto peek = peek_json(body + R"(,"a"]})");
  EXPECT_EQ(peek->more_models.size(), 64U);
  EXPECT_TRUE(peek->more_models_unclear);
}

std::string nested(std::size_t depth) {
  return "{\"x\":" + std::string(depth - 1, '[') + std::string(depth - 1, ']') +
         ",\"model\":\"a\"}";
}

TEST(PeekJson, BoundsTheDepth) {
  ASSERT_TRUE(peek_json(nested(1024)));
  EXPECT_EQ(peek_json(nested(1024))->model, "a");
  EXPECT_FALSE(peek_json(nested(1025)));
  EXPECT_FALSE(peek_json(nested(1'000'000)));
  EXPECT_FALSE(peek_json(std::string(1'000'000, '[')));
  EXPECT_FALSE(peek_json(std::string(1'000'000, '{')));
}

TEST(PeekJson, CountsNoBracketsInStringsNorSideBySide) {
  const std::string in_string = "{\"x\":\"" + std::string(5000, '[') + "\\\"{\",\"model\":\"a\"}";
  EXPECT_TRUE(peek_json(in_string));
  std::string side_by_side = "{\"x\":[0";
  for (int i = 0; i < 5000; ++i) side_by_side += ",[],{}";
  EXPECT_TRUE(peek_json(side_by_side + "],\"model\":\"a\"}"));
}

TEST(PeekJson, ReadsBodiesOfAllSizes) {
  for (const std::size_t size :
       {0U, 1U, 63U, 64U, 65U, 4096U, 262'100U, 262'144U, 3'000'000U, 10U}) {
    const std::string body = "{\"x\":\"" + std::string(size, 'y') + "\",\"model\":\"a\"}";
    const auto peek = peek_json(body);
    ASSERT_TRUE(peek) << size;
    EXPECT_EQ(body.substr(peek->model_offset, peek->model_length), "\"a\"");
  }
}

TEST(PeekJson, TakesEveryBeginningOfABody) {
  const std::string body =
      R"({"messages":[{"role":"user","content":"h\u00e9 \"you\""}],"stream":true,"model":"m","n":1})";
  for (std::size_t size = 0; size < body.size(); ++size) {
    EXPECT_FALSE(peek_json(body.substr(0, size))) << size;
  }
  EXPECT_TRUE(peek_json(body));
}

TEST(PeekJson, ReadsABodyWhereItLiesWhateverIsBehindIt) {
  const std::string body = R"({"max_tokens":12,"models":["a"],"stream":true,"model":"m"})";
  for (const char filler : {'\0', '9', '"', '}', ']', '\\', 'e', ' '}) {
    for (std::size_t size = 0; size < body.size(); ++size) {
      const std::string memory = body.substr(0, size) + std::string(kPeekSlack, filler);
      EXPECT_FALSE(peek_json(std::string_view(memory).substr(0, size), kPeekSlack)) << memory;
    }
    const std::string memory = body + std::string(kPeekSlack, filler);
    const auto peek = peek_json(std::string_view(memory).substr(0, body.size()), kPeekSlack);
    ASSERT_TRUE(peek) << memory;
    EXPECT_EQ(peek->model, "m");
    EXPECT_EQ(peek->max_tokens, 12U);
    EXPECT_EQ(body.substr(peek->model_offset, peek->model_length), "\"m\"");
  }
}

}  // namespace
}  // namespace aifd::protocol
