#include "aifd/protocol/whole_answer.hpp"

#include <gtest/gtest.h>

#include <string>

namespace aifd::protocol {
namespace {

const std::string kChunk = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n";
const std::string kResponse = "event: response.created\ndata: {\"error\":null}\n\n";

TEST(WholeStream, EndsAsItsKindDoes) {
  EXPECT_TRUE(is_whole_stream(kChunk + "data: [DONE]\n\n"));
  EXPECT_TRUE(is_whole_stream(kChunk + "data: [DONE]\r\n\r\n"));
  EXPECT_TRUE(is_whole_stream(kChunk + "data: [DONE]\n\n: bye\n\n"));
  EXPECT_TRUE(is_whole_stream(kChunk + "data:[DONE]\n"));
  EXPECT_TRUE(is_whole_stream(kChunk + "data: [DONE]"));
  EXPECT_TRUE(is_whole_stream(kResponse + "event: response.completed\ndata: {}\n\n"));
  EXPECT_TRUE(is_whole_stream(kResponse + "event: response.incomplete\ndata: {}\n\n"));
  EXPECT_TRUE(is_whole_stream("data: of another kind\n\n"));
  EXPECT_TRUE(is_whole_stream(""));
}

TEST(WholeStream, IsNoneThatWasCut) {
  EXPECT_FALSE(is_whole_stream(kChunk));
  EXPECT_FALSE(is_whole_stream(kChunk + "data: [DON"));
  EXPECT_FALSE(is_whole_stream("data: [DONE]\n\n" + kChunk));
  EXPECT_FALSE(is_whole_stream(kResponse));
  EXPECT_FALSE(is_whole_stream(kResponse + "event: response.completed\ndata: {"));
  EXPECT_FALSE(is_whole_stream("data: 1\n\ndata: 2"));
}

TEST(WholeStream, IsNoneThatSaysAnError) {
  EXPECT_FALSE(
      is_whole_stream(kChunk + "data: {\"error\":{\"message\":\"no\"}}\n\ndata: [DONE]\n\n"));
  EXPECT_FALSE(is_whole_stream("data: {\"a\":{\"error\":1},\"error\":\"no\"}\n\n"));
  EXPECT_FALSE(is_whole_stream("data: {\"error\":\n\n"));
  EXPECT_FALSE(is_whole_stream("event: error\ndata: {}\n\n"));
  EXPECT_FALSE(is_whole_stream(kResponse + "event: response.failed\ndata: {}\n\n"));
}

TEST(WholeStream, MaySpeakOfErrors) {
  for (const char* data : {R"({"error":null})", R"({"a":{"error":1}})", R"({"a":"error"})",
                           R"(["error"])", R"("error")"}) {
    EXPECT_TRUE(is_whole_stream("data: " + std::string(data) + "\n\n")) << data;
  }
}

TEST(WholeJson, IsValidToItsLastByte) {
  for (const char* text : {"{}", " {\"a\":[1,2]} \n", "1", "\"\\ud800\""}) {
    EXPECT_TRUE(is_whole_json(text)) << text;
  }
  for (const char* text : {"", " ", "{", "{\"a\":[1,2]", "{\"a\":1}}", "{}{}", "\"a", "nul"}) {
    EXPECT_FALSE(is_whole_json(text)) << text;
  }
}

TEST(WholeJson, SaysNoError) {
  for (const char* text : {R"({"error":{"message":"overloaded"}})", R"({"choices":[],"error":"e"})",
                           R"({"status":"failed","error":{}})"}) {
    EXPECT_FALSE(is_whole_json(text)) << text;
  }
  for (const char* text : {R"({"error":null})", R"({"a":{"error":1}})", R"(["error"])"}) {
    EXPECT_TRUE(is_whole_json(text)) << text;
  }
}

}  // namespace
}  // namespace aifd::protocol
