#include "json_tape.hpp"

#include <gtest/gtest.h>

#include <string>

#include "random_json.hpp"

namespace aifd::protocol {
namespace {

// All that a tape says of a value, with where each part stands.
void describe(const JsonTape::Value& value, const std::string& text, std::string& out) {
  out += std::to_string(static_cast<int>(value.kind())) + " " + std::string(value.key()) + " " +
         std::to_string(value.text().data() - text.data()) + " " + std::string(value.text()) + "\n";
  for (const JsonTape::Value item : value) describe(item, text, out);
}

std::string described(const JsonTape& tape, const std::string& text) {
  std::string out;
  describe(tape.root(), text, out);
  return out;
}

// Whatever was read before, a text is read as if it were the first.
void expect_same(JsonTape& tape, const std::string& text) {
  JsonTape fresh;
  const bool is_json = fresh.read(text);
  ASSERT_EQ(tape.read_next(text), is_json) << text;
  EXPECT_EQ(described(tape, text), described(fresh, text)) << text;
}

TEST(JsonTape, ReadsTextsThatAreAlikeAsItReadsOthers) {
  const std::string texts[] = {
      R"({"a":"x","b":[{"c":"token","d":null},{},[]],"e":1})",
      R"({"a":"","b":[{"c":"a \"longer\" one","d":true},{},[]],"e":-1.5e3})",
      R"({"a":"xyz","b":[{"c":"tok","d":null},{},[]],"e":1})",
      R"({"a":"xyz","b":[{"c":"toke","d":null},{},[]],"e":""})",
      R"({"a":12,"b":[{"c":null,"d":"x"},{},[]],"e":"y"})",
      R"({"a":"x","b":[{"c":"token","d":null},{},[]],"e":1} )",
      R"({"a":"x","b":[{"c":"token","d":null},{},[]],"e":01})",
      R"({"a":"x","b":[{"c":"token","d":null},{},[]],"e":})",
      R"({"a":"x","b":[{"c":"token","d":nul},{},[]],"e":1})",
      R"({"a":"x","b":[{"c":"token","d":[1]},{},[]],"e":1})",
      R"({"a":"x,"b":[{"c":"token","d":null},{},[]],"e":1})",
      R"({"a":"x","b":[{"c":"tok\en","d":null},{},[]],"e":1})",
      R"({"a":"x","B":[{"c":"token","d":null},{},[]],"e":1})",
      R"({"a":"x","b":[{"c":"token","d":null},{},[]],"e":1,"f":2})",
      R"({"a":"x","b":[{"c":"token","d":null},{},[]],"e":1)",
      R"({"\u0061":"x","b":1})",
      R"({"\u0061":"yy","b":2})",
      R"({"a":"\ud83d","logprobs":[1,{"x":2}],"z":1})",
      R"({"a":"\ud83d!","logprobs":[1,{"x":2}],"z":""})",
      R"({"a":"\ud83d","logprobs":[1,{"x":3}],"z":1})",
      "{\"a\":\"\xFF\",\"logprobs\":[1,{\"x\":3}],\"z\":1}",
      "\"x\"",
      "12",
      "true",
      "[]",
      "",
      R"({"a":")" + std::string(5000, 'x') + R"("})",
      R"({"a":"y"})"};
  for (const std::string& before : texts) {
    for (const std::string& text : texts) {
      JsonTape tape;
      for (int times = 0; times < 3; ++times) {
        expect_same(tape, before);
        expect_same(tape, text);
      }
    }
  }
}

TEST(JsonTape, ReadsDamagedTextsThatAreAlike) {
  RandomJson random(3);
  const std::string bytes = "{}[]\",:\\u0dD8eE+-.1 \n\xC3\xA9";
  for (int i = 0; i < 2'000; ++i) {
    const std::string pattern = random.written(random.object(4));
    JsonTape tape;
    for (int next = 0; next < 10; ++next) {
      std::string text = pattern;
      for (std::size_t damage = random.below(3); damage > 0; --damage) {
        const std::size_t at = random.below(text.size());
        const char byte = bytes[random.below(bytes.size())];
        random.below(2) == 0 ? void(text[at] = byte) : void(text.insert(at, 1, byte));
      }
      expect_same(tape, text);
    }
  }
}

}  // namespace
}  // namespace aifd::protocol
