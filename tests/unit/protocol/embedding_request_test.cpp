#include "aifd/protocol/embedding_request.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "random_json.hpp"

namespace aifd::protocol {
namespace {

using Json = nlohmann::json;
using Texts = std::vector<std::string>;

Texts texts_of(const EmbeddingRequest& request) {
  Texts texts;
  for (const EmbeddingInput& input : request.inputs) texts.push_back(input.text);
  return texts;
}

bool asks_same(const EmbeddingRequest& a, std::size_t i, const EmbeddingRequest& b, std::size_t j) {
  return a.rest == b.rest && a.inputs[i].text == b.inputs[j].text;
}

TEST(EmbeddingRequest, IsTakenApart) {
  struct Case {
    std::string body;
    Texts texts;
    std::vector<std::size_t> sizes;
  };
  const Case cases[] = {
      {R"({"input":"a"})", {R"("a")"}, {1}},
      {R"({"input":""})", {R"("")"}, {0}},
      {R"({"input":["a"]})", {R"("a")"}, {1}},
      {R"({"input":["a","b\u0063","a"]})", {R"("a")", R"("bc")", R"("a")"}, {1, 2, 1}},
      {R"({"input":[1,2,3]})", {"[1,2,3]"}, {3}},
      {R"({"input":[ 1 ,2,
 3 ]})",
       {"[1,2,3]"},
       {3}},
      {R"({"input":[[1,2],[30]]})", {"[1,2]", "[30]"}, {2, 1}},
      {R"({"input":"[1,2,3]"})", {R"("[1,2,3]")"}, {7}},
      {R"({"input":["[1]","1"]})", {R"("[1]")", R"("1")"}, {3, 1}},
      {R"({"\u0069nput":"a","x":{"input":["b"]}})", {R"("a")"}, {1}},
      {R"({"x":["input",{"encoding_format":1}],"input":"\ud83d\ude00\/\n\""})",
       {"\"\xF0\x9F\x98\x80/\\u000A\\\"\""},
       {13}},
  };
  for (const Case& c : cases) {
    const auto request = read_embedding_request(c.body);
    ASSERT_TRUE(request) << c.body;
    EXPECT_EQ(texts_of(*request), c.texts) << c.body;
    for (std::size_t i = 0; i < c.sizes.size(); ++i) {
      EXPECT_EQ(request->inputs[i].size, c.sizes[i]) << c.body;
    }
  }
}

TEST(EmbeddingRequest, IsLeftAloneWhereItIsNotUnderstood) {
  const std::string bodies[] = {
      "", "[]", "{}", "{", R"({"input":"a")", R"({"input":"a"}x)", R"({"input":"a",})",
      // inputs
      R"({"model":"m"})", R"({"input":null})", R"({"input":1})", R"({"input":true})",
      R"({"input":{}})", R"({"input":{"text":"a"}})", R"({"input":[]})", R"({"input":[[]]})",
      R"({"input":[null]})", R"({"input":["a",null]})", R"({"input":["a",1]})",
      R"({"input":[1,"a"]})", R"({"input":["a",[1]]})", R"({"input":[[1],"a"]})",
      R"({"input":[1,[1]]})", R"({"input":[[1],1]})", R"({"input":[[1],[]]})",
      R"({"input":[["a"]]})", R"({"input":[[[1]]]})", R"({"input":[{"text":"a"}]})",
      R"({"input":[1.0]})", R"({"input":[1e2]})", R"({"input":[-1]})", R"({"input":[[1,-0]]})",
      R"({"input":"a","input":"b"})", R"({"input":"a","\u0069nput":"a"})",
      R"({"input":"a","Input":"b"})", R"({"INPUT":"a"})", R"({"input":"\ud800"})",
      "{\"input\":\"\xFF\"}", R"({"input":"a","x":{"b":1,"b":2}})",
      // encodings
      R"({"input":"a","encoding_format":null})", R"({"input":"a","encoding_format":"Float"})",
      R"({"input":"a","encoding_format":"int8"})", R"({"input":"a","encoding_format":["float"]})",
      R"({"input":"a","encoding_format":""})", R"({"input":"a","encoding_Format":"float"})",
      R"({"input":"a","encoding_format":"float","encoding_format":"float"})"};
  for (const std::string& body : bodies) EXPECT_FALSE(read_embedding_request(body)) << body;
  const std::string deep = R"({"input":)" + std::string(1'000'000, '[');
  EXPECT_FALSE(read_embedding_request(deep));
}

