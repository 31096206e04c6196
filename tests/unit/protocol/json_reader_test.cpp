#include "json_reader.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "random_json.hpp"

namespace aifd::protocol {
namespace {

using Kind = JsonReader::Kind;
using nlohmann::json;
using std::string_literals::operator""s;

bool is_valid(std::string_view text) {
  JsonReader reader(text);
  while (true) {
    const Kind kind = reader.next().kind;
    if (kind == Kind::end) return true;
    if (kind == Kind::invalid) {
      EXPECT_EQ(reader.next().kind, Kind::invalid);
      return false;
    }
  }
}

TEST(JsonReader, GivesTheTokensAsTheyStand) {
  const std::string text = " {\"a\" : [1.50, \"x\\n\",{}] ,\"b\":true}\r\n";
  struct Expected {
    Kind kind;
    std::string text;
    std::size_t depth;
    bool has_escapes = false;
  };
  const Expected expected[] = {
      {Kind::begin_object, "{", 1},
      {Kind::name, "\"a\"", 1},
      {Kind::begin_array, "[", 2},
      {Kind::number, "1.50", 2},
      {Kind::string, "\"x\\n\"", 2, true},
      {Kind::begin_object, "{", 3},
      {Kind::end_object, "}", 2},
      {Kind::end_array, "]", 1},
      {Kind::name, "\"b\"", 1},
      {Kind::literal, "true", 1},
      {Kind::end_object, "}", 0},
      {Kind::end, "", 0},
  };
  JsonReader reader(text);
  for (const Expected& e : expected) {
    const JsonReader::Token token = reader.next();
    EXPECT_EQ(token.kind, e.kind) << e.text;
    EXPECT_EQ(token.text, e.text);
    EXPECT_EQ(reader.depth(), e.depth) << e.text;
    EXPECT_EQ(token.has_escapes, e.has_escapes) << e.text;
  }
}

TEST(JsonReader, TakesWhatIsJson) {
  const std::string valid[] = {
      "{}",
      "[]",
      "0",
      "-0",
      "-0.0e-0",
      "1E+5",
      "10",
      "null",
      " true\t",
      "\"\"",
      "[[],{}]",
      "1e999",
      "\"\x7F\"",
      "\"\xEF\xBF\xBF\"",
      R"("\"\\\/\b\f\n\r\t\u0000\uFFFF")",
      R"("\ud83D\uDE00")",
      "123456789012345678901234567890.5",
      R"({"":{"":[null,false]}})",
      "\"\xF0\x9F\x98\x80\"",
      R"("\ud800\udc00\udbff\udfff")",
  };
  for (const std::string& text : valid) EXPECT_TRUE(is_valid(text)) << text;
}

TEST(JsonReader, RefusesWhatIsNot) {
  const std::string invalid[] = {
      "",
      " ",
      "{",
      "}",
      "[",
      "]",
      "[1",
      "[1,",
      "[1,]",
      "[,1]",
      "{,}",
      "[1 2]",
      "[1]]",
      "{}{}",
      "01",
      "+1",
      "-",
      ".5",
      "5.",
      "1e",
      "1e+",
      "--1",
      "1.2.3",
      "0x1",
      "1_0",
      "NaN",
      "Infinity",
      "tru",
      "truex",
      "True",
      "nul",
      "nulll",
      "'a'",
      "\"a",
      "\"",
      "\"\\\"",
      "\"\\x\"",
      "\"\\u12\"",
      "\"\\u12g4\"",
      "\"\\U0041\"",
      "\"\\",
      "\"\\u",
      "\"a\nb\"",
      "\"a\tb\"",
      "\"\x1F\"",
      "\"a\0b\""s,
      R"({"a"})",
      R"({"a" 1})",
      R"({"a":})",
      R"({"a":1,})",
      R"({"a":1 "b":2})",
      R"({a:1})",
      R"({"a":1]})",
      R"(["a":1])",
      R"({1:2})",
      R"({"a"::1})",
      R"({[]:1})",
      R"([1})",
      R"("\ud800")",
      R"("\udc00")",
      R"("\ud800\ud800")",
      R"("\ud800x")",
      R"("\ud800\n")",
      R"("\udc00\ud800")",
      R"("\ud800\u0041")",
      R"("\ud800\u")",
      R"({"\udfff":1})",
      "\"\xFF\"",
      "\"\xC0\xAF\"",
      "\"\xED\xA0\x80\"",
      "\"\xE2\x82\"",
      "\"\xF4\x90\x80\x80\"",
      "\xEF\xBB\xBF{}",
      "{}\0"s,
      "\0{}"s,
      "{} x",
      "/**/{}",
      "{}//",
      "\x0B{}",
      "\xC2\xA0{}",
  };
  for (const std::string& text : invalid) EXPECT_FALSE(is_valid(text)) << text;
}

TEST(JsonReader, FinishesValues) {
  JsonReader reader(R"({"a":[1, {"b":[]} ],"c":"x", "d": {"e":-1e5} ,"f":null})");
  reader.next();
  for (const std::string_view value : {R"([1, {"b":[]} ])", R"("x")", R"({"e":-1e5})", "null"}) {
    ASSERT_EQ(reader.next().kind, JsonReader::Kind::name);
    EXPECT_EQ(reader.finish_value(reader.next()), value);
  }
  const auto brace = reader.next();
  EXPECT_EQ(brace.kind, JsonReader::Kind::end_object);
  EXPECT_EQ(reader.finish_value(brace), "");
  EXPECT_EQ(reader.next().kind, JsonReader::Kind::end);
  for (const std::string_view text : {"[1,[2", "[[]", "{\"a\":tru}", "x", ""}) {
    JsonReader broken(text);
    EXPECT_EQ(broken.finish_value(broken.next()), "") << text;
  }
}

TEST(JsonReader, BoundsTheDepth) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_TRUE(is_valid(nested(JsonReader::kMaxDepth)));
  EXPECT_FALSE(is_valid(nested(JsonReader::kMaxDepth + 1)));
  EXPECT_FALSE(is_valid(std::string(1'000'000, '[')));
  std::string side_by_side = "[0";
  for (int i = 0; i < 5000; ++i) side_by_side += ",[{}]";
  EXPECT_TRUE(is_valid(side_by_side + "]"));
}

