#include "aifd/protocol/caching_field.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "random_json.hpp"

namespace aifd::protocol {
namespace {

using Is = CachingField::Is;
using nlohmann::json;

std::string without(std::string body, const CachingField& field) {
  return body.erase(field.cut_offset, field.cut_length);
}

TEST(CachingField, IsFoundAndCutOut) {
  struct Case {
    std::string body;
    Is is;
    std::string rest;
  };
  const Case cases[] = {
      {"{}", Is::absent, "{}"},
      {R"({"a":1})", Is::absent, R"({"a":1})"},
      {R"({"a":{"caching":true},"b":["caching",{"caching":false}]})", Is::absent,
       R"({"a":{"caching":true},"b":["caching",{"caching":false}]})"},
      {R"({"Caching":true,"cachin":true,"cachings":true,"caching ":true})", Is::absent,
       R"({"Caching":true,"cachin":true,"cachings":true,"caching ":true})"},
      {R"({"a":"caching\":true"})", Is::absent, R"({"a":"caching\":true"})"},
      // the only member
      {R"({"caching":true})", Is::on, "{}"},
      {R"({"caching":false})", Is::off, "{}"},
      {"{ \"caching\" :\ttrue\n}", Is::on, "{ \n}"},
      {" \n{\"caching\"\r\n:\r\nfalse }\n", Is::off, " \n{ }\n"},
      // the first
      {R"({"caching":true,"a":1})", Is::on, R"({"a":1})"},
      {R"({ "caching" : false , "a" : 1 })", Is::off, R"({ "a" : 1 })"},
      {"{\n  \"caching\": true,\n  \"a\": 1\n}", Is::on, "{\n  \"a\": 1\n}"},
      {R"({"caching":true,"caching ":1})", Is::on, R"({"caching ":1})"},
      // in the middle
      {R"({"a":1,"caching":true,"b":2})", Is::on, R"({"a":1,"b":2})"},
      {R"({"a":1 , "caching":true , "b":2})", Is::on, R"({"a":1 , "b":2})"},
      {R"({"a":",","caching":false,"b":","})", Is::off, R"({"a":",","b":","})"},
      {R"({"a":{"x":[1,2]},"caching":true,"b":[{}]})", Is::on, R"({"a":{"x":[1,2]},"b":[{}]})"},
      {"{\n  \"a\": 1,\n  \"caching\": true,\n  \"b\": 2\n}", Is::on,
       "{\n  \"a\": 1,\n  \"b\": 2\n}"},
      // the last
      {R"({"a":1,"caching":true})", Is::on, R"({"a":1})"},
      {R"({"a":1 , "caching" : true })", Is::on, R"({"a":1 })"},
      {R"({"a":[],"caching":false})", Is::off, R"({"a":[]})"},
      {R"({"a":{},"caching":false})", Is::off, R"({"a":{}})"},
      {R"({"a":"x\"}","caching":false})", Is::off, R"({"a":"x\"}"})"},
      {R"({"a":1,"b":{"c":[3,[4]]},"caching":true})", Is::on, R"({"a":1,"b":{"c":[3,[4]]}})"},
      {"{\n  \"a\": 1,\n  \"caching\": true\n}\n", Is::on, "{\n  \"a\": 1\n}\n"},
      // spelled otherwise
      {R"({"\u0063aching":true,"a":1})", Is::on, R"({"a":1})"},
      {R"({"a":1,"\u0063\u0061\u0063\u0068\u0069\u006e\u0067":false})", Is::off, R"({"a":1})"},
      {R"({"a":1,"cach\u0069n\u0067":true,"b":2})", Is::on, R"({"a":1,"b":2})"},
      {R"({"c\u0041ching":true,"caching\n":1,"\ud83d\ude00aching":1})", Is::absent,
       R"({"c\u0041ching":true,"caching\n":1,"\ud83d\ude00aching":1})"},
      // what some readers take
      {R"({"caching":true,"a":"\ud800"})", Is::on, R"({"a":"\ud800"})"},
      // other values
      {R"({"caching":null,"a":1})", Is::unclear, R"({"a":1})"},
      {R"({"a":1,"caching":1})", Is::unclear, R"({"a":1})"},
      {R"({"a":1,"caching":0,"b":2})", Is::unclear, R"({"a":1,"b":2})"},
      {R"({"a":1,"caching":"true"})", Is::unclear, R"({"a":1})"},
      {R"({"caching":"tr\u0075e, \"b\":1","a":1})", Is::unclear, R"({"a":1})"},
      {R"({"caching":[true],"a":1})", Is::unclear, R"({"a":1})"},
      {R"({"a":1,"caching":[[],{}]})", Is::unclear, R"({"a":1})"},
      {R"({"a":1,"caching":{"caching":true,"b":[1,{"c":2}]},"d":3})", Is::unclear,
       R"({"a":1,"d":3})"},
      {R"({"caching":{}})", Is::unclear, "{}"},
      {R"({"a":1,"caching":{"caching":true} })", Is::unclear, R"({"a":1 })"},
      // what is odd elsewhere stays
      {R"({"a":1.50e+3,"caching":true,"b":"\u0061","a":2})", Is::on,
       R"({"a":1.50e+3,"b":"\u0061","a":2})"},
      {R"({"a":1e999999999999,"caching":true})", Is::on, R"({"a":1e999999999999})"},
  };
  for (const Case& c : cases) {
    const auto field = find_caching_field(c.body);
    ASSERT_TRUE(field) << c.body;
    EXPECT_EQ(field->is, c.is) << c.body;
    EXPECT_EQ(without(c.body, *field), c.rest);
  }
}