TEST(EmbeddingRequest, BoundsTheInputs) {
  const auto body = [](std::size_t count) { return Json{{"input", Texts(count, "a")}}.dump(); };
  const auto request = read_embedding_request(body(4096));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->inputs.size(), 4096U);
  EXPECT_FALSE(read_embedding_request(body(4097)));
  const auto tokens = read_embedding_request(Json{{"input", std::vector<int>(10'000, 7)}}.dump());
  ASSERT_TRUE(tokens);
  EXPECT_EQ(tokens->inputs.size(), 1U);
}

TEST(EmbeddingRequest, SaysTheEncoding) {
  using enum EmbeddingEncoding;
  EXPECT_EQ(read_embedding_request(R"({"input":"a"})")->encoding, floats);
  EXPECT_EQ(read_embedding_request(R"({"encoding_format":"float","input":"a"})")->encoding, floats);
  EXPECT_EQ(read_embedding_request(R"({"input":"a","encoding_format":"base64"})")->encoding,
            base64);
  EXPECT_EQ(
      read_embedding_request(R"({"input":"a","encoding\u005fformat":"b\u0061se64"})")->encoding,
      base64);
}

TEST(EmbeddingRequest, HasOneKeyForOneMeaning) {
  struct Case {
    std::string a;
    std::string b;
    bool are_equal;
  };
  const Case cases[] = {
      {R"({"input":"a","model":"m"})", R"({"model":"m","input":"a"})", true},
      {R"({"input":"a","model":"m"})", R"({ "input":["\u0061"],"model":"m"})", true},
      {R"({"input":"a","model":"m"})", R"({"input":"a","model":"m","user":"u"})", true},
      {R"({"input":"a","model":"m"})", R"({"input":"a","model":"m","caching":true})", true},
      {R"({"input":"a","encoding_format":"float"})", R"({"input":"a"})", true},
      {R"({"input":"a","encoding_format":"float"})", R"({"input":"a","encoding_format":"base64"})",
       true},
      {R"({"input":[1, 2],"dimensions":2.56e2})", R"({"input":[[1,2]],"dimensions":256})", true},
      {R"({"input":"a","model":"m"})", R"({"input":"a","model":"n"})", false},
      {R"({"input":"a","model":"m"})", R"({"input":"b","model":"m"})", false},
      {R"({"input":"a"})", R"({"input":"a","dimensions":256})", false},
      {R"({"input":"a"})", R"({"input":"a "})", false},
      {R"({"input":"[1,2]"})", R"({"input":[1,2]})", false},
      {R"({"input":"1"})", R"({"input":[1]})", false},
      {R"({"input":[1,2]})", R"({"input":[12]})", false},
      {R"({"input":"\u00e9"})", R"({"input":"e\u0301"})", false},
  };
  for (const Case& c : cases) {
    const auto a = read_embedding_request(c.a);
    const auto b = read_embedding_request(c.b);
    ASSERT_TRUE(a && b) << c.a << c.b;
    EXPECT_EQ(asks_same(*a, 0, *b, 0), c.are_equal) << c.a << c.b;
  }
  const auto request = read_embedding_request(R"({"input":["a","b","a"],"user":"u","model":"m"})");
  EXPECT_EQ(request->rest, R"({"model":"m"})");
  EXPECT_EQ(request->inputs[0].text, R"("a")");
  EXPECT_TRUE(asks_same(*request, 0, *request, 2));
  EXPECT_FALSE(asks_same(*request, 0, *request, 1));
}

TEST(EmbeddingRequest, IsWrittenWithSomeOfItsInputs) {
  struct Case {
    std::string body;
    std::vector<std::size_t> kept;
    std::string shorter;
  };
  const std::string spaced =
      "{ \"model\": \"m\",\n  \"input\" : [\n    \"a\",\n    \"b\" ,\"c\"\n  ]\n}";
  const Case cases[] = {
      {R"({"input":"a","n":1.0})", {0}, R"({"input":"a","n":1.0})"},
      {R"({"input":["a"]})", {0}, R"({"input":["a"]})"},
      {R"({"input":[1,2]})", {0}, R"({"input":[1,2]})"},
      {R"({"input":["a","b","c"]})", {0}, R"({"input":["a"]})"},
      {R"({"input":["a","b","c"]})", {1}, R"({"input":["b"]})"},
      {R"({"input":["a","b","c"]})", {2}, R"({"input":["c"]})"},
      {R"({"input":["a","b","c"]})", {0, 2}, R"({"input":["a","c"]})"},
      {R"({"input":["a","b","c"]})", {1, 2}, R"({"input":["b","c"]})"},
      {R"({"input":["a","b","c"]})", {0, 1, 2}, R"({"input":["a","b","c"]})"},
      {R"({"input":["\u0061,\"","]"],"x":[1e5]})", {0}, R"({"input":["\u0061,\""],"x":[1e5]})"},
      {R"({"input":[[1,2],[3],[4]]})", {0, 2}, R"({"input":[[1,2],[4]]})"},
      {spaced, {0, 1, 2}, spaced},
      {spaced, {1}, "{ \"model\": \"m\",\n  \"input\" : [\n    \"b\"\n  ]\n}"},
      {spaced, {1, 2}, "{ \"model\": \"m\",\n  \"input\" : [\n    \"b\" ,\"c\"\n  ]\n}"},
  };
  for (const Case& c : cases) {
    const auto request = read_embedding_request(c.body);
    ASSERT_TRUE(request) << c.body;
    EXPECT_EQ(with_inputs(c.body, *request, c.kept), c.shorter);
  }
}

Json random_inputs(RandomJson& random, std::size_t count) {
  Json inputs = Json::array();
  const bool are_tokens = random.below(2) == 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (are_tokens) {
      Json tokens = Json::array();
      for (std::size_t n = 1 + random.below(4); n > 0; --n) tokens.push_back(random.below(5));
      inputs.push_back(tokens);
    } else {
      inputs.push_back(std::string(random.below(3), 'a') + "\"\\\n"[random.below(3)]);
    }
  }
  return inputs;
}

