#include "json_text.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace aifd::protocol {
namespace {

TEST(JsonText, DropsTheSpaceBetweenTokensOnly) {
  EXPECT_EQ(
      compact_json(" {\n\"a b\" :\t[ 1.0 , -0e+5, true,null ,{ } , [ ] ],\r\"\":\" \\\" \"} "),
      R"({"a b":[1.0,-0e+5,true,null,{},[]],"":" \" "})");
  EXPECT_EQ(compact_json(" 7 "), "7");
}

TEST(JsonText, RefusesWhatIsNoJson) {
  for (const std::string_view text : {"",
                                      " ",
                                      "{",
                                      "}",
                                      "[1,]",
                                      "[,1]",
                                      "[1 2]",
                                      "{\"a\"}",
                                      "{\"a\":}",
                                      "{\"a\":1,}",
                                      "{1:2}",
                                      "{a:1}",
                                      "[1}",
                                      "{\"a\":1]",
                                      "01",
                                      "-",
                                      "1.",
                                      ".5",
                                      "1e",
                                      "+1",
                                      "0x1",
                                      "tru",
                                      "nul",
                                      "NaN",
                                      "\"",
                                      "\"\\\"",
                                      "\"\\x\"",
                                      "\"\\u12g4\"",
                                      "\"\\u12\"",
                                      "\"\n\"",
                                      "\"\t\"",
                                      "1 1",
                                      "[] []",
                                      "\"\xff\"",
                                      "\"\xed\xa0\x80\"",
                                      "\xEF\xBB\xBF{}",
                                      "[\"a\":1]",
                                      "truefalse",
                                      "[1"}) {
    EXPECT_FALSE(compact_json(text)) << text;
  }
  EXPECT_FALSE(compact_json(std::string_view("\0", 1)));
  EXPECT_FALSE(compact_json(std::string_view("[1]\0", 4)));
}

TEST(JsonText, KeepsHalvesOfSurrogatePairs) {
  for (const std::string text : {R"(["\ud83d"])", R"({"\ude00":"\ude00\ud83dx"})", R"("\ud83d\n")",
                                 R"("\ud83d\ude00")", R"("\ud83d\u0041")"}) {
    EXPECT_EQ(compact_json(text), text);
  }
  EXPECT_FALSE(compact_json(R"("\ud83d\u")"));
  EXPECT_FALSE(compact_json(R"("\ud83")"));
}

TEST(JsonText, TakesBracketsInStringsForText) {
  const std::string text = R"([":","{",["["],{"{":"[",":":{}},[],[[]]])";
  EXPECT_EQ(compact_json(text), text);
}

TEST(JsonText, BoundsTheDepth) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_TRUE(compact_json(nested(512)));
  EXPECT_TRUE(compact_json("[" + nested(511) + "," + nested(511) + "]"));
  EXPECT_FALSE(compact_json(nested(513)));
  EXPECT_FALSE(compact_json(nested(514)));
  EXPECT_FALSE(compact_json(nested(2'000'000)));
}

// Every text with one byte changed, taken out or doubled is JSON here where it is to nlohmann.
TEST(JsonText, AgreesWithAnotherReader) {
  const std::string text =
      R"({"a":[1,-2.5e+3,0.1,true,false,null],"b":{"c":"x\n\u00e9\\","d":{}},"e":[[],[""]]} )";
  const std::string_view replacements = "\"\\{}[],:0-.e+tn u\n\x01\xff";
  const auto check = [](const std::string& changed) {
    const auto compact = compact_json(changed);
    ASSERT_EQ(compact.has_value(), nlohmann::json::accept(changed)) << changed;
    if (!compact) return;
    EXPECT_EQ(nlohmann::json::parse(*compact), nlohmann::json::parse(changed));
  };
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const char c : replacements) {
      std::string changed = text;
      changed[at] = c;
      check(changed);
      changed = text;
      check(changed.insert(at, 1, c));
    }
    std::string shorter = text;
    check(shorter.erase(at, 1));
    check(text.substr(0, at));
  }
}

TEST(JsonText, GoesThroughItems) {
  JsonItems items(R"({"a":"},\"","b":[1,{"]":2}],"c":-1.0,"d":{}})");
  std::string seen;
  for (JsonItem item; items.next(item);)
    seen.append(item.key).append("=").append(item.value) += ';';
  EXPECT_EQ(seen, R"(a="},\"";b=[1,{"]":2}];c=-1.0;d={};)");
  JsonItem item;
  EXPECT_FALSE(JsonItems("[]").next(item));
  EXPECT_FALSE(JsonItems("{}").next(item));
  EXPECT_FALSE(JsonItems("\"a\"").next(item));
  EXPECT_FALSE(JsonItems("").next(item));
}

TEST(JsonText, ReadsPlainObjectsOnly) {
  const auto object = JsonObject::read(R"({"a":1,"b":null})");
  ASSERT_TRUE(object);
  EXPECT_EQ(object->get("b"), "null");
  EXPECT_EQ(object->get("c"), "");
  EXPECT_FALSE(JsonObject::read(R"({"a":1,"a":2})"));
  EXPECT_FALSE(JsonObject::read(R"({"\u0061":1})"));
  EXPECT_FALSE(JsonObject::read("[]"));
  EXPECT_FALSE(JsonObject::read(""));
}

}  // namespace
}  // namespace aifd::protocol