TEST(CachingField, RefusesWhatItCannotCutFor) {
  const std::string bodies[] = {
      "",
      "null",
      "[]",
      "true",
      R"([{"caching":true}])",
      "{",
      R"({"caching":true)",
      R"({"caching":})",
      R"({"caching"})",
      R"({"caching":true,})",
      R"({,"caching":true})",
      R"({"a":1 "caching":true})",
      R"({"caching":True})",
      R"({"caching":true}})",
      R"({"caching":true}{"caching":true})",
      R"({"caching":true,"a":tru})",
      "{\"caching\":true,\"a\":\"\xFF\"}",
      "\xEF\xBB\xBF{\"caching\":true}",
  };
  for (const std::string& body : bodies) EXPECT_FALSE(find_caching_field(body)) << body;
  EXPECT_FALSE(find_caching_field(R"({"caching":)" + std::string(1'000'000, '[')));
}

TEST(CachingField, TellsThatItIsRepeated) {
  for (const char* body :
       {R"({"caching":true,"caching":true})", R"({"caching":true,"caching":false})",
        R"({"caching":true,"a":1,"c\u0061ching":true})", R"({"caching":null,"caching":true})"}) {
    const auto field = find_caching_field(body);
    ASSERT_TRUE(field) << body;
    EXPECT_EQ(field->is, Is::repeated) << body;
    EXPECT_EQ(field->cut_length, 0U) << body;
  }
}

TEST(CachingField, LeavesTheRestOfAnyObject) {
  RandomJson random(5);
  std::size_t found = 0;
  for (int i = 0; i < 5000; ++i) {
    json object = random.object(4);
    const json rest = object;
    if (random.below(4) != 0) {
      object["caching"] = random.below(2) == 0 ? json(random.below(2) == 0) : random.value(3);
    }
    const std::string body = random.written(object);
    const auto field = find_caching_field(body);
    ASSERT_TRUE(field) << body;
    EXPECT_EQ(field->is != Is::absent, object.contains("caching")) << body;
    EXPECT_EQ(json::parse(without(body, *field), nullptr, false), rest) << body;
    if (field->is != Is::absent) ++found;
  }
  EXPECT_GT(found, 3000U);
}

}  // namespace
}  // namespace aifd::protocol
