#include "aifd/protocol/indented_json.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace aifd::protocol {
namespace {

std::string indented(std::string_view json, std::size_t level = 0) {
  std::string out;
  append_indented(out, json, level);
  return out;
}

TEST(IndentedJson, HasALineForEachMember) {
  EXPECT_EQ(indented(R"({"a":1,"b":[true,{"c":"d"}],"e":{}})"),
            "{\n  \"a\": 1,\n  \"b\": [\n    true,\n    {\n      \"c\": \"d\"\n    }\n  ],\n"
            "  \"e\": {}\n}");
}

TEST(IndentedJson, KeepsSmallThingsOnOneLine) {
  for (const std::string_view json : {"[]", "{}", "1", "\"a\"", "null", ""}) {
    EXPECT_EQ(indented(json), json);
  }
  EXPECT_EQ(indented("[[],{}]"), "[\n  [],\n  {}\n]");
}

TEST(IndentedJson, LeavesStringsAlone) {
  const std::string_view json = R"(["[a,b]:{}","\"[,","\\","\\\"]"])";
  EXPECT_EQ(indented(json), "[\n  \"[a,b]:{}\",\n  \"\\\"[,\",\n  \"\\\\\",\n  \"\\\\\\\"]\"\n]");
}

TEST(IndentedJson, StandsAtALevel) {
  EXPECT_EQ(indented(R"({"a":[]})", 1), "{\n    \"a\": []\n  }");
}

TEST(IndentedJson, IsWhatOthersWrite) {
  const nlohmann::json value = {{"a", {1, 2.5, nullptr, {{"b", "\"\\\n"}}}},
                                {"c", nlohmann::json::array()},
                                {"d", nlohmann::json::object()},
                                {"e", {{{"f", {{"g", true}}}}, {}}}};
  EXPECT_EQ(indented(value.dump()), value.dump(2));
}

}  // namespace
}  // namespace aifd::protocol