// Tokens are not written in many ways: "1.0" is not understood.
TEST(EmbeddingRequest, KeepsAnyInputsOfAnyBody) {
  RandomJson random(11);
  for (int round = 0; round < 5000; ++round) {
    Json body = random.object(3);
    const std::size_t count = 1 + random.below(6);
    body["input"] = random_inputs(random, count);
    const bool is_text = body["input"][0].is_string();
    const std::string written = is_text ? random.written(body) : body.dump(2);
    const auto request = read_embedding_request(written);
    ASSERT_TRUE(request) << written;
    ASSERT_EQ(request->inputs.size(), count);
    for (std::size_t i = 0; i < count; ++i) {
      const EmbeddingInput& input = request->inputs[i];
      ASSERT_EQ(Json::parse(input.text), body["input"][i]) << written;
      ASSERT_EQ(Json::parse(written.substr(input.offset, input.length)), body["input"][i]);
      for (std::size_t j = 0; j < count; ++j) {
        ASSERT_EQ(asks_same(*request, i, *request, j), body["input"][i] == body["input"][j]);
      }
    }
    std::vector<std::size_t> kept;
    Json expected = body;
    expected["input"] = Json::array();
    for (std::size_t i = 0; i < count; ++i) {
      if (random.below(2) == 0 && !(kept.empty() && i + 1 == count)) continue;
      kept.push_back(i);
      expected["input"].push_back(body["input"][i]);
    }
    const std::string shorter = with_inputs(written, *request, kept);
    ASSERT_EQ(Json::parse(shorter, nullptr, false), expected) << written;
    const auto again = read_embedding_request(shorter);
    ASSERT_TRUE(again) << shorter;
    ASSERT_EQ(again->rest, request->rest);
    ASSERT_TRUE(asks_same(*again, 0, *request, kept.front()));
  }
}

TEST(EmbeddingRequest, SurvivesDamage) {
  const std::string whole =
      R"({"model":"m","input":[[1,20],[3],[1,20]],"encoding_format":"base64","x":{"y":[]}})";
  const std::string_view pieces[] = {"\"", ",", "[",  "]",     "{",     "}",    ":",
                                     "1",  "-", "\\", "\"a\"", "input", "\xFF", "null"};
  std::mt19937 random(3);
  std::size_t understood = 0;
  for (int round = 0; round < 60'000; ++round) {
    std::string body = round % 2 == 0 ? R"({"input":["a","b","c\u0064"],"n":[1,2]})" : whole;
    for (std::size_t n = 1 + random() % 3; n > 0; --n) {
      const std::size_t at = random() % body.size();
      if (random() % 2 == 0) body.erase(at, 1 + random() % 6);
      body.insert(std::min(at, body.size()), pieces[random() % std::size(pieces)]);
    }
    const auto request = read_embedding_request(body);
    if (!request) continue;
    ++understood;
    ASSERT_TRUE(Json::accept(body)) << body;
    const std::size_t kept[] = {random() % request->inputs.size()};
    const std::string shorter = with_inputs(body, *request, kept);
    const Json input = Json::parse(shorter)["input"];
    const Json found = Json::parse(request->inputs[kept[0]].text);
    ASSERT_TRUE(input == found || input == Json::array({found})) << body << shorter;
  }
  EXPECT_GT(understood, 500U);
}

}  // namespace
}  // namespace aifd::protocol
