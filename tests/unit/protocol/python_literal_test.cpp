#include "aifd/protocol/python_literal.hpp"

#include <gtest/gtest.h>

#include <utility>

namespace aifd::protocol {
namespace {

// The JSON, or "at N: what is wrong".
std::string read(std::string_view text) {
  const auto result = json_of_python_literal(text);
  if (const auto* json = std::get_if<std::string>(&result)) return *json;
  const auto& error = std::get<LiteralError>(result);
  return "at " + std::to_string(error.offset) + ": " + std::string(error.what);
}

bool is_refused(std::string_view text) {
  return std::holds_alternative<LiteralError>(json_of_python_literal(text));
}

TEST(PythonLiteral, ReadsWhatReprWrites) {
  const std::pair<std::string_view, std::string_view> table[] = {
      {"None", "null"},
      {"True", "true"},
      {"False", "false"},
      {"0", "0"},
      {"-0", "-0"},
      {"-17", "-17"},
      {"123456789012345678901234567890", "123456789012345678901234567890"},
      {"0.1", "0.1"},
      {"-2.50", "-2.50"},
      {"1e-05", "1e-05"},
      {"1.5e+300", "1.5e+300"},
      {"inf", "null"},
      {"-inf", "null"},
      {"nan", "null"},
      {"''", R"("")"},
      {R"("")", R"("")"},
      {"[]", "[]"},
      {"()", "[]"},
      {"{}", "{}"},
      {"(1,)", "[1]"},
      {"(1, 2)", "[1,2]"},
      {"((1,),)", "[[1]]"},
      {"[1, [], (), {}, 'a']", R"([1,[],[],{},"a"])"},
      {"{'a': None, \"it's\": [True, -1.0]}", R"({"a":null,"it's":[true,-1.0]})"},
      {"{'a': {'b': ({'c': ()},)}}", R"({"a":{"b":[{"c":[]}]}})"},
      {" \t[ 1\t, 2 ] \t", "[1,2]"},
      {"{ 'a' : 1 , 'b':2}", R"({"a":1,"b":2})"},
  };
  for (const auto& [python, json] : table) EXPECT_EQ(read(python), json) << python;
}

TEST(PythonLiteral, ReadsStrings) {
  const std::pair<std::string_view, std::string_view> table[] = {
      {R"('it"s')", R"("it\"s")"},
      {R"("it's")", R"("it's")"},
      {R"('both \' and "')", R"("both ' and \"")"},
      {R"('\\ \' \" \n \r \t')", R"("\\ ' \" \n \r \t")"},
      {R"('\a\b\f\v')", R"("\u0007\u0008\u000c\u000b")"},
      {R"('\0 \7 \101 \400 \0011')", "\"\\u0000 \\u0007 A \xC4\x80 \\u00011\""},
      {R"('\x00\x1f\x41\xe9')", "\"\\u0000\\u001fA\xC3\xA9\""},
      {R"('\u4f60\u2028')", "\"\xE4\xBD\xA0\xE2\x80\xA8\""},
      {R"('\U0001f600\U0010FFFF')", "\"\xF0\x9F\x98\x80\xF4\x8F\xBF\xBF\""},
      {R"('\ud800x\udfff')", "\"\xEF\xBF\xBDx\xEF\xBF\xBD\""},
      {"'\xE4\xBD\xA0 \xE2\x80\xA8 \xF0\x9F\x98\x80'",
       "\"\xE4\xBD\xA0 \xE2\x80\xA8 \xF0\x9F\x98\x80\""},
      {"'raw\ttab'", R"("raw\ttab")"},
      {"'not \xFF utf-8'", "\"not \xEF\xBF\xBD utf-8\""},
      {R"('\\')", R"("\\")"},
      {R"('\\u4f60')", R"("\\u4f60")"},
  };
  for (const auto& [python, json] : table) EXPECT_EQ(read(python), json) << python;
}

TEST(PythonLiteral, RefusesEverythingElse) {
  for (const std::string_view text : {"",
                                      " ",
                                      "x",
                                      "none",
                                      "Nonesuch",
                                      "true",
                                      "+1",
                                      "01",
                                      "00",
                                      "1.",
                                      ".5",
                                      "1_000",
                                      "0x10",
                                      "1e",
                                      "1e+",
                                      "-",
                                      "--1",
                                      "1j",
                                      "1+2j",
                                      "1 2",
                                      "infinity",
                                      "- 1",
                                      "b'a'",
                                      "r'a'",
                                      "u'a'",
                                      "f'a'",
                                      "'a' 'b'",
                                      "'a'\"b\"",
                                      "''''",
                                      "'''a'''",
                                      "'a",
                                      "\"a",
                                      "'",
                                      "'a\"",
                                      "'\\'",
                                      "'\\q'",
                                      "'\\8'",
                                      "'\\x1'",
                                      "'\\xg0'",
                                      "'\\u12'",
                                      "'\\u123g'",
                                      "'\\U0011000'",
                                      "'\\U00110000'",
                                      "'\\N{DASH}'",
                                      "'a\nb'",
                                      "'a\rb'",
                                      "'\\\n'",
                                      "[",
                                      "]",
                                      "[1",
                                      "[1,",
                                      "[1,]",
                                      "[,]",
                                      "[,1]",
                                      "[1 2]",
                                      "[1)",
                                      "(1]",
                                      "(1)",
                                      "(,)",
                                      "(1,2,)",
                                      "(1,,)",
                                      "{",
                                      "{1: 2}",
                                      "{'a'}",
                                      "{'a', 'b'}",
                                      "{'a':}",
                                      "{'a': 1,}",
                                      "{'a' 1}",
                                      "{'a': 1 'b': 2}",
                                      "{None: 1}",
                                      "{'a': 1]",
                                      "set()",
                                      "{**{}}",
                                      "[] []",
                                      "1,",
                                      "1, 2",
                                      "...",
                                      "dict()",
                                      "[1] # no",
                                      "1 if 1 else 2",
                                      "__import__('os')",
                                      "{\"a\": true}",
                                      "{\"a\": null}"}) {
    EXPECT_TRUE(is_refused(text)) << text;
  }
  EXPECT_TRUE(is_refused(std::string_view("'a\0b'", 5)));
  EXPECT_TRUE(is_refused(std::string_view("1\0", 2)));
}

TEST(PythonLiteral, TellsWhereAndWhat) {
  EXPECT_EQ(read("{'a': b'x'}"), "at 6: no value that repr() writes");
  EXPECT_EQ(read("{'a': 'x\\N{DASH}'}"), "at 8: an escape that repr() does not write");
  EXPECT_EQ(read("{'a': 'x"), "at 8: the text ends inside a string");
  EXPECT_EQ(read("{'a': 'x'"), "at 9: a comma or closing bracket should stand here");
  EXPECT_EQ(read("{'a' 'x'"), "at 5: a colon should stand here");
  EXPECT_EQ(read("{7: 1}"), "at 1: a string should stand here, as a dict's key");
  EXPECT_EQ(read("{} {}"), "at 3: something stands behind the value");
}

TEST(PythonLiteral, IsRefusedWhereverItIsCut) {
  const std::string whole = R"({'a': [1.5, -2, ('x', "y\n"), (None,)], "b": {'c': True}})";
  ASSERT_FALSE(is_refused(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_TRUE(is_refused(std::string_view(whole).substr(0, size))) << size;
  }
}

TEST(PythonLiteral, BoundsNesting) {
  const auto nested = [](std::size_t depth, std::string_view open, std::string_view close) {
    std::string text;
    for (std::size_t i = 0; i < depth; ++i) text += open;
    text += "1";
    for (std::size_t i = 0; i < depth; ++i) text += close;
    return text;
  };
  EXPECT_EQ(read(nested(kMostLiteralDepth, "[", "]")), nested(kMostLiteralDepth, "[", "]"));
  EXPECT_EQ(read(nested(kMostLiteralDepth, "(", ",)")), nested(kMostLiteralDepth, "[", "]"));
  EXPECT_EQ(read(nested(kMostLiteralDepth, "{'a': ", "}")),
            nested(kMostLiteralDepth, "{\"a\":", "}"));
  EXPECT_TRUE(is_refused(nested(kMostLiteralDepth + 1, "[", "]")));
  EXPECT_TRUE(is_refused(nested(kMostLiteralDepth + 1, "(", ",)")));
  EXPECT_TRUE(is_refused(std::string(1'000'000, '[')));
}

}  // namespace
}  // namespace aifd::protocol
