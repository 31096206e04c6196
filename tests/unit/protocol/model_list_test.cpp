#include "aifd/protocol/model_list.hpp"

#include <gtest/gtest.h>

namespace aifd::protocol {
namespace {

std::optional<std::string> filter(std::string_view list) {
  return filter_model_list(
      list, [](std::string_view name) { return name == "a" || name == "b" || name == "models/a"; });
}

TEST(FilterModelList, CutsOutWhatIsNotAllowedAndNothingElse) {
  struct Case {
    const char* list;
    const char* filtered;
  };
  const Case cases[] = {
      {R"({"object":"list","data":[{"id":"a","n":1.0e1},{"id":"x"},{"id":"b"}],"has_more":false})",
       R"({"object":"list","data":[{"id":"a","n":1.0e1},{"id":"b"}],"has_more":false})"},
      {R"({"data":[{"id":"x"},{"id":"a"},{"id":"y"}]})", R"({"data":[{"id":"a"}]})"},
      {R"({"data":[{"id":"x"},{"id":"y"}]})", R"({"data":[]})"},
      {R"({"data":[]})", R"({"data":[]})"},
      {"{\"data\": [\n  {\"id\": \"x\"},\n  {\"id\": \"a\"} ,\n  {\"id\": \"y\"}\n ]\n}\n",
       "{\"data\": [\n  {\"id\": \"a\"}\n ]\n}\n"},
      {"{\"data\":[\n {\"id\":\"a\"},\n {\"id\":\"x\"},\n {\"id\":\"b\"}\n]}",
       "{\"data\":[\n {\"id\":\"a\"},\n {\"id\":\"b\"}\n]}"},
      {R"({"models":[{"name":"models/a","version":"1"},{"name":"models/x"}],"nextPageToken":"t"})",
       R"({"models":[{"name":"models/a","version":"1"}],"nextPageToken":"t"})"},
      {R"({"models":[{"name":"a","model":"a","details":{"families":["x"]}},{"name":"x","model":"x"}]})",
       R"({"models":[{"name":"a","model":"a","details":{"families":["x"]}}]})"},
      {R"({"models":[{"name":"a","model":"x"},{"model":"b"}]})", R"({"models":[{"model":"b"}]})"},
      {R"({"models":[{"name":"x"},{"name":"a"}],"object":"list","data":[{"id":"a"},{"id":"x"}]})",
       R"({"models":[{"name":"a"}],"object":"list","data":[{"id":"a"}]})"},
      {R"({"data":[{"id":"a","name":"Model A","x":{"id":"x"}},{"name":"Model X","id":"x"}]})",
       R"({"data":[{"id":"a","name":"Model A","x":{"id":"x"}}]})"},
      {R"([{"id":"a"},{"id":"x"}] )", R"([{"id":"a"}] )"},
      {R"(["x","a",["b"],1,null,true,"b"])", R"(["a","b"])"},
      {R"({"data":[{"id":"x"},{"id":7},{"id":"a","id":"a"},{"ID":"a"},{},{"name":7,"model":"a"}]})",
       R"({"data":[]})"},
      {R"({"d\u0061ta":[{"i\u0064":"\u0061"},{"id":"x, ]}"}]})",
       R"({"d\u0061ta":[{"i\u0064":"\u0061"}]})"},
      {R"({"models":null})", R"({"models":null})"},
  };
  for (const Case& c : cases) EXPECT_EQ(filter(c.list), c.filtered) << c.list;
}

TEST(FilterModelList, RefusesWhatIsNoList) {
  for (const char* list :
       {"", "null", "\"a\"", "{}", R"({"object":"list"})", R"({"data":{"id":"a"}})",
        R"({"data":"a"})", R"({"data":[{"id":"a"}],"data":[{"id":"x"}]})", R"({"data":[{"id":"a"})",
        R"({"data":[{"id":"a"}]}x)", R"({"data":[{"id":"a"}]}{"data":[]})", "<html></html>",
        R"({"data":[{"id":"a"} {"id":"x"}]})", R"({"data":[{"id" "a"}]})", R"([{"id":"a"}]])",
        "\x1F\x8B\x08"}) {
    EXPECT_FALSE(filter(list)) << list;
  }
}

TEST(FilterModelList, TakesEveryBeginningOfAList) {
  const std::string list = R"({"data":[{"id":"a","x":[1,{}]},{"id":"x"}],"n":"\u00e9"})";
  for (std::size_t size = 0; size < list.size(); ++size) {
    EXPECT_FALSE(filter(std::string_view(list).substr(0, size))) << size;
  }
}

TEST(FilterModelList, IsQuickWithManyEntries) {
  std::string list = "{\"data\":[0";
  for (int i = 0; i < 300'000; ++i) list += R"(,{"id":"x"})";
  EXPECT_EQ(filter(list + "]}"), "{\"data\":[]}");
  const std::string nested(100'000, '[');
  EXPECT_FALSE(filter(nested));
}

}  // namespace
}  // namespace aifd::protocol
