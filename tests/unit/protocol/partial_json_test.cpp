#include "partial_json.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "json_tape.hpp"
#include "record_json.hpp"

namespace aifd::protocol {
namespace {

TEST(CompletedJson, EndsWhatIsCut) {
  EXPECT_EQ(completed_json(R"({"a":"b)"), R"({"a":"b"})");
  EXPECT_EQ(completed_json(R"({"a":[{"b":"c\n\u00)"), R"({"a":[{"b":"c\n"}]})");
  EXPECT_EQ(completed_json("{\"a\":\"b\\"), R"({"a":"b"})");
  EXPECT_EQ(completed_json("{\"a\":\"h\xC3"), R"({"a":"h"})");
  EXPECT_EQ(completed_json(R"({"a":1,"b)"), R"({"a":1})");
  EXPECT_EQ(completed_json(R"({"a":1,"b":)"), R"({"a":1})");
  EXPECT_EQ(completed_json(R"({"a":12)"), "{}");
  EXPECT_EQ(completed_json(R"({"a":[1, 2)"), R"({"a":[1]})");
  EXPECT_EQ(completed_json(R"(["a","b)"), R"(["a","b"])");
  EXPECT_EQ(completed_json(R"("a)"), R"("a")");
  EXPECT_EQ(completed_json(R"({"a":{"b":[)"), R"({"a":{"b":[]}})");
  EXPECT_EQ(completed_json(R"({"a":1})"), R"({"a":1})");
  EXPECT_EQ(completed_json(""), "");
  EXPECT_EQ(completed_json("]"), "");
  EXPECT_EQ(completed_json(std::string(2000, '[')), "");
}

TEST(CompletedJson, IsJsonWhereverItIsCut) {
  const std::string text =
      "{\"a\":\"h\xC3\xA9\\\"\\\\\\u00e9\\ud83d\\ude00\" , \"b\" : [ 1.5e3, true,null, {}, [], "
      "{\"c\":\"}\"}],\"d\":{\"e\":\"]\"},\"f\":-0}";
  for (std::size_t i = 1; i <= text.size(); ++i) {
    const std::string whole = completed_json(text.substr(0, i));
    JsonTape tape;
    EXPECT_TRUE(tape.read(whole)) << text.substr(0, i) << " -> " << whole;
  }
}

std::string skimmed(std::string_view text, std::size_t piece) {
  ListSkimmer skimmer;
  std::string kept;
  for (std::size_t i = 0; i < text.size(); i += piece) skimmer.feed(text.substr(i, piece), kept);
  return kept;
}

TEST(ListSkimmer, LeavesOutLists) {
  const std::string text =
      R"({"o":"l[i]\"st\\","data":[{"x":"]\\\"","y":[1,[2]]},"\\",[]],"e":{"z":[1,2]},"f":[],"g":[3]})";
  const std::string left = R"({"o":"l[i]\"st\\","data":[],"e":{"z":[1,2]},"f":[],"g":[]})";
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    ASSERT_EQ(skimmed(text, piece), left) << piece;
  }
  EXPECT_EQ(skimmed(R"([{"error":{"message":"x"}}])", 100), R"([{"error":{"message":"x"}}])");
  EXPECT_EQ(skimmed("]]}}[\"", 1), "]]}}[\"");
}

TEST(RecordJson, WholeCharacters) {
  EXPECT_EQ(whole_characters(""), 0);
  EXPECT_EQ(whole_characters("a"), 1);
  EXPECT_EQ(whole_characters("a\xC3"), 1);
  EXPECT_EQ(whole_characters("a\xC3\xA9"), 3);
  EXPECT_EQ(whole_characters("a\xE2\x82"), 1);
  EXPECT_EQ(whole_characters("a\xF0\x9F\x98"), 1);
  EXPECT_EQ(whole_characters("a\xF0\x9F\x98\x80"), 5);
  EXPECT_EQ(whole_characters("\x80\x80\x80\x80"), 4);
}

TEST(JsonTape, GivesValuesAsTheyStand) {
  JsonTape tape;
  ASSERT_TRUE(
      tape.read(R"( {"a": [1, {"b":"c\n"}, []], "logprobs":{"x":[1]}, "n":12, "a" : null} )"));
  const JsonTape::Value root = tape.root();
  EXPECT_EQ(root.get("n").count(), 12);
  EXPECT_EQ(root.get("a").kind(), JsonKind::null);
  EXPECT_EQ(root.get("logprobs").text(), R"({"x":[1]})");
  EXPECT_FALSE(root.get("logprobs").get("x"));
  EXPECT_FALSE(root.get("b"));
  std::string keys;
  for (const JsonTape::Value member : root) keys.append(member.key()).append(";");
  EXPECT_EQ(keys, "a;logprobs;n;a;");
  std::string items;
  for (const JsonTape::Value item : *root.begin()) items.append(item.text()).append(";");
  EXPECT_EQ(items, R"(1;{"b":"c\n"};[];)");
  ASSERT_TRUE(tape.read("\"x\""));
  EXPECT_EQ(tape.root().string(), "x");
  EXPECT_FALSE(tape.read("{\"a\":1} x"));
  EXPECT_FALSE(tape.root());
  EXPECT_EQ(JsonTape::Value().string(), "");
  EXPECT_EQ(JsonTape::Value().count(), 0);
}

TEST(JsonTape, CountsAreWholeNumbers) {
  for (const std::string text :
       {"-1", "1.0", "1e3", "1000000000001", "99999999999999999999", "\"1\""}) {
    JsonTape tape;
    ASSERT_TRUE(tape.read(text));
    EXPECT_EQ(tape.root().count(), 0) << text;
  }
}

TEST(JsonTape, IsBounded) {
  JsonTape tape;
  std::string many = "[0";
  for (std::size_t i = 0; i < JsonTape::kMostValues; ++i) many += ",0";
  EXPECT_FALSE(tape.read(many + "]"));
  EXPECT_FALSE(tape.read(std::string(2000, '[') + std::string(2000, ']')));
  EXPECT_TRUE(tape.read(std::string(1000, '[') + std::string(1000, ']')));
}

}  // namespace
}  // namespace aifd::protocol
