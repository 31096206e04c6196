#include "aifd/config/dotenv.hpp"

#include <gtest/gtest.h>

namespace aifd::config {
namespace {

using Pairs = std::vector<std::pair<std::string, std::optional<std::string>>>;

Pairs pairs(const DotenvFile& file) {
  Pairs result;
  for (const DotenvEntry& entry : file.entries) result.emplace_back(entry.name, entry.value);
  return result;
}

struct Case {
  std::string_view text;
  Pairs entries;
};

class ParseDotenv : public testing::TestWithParam<Case> {};

TEST_P(ParseDotenv, ReadsWhatPythonDotenvReads) {
  const DotenvFile file = parse_dotenv(GetParam().text, {});
  EXPECT_EQ(pairs(file), GetParam().entries);
  EXPECT_TRUE(file.errors.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Documented, ParseDotenv,
    testing::Values(
        Case{"", {}}, Case{"a=b", {{"a", "b"}}}, Case{"'a'=b", {{"a", "b"}}},
        Case{"[=b", {{"[", "b"}}}, Case{" a = b ", {{"a", "b"}}}, Case{"export a=b", {{"a", "b"}}},
        Case{" export 'a'=b", {{"a", "b"}}}, Case{"# a=b", {}}, Case{"a=b#c", {{"a", "b#c"}}},
        Case{"a=b #c", {{"a", "b"}}}, Case{"a=b\t#c", {{"a", "b"}}}, Case{"a=b c", {{"a", "b c"}}},
        Case{"a=b\tc", {{"a", "b\tc"}}}, Case{"a=b  c", {{"a", "b  c"}}},
        Case{"a=b\xc2\xa0 c", {{"a", "b\xc2\xa0 c"}}}, Case{"a=b c ", {{"a", "b c"}}},
        Case{"a='b c '", {{"a", "b c "}}}, Case{"a=\"b c \"", {{"a", "b c "}}},
        Case{"export export_a=1", {{"export_a", "1"}}},
        Case{"export port=8000", {{"port", "8000"}}}, Case{"a=\"b\nc\"", {{"a", "b\nc"}}},
        Case{"a='b\nc'", {{"a", "b\nc"}}}, Case{"a=\"b\\nc\"", {{"a", "b\nc"}}},
        Case{"a='b\\nc'", {{"a", "b\\nc"}}}, Case{"a=\"b\\\"c\"", {{"a", "b\"c"}}},
        Case{"a='b\\'c'", {{"a", "b'c"}}}, Case{"a=\xc3\xa0", {{"a", "\xc3\xa0"}}},
        Case{"a=\"\xc3\xa0\"", {{"a", "\xc3\xa0"}}},
        Case{"no_value_var", {{"no_value_var", std::nullopt}}},
        Case{"a=b\nc=d", {{"a", "b"}, {"c", "d"}}}, Case{"a=b\rc=d", {{"a", "b"}, {"c", "d"}}},
        Case{"a=b\r\nc=d", {{"a", "b"}, {"c", "d"}}}, Case{"a=\nb=c", {{"a", ""}, {"b", "c"}}},
        Case{"\n\n", {}}, Case{"a=b\n\n", {{"a", "b"}}},
        Case{"a=b\n\nc=d", {{"a", "b"}, {"c", "d"}}},
        Case{"# comment\na=\"b\nc\"\nd=e\n", {{"a", "b\nc"}, {"d", "e"}}},
        Case{"a=b\n# comment 1", {{"a", "b"}}}, Case{"# comment 1\n# comment 2", {}},
        Case{"uglyKey[%$=\"S3cr3t_P4ssw#rD\" #\na=b",
             {{"uglyKey[%$", "S3cr3t_P4ssw#rD"}, {"a", "b"}}}));

INSTANTIATE_TEST_SUITE_P(
    Further, ParseDotenv,
    testing::Values(
        Case{"\xEF\xBB\xBF"
             "a=b",
             {{"a", "b"}}},
        Case{"a=# c", {{"a", "# c"}}}, Case{"a= # c", {{"a", "# c"}}},
        Case{"a='b' # c", {{"a", "b"}}}, Case{"a='b'#c", {{"a", "b"}}}, Case{"a=''", {{"a", ""}}},
        Case{"a=\"\"", {{"a", ""}}}, Case{"a=b=c", {{"a", "b=c"}}}, Case{"a=b'c", {{"a", "b'c"}}},
        Case{"a # c", {{"a", std::nullopt}}}, Case{"export", {{"export", std::nullopt}}},
        Case{"exporta=b", {{"exporta", "b"}}}, Case{"export\ta=b", {{"a", "b"}}},
        Case{"export # a=b", {}}, Case{"a='\\\\'", {{"a", "\\"}}},
        Case{"a='b\\'\n", {{"a", "b\\"}}},
        Case{"a=\"\\a\\b\\f\\r\\t\\v\\\\\\'\"", {{"a", "\a\b\f\r\t\v\\'"}}},
        Case{"a=\"\\u0041\\x\\0\"", {{"a", "\\u0041\\x\\0"}}},
        Case{"a='b\r\nc'\r\n", {{"a", "b\nc"}}}, Case{"a=1\na=2", {{"a", "1"}, {"a", "2"}}},
        Case{"a=$b $ {c}", {{"a", "$b $ {c}"}}},
        Case{"J='{\n\"/v1\":\"1/second\"\n}'", {{"J", "{\n\"/v1\":\"1/second\"\n}"}}},
        Case{"J={\"a\": \"b\"}", {{"J", "{\"a\": \"b\"}"}}}));

class Interpolate : public testing::TestWithParam<Case> {};

TEST_P(Interpolate, ReplacesReferences) {
  const DotenvFile file =
      parse_dotenv(GetParam().text, {{"OUTER", "outer"}, {"BOTH", "environment"}, {"EMPTY", ""}});
  EXPECT_EQ(pairs(file), GetParam().entries);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, Interpolate,
    testing::Values(
        Case{"a=${OUTER}", {{"a", "outer"}}}, Case{"a=\"x${OUTER}y\"", {{"a", "xoutery"}}},
        Case{"a='${OUTER}'", {{"a", "outer"}}}, Case{"a=${NONE}", {{"a", ""}}},
        Case{"a=${NONE:-d e}", {{"a", "d e"}}}, Case{"a=${NONE:-}", {{"a", ""}}},
        Case{"a=${EMPTY:-d}", {{"a", ""}}}, Case{"a=${OUTER:-d}", {{"a", "outer"}}},
        Case{"a=1\nb=${a}${a}", {{"a", "1"}, {"b", "11"}}},
        Case{"b=${a}\na=1", {{"b", ""}, {"a", "1"}}},
        Case{"BOTH=file\nb=${BOTH}", {{"BOTH", "file"}, {"b", "environment"}}},
        Case{"a\nb=${a:-d}", {{"a", std::nullopt}, {"b", ""}}},
        Case{"a=${OUTER", {{"a", "${OUTER"}}}, Case{"a=${OUTER:x}", {{"a", "${OUTER:x}"}}},
        Case{"a=${x:y${OUTER}", {{"a", "${x:youter"}}}, Case{"a=$OUTER", {{"a", "$OUTER"}}},
        Case{"a=${NONE:-${OUTER}}", {{"a", "${OUTER}"}}}));

struct Wrong {
  std::string_view text;
  std::string_view error;
  std::size_t entries;  // that are read nevertheless
};

class DotenvErrors : public testing::TestWithParam<Wrong> {};

TEST_P(DotenvErrors, NamesTheLineAndGoesOn) {
  const DotenvFile file = parse_dotenv(GetParam().text, {});
  ASSERT_EQ(file.errors.size(), 1U);
  EXPECT_EQ(file.errors.front(), GetParam().error);
  EXPECT_EQ(file.entries.size(), GetParam().entries);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, DotenvErrors,
    testing::Values(Wrong{"a: b\nc=d", "line 1: an equals sign is missing after the name", 1},
                    Wrong{"\nc=d\n=b\ne=f", "line 3: a name is missing before the equals sign", 2},
                    Wrong{"export =b", "line 1: a name is missing before the equals sign", 0},
                    Wrong{"'a=b", "line 1: a name is missing before the equals sign", 0},
                    Wrong{"a='b' c\nd=e", "line 1: something follows the closing quote", 1},
                    Wrong{"x=1\na='b\nc' d\ne=f", "line 3: something follows the closing quote", 2},
                    Wrong{"x=1\na=\"\nb=c\n",
                          "line 2: the quote that begins the value of a is never closed", 1},
                    Wrong{"K='sk-1", "line 1: the quote that begins the value of K is never closed",
                          0}));

TEST(ParseDotenvLines, CountsLinesOverQuotedValues) {
  const DotenvFile file = parse_dotenv("# c\n\na='1\n2\n3'\r\nb=2\n", {});
  ASSERT_EQ(file.entries.size(), 2U);
  EXPECT_EQ(file.entries[0].line, 3);
  EXPECT_EQ(file.entries[1].line, 6);
}

}  // namespace
}  // namespace aifd::config
