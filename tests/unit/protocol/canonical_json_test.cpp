#include "aifd/protocol/canonical_json.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "random_json.hpp"

namespace aifd::protocol {
namespace {

using nlohmann::json;

std::optional<std::string> canonical(std::string_view body) {
  return canonical_json(body, kFieldsOutsideCacheKey);
}

TEST(CanonicalJson, IsTheFormThatIsDocumented) {
  struct Case {
    std::string body;
    std::string form;
  };
  const Case cases[] = {
      {"{}", "{}"},
      {" \r\n\t{ } \n", "{}"},
      {R"({"b":1,"a":2})", R"({"a":2,"b":1})"},
      {R"({"b":{"d":[1,{"f":[],"e":{}}],"c":2},"a":[[],[{}],{"y":1,"x":2},3]})",
       R"({"a":[[],[{}],{"x":2,"y":1},3],"b":{"c":2,"d":[1,{"e":{},"f":[]}]}})"},
      {R"({"a":["[","]",",","{"],"":null})", R"({"":null,"a":["[","]",",","{"]})"},
      {R"({"a":"\u0061\/\"\\\b\f\n\r\t\u0000\u001f\u007f"})",
       "{\"a\":\"a/\\\"\\\\\\u0008\\u000C\\u000A\\u000D\\u0009\\u0000\\u001F\x7F\"}"},
      {R"({"\u00e9":"\u20AC\ud83d\uDE00\ufffe"})",
       "{\"\xC3\xA9\":\"\xE2\x82\xAC\xF0\x9F\x98\x80\xEF\xBF\xBE\"}"},
      {R"({"\udbff\udfff":"\ud800\udc00\u07ff\u0800"})",
       "{\"\xF4\x8F\xBF\xBF\":\"\xF0\x90\x80\x80\xDF\xBF\xE0\xA0\x80\"}"},
      {R"({"n":[true,false,null]})", R"({"n":[true,false,null]})"},
      {R"({"stream":true,"m":1,"user":{"a":[1,{"z":1,"y":2}]},"caching":false,"stream_options":{}})",
       R"({"m":1})"},
      {R"({"str\u0065am":true,"caching":1})", "{}"},
      {R"({"a":{"stream":true,"user":"u"}})", R"({"a":{"stream":true,"user":"u"}})"},
      {R"({"Stream":true,"use":1,"users":2,"user ":3})",
       R"({"Stream":true,"use":1,"user ":3,"users":2})"},
  };
  for (const Case& c : cases) EXPECT_EQ(canonical(c.body), c.form) << c.body;
}

TEST(CanonicalJson, HasOneFormForEachNumber) {
  struct Case {
    std::string number;
    std::string form;
  };
  const Case cases[] = {
      {"0", "0"},
      {"0.0", "0"},
      {"0e7", "0"},
      {"0.00E-3", "0"},
      {"-0", "-0"},
      {"-0.0", "-0"},
      {"1", "1"},
      {"1.0", "1"},
      {"100e-2", "1"},
      {"-7", "-7"},
      {"-7.000", "-7"},
      {"10", "1e1"},
      {"1e1", "1e1"},
      {"100", "1e2"},
      {"1E+2", "1e2"},
      {"1e02", "1e2"},
      {"0.1", "1e-1"},
      {"0.10", "1e-1"},
      {"1e-1", "1e-1"},
      {"0.7", "7e-1"},
      {"1.5", "15e-1"},
      {"1.50e3", "15e2"},
      {"0.0015e3", "15e-1"},
      {"1e999", "1e999"},
      {"1e-999", "1e-999"},
      {"1e999999999", "1e999999999"},
      {"1e0000000000000000000000999999999", "1e999999999"},
      {"12345678901234567890123", "12345678901234567890123"},
      {"12345678901234567890124", "12345678901234567890124"},
      {"12345678901234567890123.0", "12345678901234567890123"},
      {"0.10000000000000000555", "10000000000000000555e-20"},
      {"9007199254740993", "9007199254740993"},
      {"1" + std::string(1000, '0'), "1e1000"},
      {"1" + std::string(1000, '0') + "1", "1" + std::string(1000, '0') + "1"},
      {"0." + std::string(1000, '0') + "1", "1e-1001"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(canonical("{\"n\":" + c.number + "}"), "{\"n\":" + c.form + "}") << c.number;
    EXPECT_EQ(canonical("{\"n\":" + c.form + "}"), "{\"n\":" + c.form + "}") << c.form;
  }
  EXPECT_EQ(canonical(R"({"n":10e999999999})"), R"({"n":1e1000000000})");
  EXPECT_FALSE(canonical(R"({"n":1e1000000000})"));
  EXPECT_FALSE(canonical(R"({"n":1e-99999999999999999999999999})"));
}

TEST(CanonicalJson, ThereIsNoneWhereReadersMayDiffer) {
  const std::string bodies[] = {
      "",
      "null",
      "[]",
      "[{}]",
      "5",
      "\"a\"",
      "{",
      R"({"a":1,})",
      R"({"a":01})",
      R"({"a":NaN})",
      R"({"a":1}{})",
      R"({"a":1,"a":1})",
      R"({"a":1,"a":2})",
      R"({"a":1,"b":2,"\u0061":3})",
      R"({"x":[1,{"y":{"a":1,"b":2,"a":3}}]})",
      R"({"stream":true,"stream":false})",
      R"({"stream":true,"str\u0065am":true})",
      R"({"user":{"a":1,"a":2}})",
      R"({"a":"\ud800"})",
      R"({"a":"\udc00\ud800"})",
      R"({"\udfff":1})",
      "{\"a\":\"\xFF\"}",
      "{\"a\":\"\xED\xA0\x80\"}",
      "\xEF\xBB\xBF{}",
  };
  for (const std::string& body : bodies) EXPECT_FALSE(canonical(body)) << body;
}

TEST(CanonicalJson, LeavesOutWhatItIsTold) {
  const std::string body = R"({"stream":true,"a":1,"b":2})";
  EXPECT_EQ(canonical_json(body, {}), R"({"a":1,"b":2,"stream":true})");
  const std::array<std::string_view, 2> names{"b", "a"};
  EXPECT_EQ(canonical_json(body, names), R"({"stream":true})");
}

TEST(CanonicalJson, BoundsDepthObjectsAndMembers) {
  const auto nested = [](std::size_t depth) {
    std::string body;
    for (std::size_t i = 0; i < depth; ++i) body += R"({"b":0,"a":)";
    body += "1";
    return body + std::string(depth, '}');
  };
  EXPECT_TRUE(canonical(nested(1024)));
  EXPECT_FALSE(canonical(nested(1025)));
  EXPECT_FALSE(canonical(R"({"a":)" + std::string(2'000'000, '[')));

  std::string objects = R"({"a":[0)";
  for (int i = 0; i < (1 << 20) - 1; ++i) objects += ",{}";
  EXPECT_TRUE(canonical(objects + "]}"));
  EXPECT_FALSE(canonical(objects + ",{}]}"));

  std::string members = "{\"x\":0";
  for (int i = 0; i < (1 << 20) - 1; ++i) members += ",\"" + std::to_string(i) + "\":0";
  EXPECT_TRUE(canonical(members + "}"));
  EXPECT_FALSE(canonical(members + ",\"y\":0}"));
}

TEST(CanonicalJson, SortsEveryLevelAroundALargeText) {
  std::string body;
  std::string expected;
  for (int i = 0; i < 1024; ++i) {
    body += R"({"b":0,"a":)";
    expected += R"({"A":1,"a":)";
  }
  const std::string large = "\"" + std::string(std::size_t{1} << 20, 'x') + "\"";
  body += large;
  expected += large;
  for (int i = 0; i < 1024; ++i) {
    body += R"(,"A":1})";
    expected += R"(,"b":0})";
  }
  EXPECT_TRUE(canonical(body) == expected);
}

// All leaves of a value, each to be changed in its place.
void find_leaves(json& value, std::vector<json*>& leaves) {
  if (value.is_structured() && !value.empty()) {
    for (json& inner : value) find_leaves(inner, leaves);
  } else {
    leaves.push_back(&value);
  }
}

json another(const json& leaf) {
  if (leaf.is_string()) return leaf.get<std::string>() + "x";
  if (leaf.is_number_float()) return leaf.get<double>() + 0.125;
  if (leaf.is_number()) return leaf.get<std::int64_t>() + 1;
  if (leaf.is_boolean()) return !leaf.get<bool>();
  if (leaf.is_null()) return "null";
  return leaf.is_array() ? json::object() : json::array();
}

TEST(CanonicalJson, IsTheSameHoweverTheObjectIsWritten) {
  RandomJson random(2);
  for (int i = 0; i < 3000; ++i) {
    const json object = random.object(5);
    const auto form = canonical_json(object.dump(), {});
    ASSERT_TRUE(form) << object;
    EXPECT_EQ(json::parse(*form), object);
    EXPECT_EQ(canonical_json(*form, {}), form);
    for (int j = 0; j < 4; ++j) {
      const std::string written = random.written(object);
      ASSERT_EQ(canonical_json(written, {}), form) << written;
    }
  }
}

TEST(CanonicalJson, DiffersWhereAnyLeafDoes) {
  RandomJson random(3);
  for (int i = 0; i < 1000; ++i) {
    json object = random.object(5);
    const auto form = canonical_json(object.dump(), {});
    std::vector<json*> leaves;
    find_leaves(object, leaves);
    for (json* leaf : leaves) {
      if (leaf == &object) continue;
      const json before = *leaf;
      *leaf = another(before);
      ASSERT_NE(canonical_json(random.written(object), {}), form) << object;
      *leaf = before;
    }
  }
}

TEST(CanonicalJson, DiffersWhereANameDoesOrAnElementMoved) {
  RandomJson random(4);
  for (int i = 0; i < 1000; ++i) {
    json object = random.object(4);
    const auto form = canonical_json(object.dump(), {});
    for (const auto& [name, value] : object.items()) {
      json other = object;
      other.erase(name);
      EXPECT_NE(canonical_json(random.written(other), {}), form);
      other[name + "x"] = value;
      EXPECT_NE(canonical_json(random.written(other), {}) == form, other != object);
      if (!value.is_array() || value.size() < 2 || value.front() == value.back()) continue;
      other = object;
      std::swap(other[name].front(), other[name].back());
      EXPECT_NE(canonical_json(random.written(other), {}), form);
    }
  }
}

}  // namespace
}  // namespace aifd::protocol
