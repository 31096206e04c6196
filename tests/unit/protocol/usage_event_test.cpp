#include "aifd/protocol/usage_event.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "aifd/protocol/answer_to_stream.hpp"

namespace aifd::protocol {
namespace {

const std::string kUsage =
    R"({"id":"c","object":"chat.completion.chunk","choices":[],"usage":{"total_tokens":3,"x":{}}})";
const std::string kText =
    R"({"id":"c","choices":[{"index":0,"delta":{"content":"a"}}],"usage":null})";

std::string event(const std::string& data, const std::string& end = "\n") {
  return "data: " + data + end + end;
}

void expect_kept(const std::string& stream) {
  EXPECT_FALSE(has_usage_event(stream)) << stream;
  EXPECT_EQ(without_usage_event(stream), stream);
}

void expect_cut(const std::string& before, const std::string& usage, const std::string& after) {
  EXPECT_TRUE(has_usage_event(before + usage + after)) << before + usage + after;
  EXPECT_EQ(without_usage_event(before + usage + after), before + after);
}

TEST(UsageEvent, IsTakenOut) {
  for (const std::string end : {"\n", "\r\n", "\r"}) {
    const std::string text = event(kText, end);
    const std::string done = event("[DONE]", end);
    expect_cut(text + text, event(kUsage, end), done);
    expect_cut("", event(kUsage, end), "");
    expect_cut(text, event(kUsage, end), text);
    expect_cut(": ping" + end + end + text + end + end, event(kUsage, end), end + done);
    expect_cut("\xEF\xBB\xBF", event(kUsage, end), done);
    expect_kept(text + text + done);
  }
}

TEST(UsageEvent, IsKnownHoweverItIsWritten) {
  expect_cut(event(kText), "data:" + kUsage + "\n\n", event("[DONE]"));
  expect_cut(event(kText), ": ping\nid: 7\nevent: chunk\ndata: " + kUsage + "\nretry: 5\n\n",
             event("[DONE]"));
  expect_cut(event(kText), "data: {\"choices\" : [\ndata: ] ,\ndata: \"usage\" : { } }\n\n", "");
  expect_cut("id: 6\n\n", event(R"({"usage":{"a":[1]},"choices":[]})"), ": end\n");
  expect_cut("", event(R"({"usage":{"choices":[1]},"x":{"choices":[1],"usage":1},"choices":[]})"),
             "");
  expect_cut("", event(R"({"x":"\ud800","usage":{},"choices":[]})"), "");
}

TEST(UsageEvent, AllOfThemGo) {
  const std::string stream =
      event(kUsage) + event(kText) + event(kUsage) + event(kUsage, "\r\n") + event("[DONE]");
  EXPECT_EQ(without_usage_event(stream), event(kText) + event("[DONE]"));
}

TEST(UsageEvent, NothingElseIsTakenForIt) {
  for (const std::string data :
       {R"({"choices":[]})",
        R"({"choices":[],"usage":null})",
        R"({"usage":{}})",
        R"({"choices":[],"prompt_filter_results":[{"usage":{}}]})",
        R"({"choices":[{"delta":{}}],"usage":{}})",
        R"({"choices":null,"usage":{}})",
        R"({"choices":{},"usage":{}})",
        R"({"choices":[[]],"usage":{}})",
        R"({"choices":[],"usage":[]})",
        R"({"x":{"choices":[],"usage":{}}})",
        R"({"choices":[{"delta":{"content":"\"choices\":[],\"usage\":{}"}}],"usage":{}})",
        R"({"id":"\"choices\":[]","usage":{}})",
        R"([{"choices":[],"usage":{}}])",
        R"({"choices":[],"choices":[],"usage":{}})",
        R"({"choices":[],"usage":{},"usage":{}})",
        R"({"choices":[],"usage":{},"choices":[1]})",
        R"({"choices":[],"usage":{}} x)",
        R"({"choices":[],"usage":{})",
        R"({"choices":[],"usage":{},})",
        "\"usage\"",
        "[DONE]",
        "",
        "{\"choices\":[],\"usage\":{\"\xff\":1}}"}) {
    expect_kept(event(kText) + event(data) + event("[DONE]"));
  }
  expect_kept("");
  expect_kept(": " + kUsage + "\n\n");
  expect_kept("event: " + kUsage + "\n\n");
  expect_kept(event(kText) + "data: " + kUsage);         // cut
  expect_kept(event(kText) + "data: " + kUsage + "\n");  // cut
  expect_kept("data: x\ndata: " + kUsage + "\n\n");
  expect_kept(kUsage);
}

TEST(UsageEvent, IsTheOneOfOurOwnStreams) {
  const std::string answer =
      R"({"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,)"
      R"("message":{"role":"assistant","content":"hello \"usage\":{}"},"finish_reason":"stop"}],)"
      R"("usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}})";
  const auto with = stream_from_answer(answer, true);
  const auto without = stream_from_answer(answer, false);
  ASSERT_TRUE(with && without);
  EXPECT_TRUE(has_usage_event(*with));
  EXPECT_FALSE(has_usage_event(*without));
  EXPECT_EQ(without_usage_event(*without), *without);
  EXPECT_FALSE(has_usage_event(without_usage_event(*with)));
}

TEST(UsageEvent, TakesLinearTime) {
  std::string deep = R"({"usage":{},"x":)" + std::string(500'000, '[');
  std::string many;
  for (int i = 0; i < 100'000; ++i) many += "data: {\"usage\":\n";
  std::string empty(1'000'000, '\n');
  for (const std::string& stream :
       {event(deep), many + "\n", empty, std::string(1'000'000, '\r')}) {
    expect_kept(stream + event(kText));
    EXPECT_TRUE(has_usage_event(stream + event(kUsage)));
  }
}

}  // namespace
}  // namespace aifd::protocol