TEST(JsonReader, FindsTheEndOfStringsOfAllLengths) {
  for (std::size_t size = 0; size < 140; ++size) {
    const std::string plain(size, 'x');
    EXPECT_TRUE(is_valid("\"" + plain + "\""));
    EXPECT_TRUE(is_valid("\"" + plain + "\\\"\""));
    EXPECT_FALSE(is_valid("\"" + plain + "\\\""));
    EXPECT_FALSE(is_valid("\"" + plain + "\n\""));
    EXPECT_FALSE(is_valid("\"" + plain));
  }
}

TEST(JsonReader, ReadsEscapesAtEachPlaceOfAString) {
  const std::string good[] = {"\\n",     "\\\\",           "\\\"",         "\\u00e9",
                              "\\u4E2d", "\\ud83d\\ude00", "\\\\\\\\\\\\", "\\\\ud83d"};
  const std::string bad[] = {"\\x",     "\\",         "\\u",     "\\u00g9", "\\u12",
                             "\\ude00", "\\ud83d\\n", "\\ud83d", "\x1F",    "\x01"};
  for (std::size_t size = 0; size < 100; ++size) {
    for (const std::string& tail : {std::string(), std::string("x"), std::string(70, 'y')}) {
      const std::string plain(size, 'x');
      for (const std::string& escape : good) {
        for (int times = 1; times < 4; ++times) {
          std::string text = "\"" + plain;
          for (int i = 0; i < times; ++i) text += escape;
          text += tail + "\"";
          JsonReader reader(text);
          const JsonReader::Token token = reader.next();
          EXPECT_EQ(token.text, text);
          EXPECT_TRUE(token.has_escapes);
          EXPECT_EQ(token.has_surrogates, escape.starts_with("\\ud83d"));
          EXPECT_EQ(reader.next().kind, Kind::end);
        }
      }
      for (const std::string& escape : bad) {
        if (escape == "\\" && tail.empty()) continue;
        EXPECT_FALSE(is_valid("\"" + plain + escape + tail + "\"")) << escape << " at " << size;
        EXPECT_FALSE(is_valid("\"" + plain + escape));
      }
    }
  }
}

// nullopt: it stops at a number too large for a double, which is valid JSON.
std::optional<bool> other_takes(const std::string& text) {
  try {
    return !json::parse(text).is_discarded();
  } catch (const json::out_of_range&) {
    return std::nullopt;
  } catch (const json::parse_error&) {
    return false;
  }
}

TEST(JsonReader, AgreesWithAnotherReaderOnDamagedTexts) {
  RandomJson random(1);
  const std::string bytes = "{}[]\",:\\u0dD8eE+-.1 \n\xC3\xA9";
  for (int i = 0; i < 20'000; ++i) {
    std::string text = random.written(random.object(4));
    for (std::size_t damage = random.below(4); damage > 0 && !text.empty(); --damage) {
      const std::size_t at = random.below(text.size());
      const char byte = bytes[random.below(bytes.size())];
      if (random.below(2) == 0) {
        text[at] = byte;
      } else if (random.below(2) == 0) {
        text.insert(at, 1, byte);
      } else {
        text.erase(at, 1 + random.below(3));
      }
    }
    const std::optional<bool> expected = other_takes(text);
    if (!expected) continue;
    ASSERT_EQ(is_valid(text), *expected) << text;
  }
}

}  // namespace
}  // namespace aifd::protocol
