#include "recorded.hpp"

namespace aifd::protocol {
namespace {

constexpr ConversationApi kApi = ConversationApi::responses;

std::string named(const std::string& name, const std::string& members) {
  return "event: response." + name + "\n" +
         event(R"({"type":"response.)" + name + "\"," + members + "}");
}

std::string delta(const std::string& name, int item, const std::string& escaped) {
  return named(name + ".delta", R"("item_id":"i","output_index":)" + std::to_string(item) +
                                    R"(,"delta":")" + escaped + "\"");
}

std::string response(const std::string& members) {
  return R"("response":{"id":"r","object":"response","model":"gpt-5",)" + members + "}";
}

const std::string kStart =
    named("created", response(R"("status":"in_progress","output":[],"usage":null,"error":null)"));
const std::string kUsage =
    R"("usage":{"input_tokens":3,"output_tokens":4,"total_tokens":7,"output_tokens_details":{}})";
const std::string kOutput =
    R"("output":[{"type":"reasoning","summary":[{"type":"summary_text","text":"t1"}],"content":[)"
    R"({"type":"reasoning_text","text":"t2"}]},{"type":"message","content":[{"type":"output_text",)"
    R"("text":"Hi"},{"type":"refusal","refusal":"no"}]},{"type":"function_call","call_id":"c",)"
    R"("name":"f","arguments":"{}"},{"type":"web_search_call","id":"w"}])";

TEST(ResponsesAnswer, IsJoined) {
  const Json record = recorded(
      {.api = kApi},
      kStart + delta("reasoning_summary_text", 0, "th") + delta("reasoning_text", 0, "ink") +
          named("output_item.added", R"("output_index":1,"item":{"type":"message","content":[]})") +
          delta("output_text", 1, "H") + delta("output_text", 1, "i") +
          named("output_text.done", R"("output_index":1,"text":"Hi")") + delta("refusal", 1, "no") +
          named("completed", response(R"("status":"completed",)" + kUsage + "," + kOutput)));
  EXPECT_EQ(record["assistant"], "Hi");
  EXPECT_EQ(record["reasoning"], "think");
  EXPECT_EQ(record["refusal"], "no");
  EXPECT_EQ(record["model"], "gpt-5");
  EXPECT_EQ(record["finish_reason"], "completed");
  EXPECT_EQ(record["usage"]["output_tokens"], 4);
  EXPECT_EQ(record["usage_source"], "exact");
  EXPECT_FALSE(record.contains("error_text"));
}

TEST(ResponsesAnswer, FunctionCallsAreToolCalls) {
  const auto item = [](int index, const std::string& members) {
    return "\"output_index\":" + std::to_string(index) + ",\"item\":{" + members + "}";
  };
  const std::string f =
      R"("type":"function_call","id":"fc","call_id":"c1","name":"f","arguments":)";
  const std::string g = R"("type":"function_call","call_id":"c2","name":"g","arguments":)";
  const std::string h = R"("type":"custom_tool_call","call_id":"c3","name":"h","input":)";
  const Json record = recorded(
      {.api = kApi},
      kStart + named("output_item.added", item(1, f + R"("")")) +
          delta("function_call_arguments", 1, "{\\\"x\\\":") +
          named("output_item.added", item(2, g + R"("")")) +
          delta("function_call_arguments", 1, "1}") +
          named("function_call_arguments.done", R"("output_index":1,"arguments":"{\"x\":1}")") +
          named("function_call_arguments.done", R"("output_index":2,"arguments":"{}")") +
          named("output_item.done", item(1, f + R"("{\"x\":1}")")) +
          named("output_item.added", item(3, h + R"("")")) +
          named("output_item.done", item(3, h + R"("text")")));
  EXPECT_EQ(record["assistant"].dump(),
            R"([{"index":0,"id":"c1","type":"function","function":{"name":"f","arguments":)"
            R"("{\"x\":1}"}},{"index":1,"id":"c2","type":"function","function":{"name":"g",)"
            R"("arguments":"{}"}},{"index":2,"id":"c3","type":"custom","custom":{"name":"h",)"
            R"("input":"text"}}])");
  EXPECT_EQ(record["is_tool_calls"], true);
}

TEST(ResponsesAnswer, ThatComesWholeIsTheSame) {
  const std::string members = R"("status":"completed","error":null,)" + kUsage + "," + kOutput;
  const std::string body = R"({"id":"r","object":"response","model":"gpt-5",)" + members + "}";
  for (const Json& record : {recorded({.api = kApi, .content_type = kJson}, body),
                             recorded({.api = kApi}, named("completed", response(members)))}) {
    EXPECT_EQ(record["content"], "Hi");
    EXPECT_EQ(record["reasoning"], "t1t2");
    EXPECT_EQ(record["refusal"], "no");
    EXPECT_EQ(record["assistant"][0]["id"], "c");
    EXPECT_EQ(record["finish_reason"], "completed");
    EXPECT_EQ(record["usage_source"], "exact");
  }
}

TEST(ResponsesAnswer, SaysWhyItEnded) {
  const Json incomplete = recorded(
      {.api = kApi},
      kStart + named("incomplete", response(R"("status":"incomplete","incomplete_details":)"
                                            R"({"reason":"max_output_tokens"})")));
  EXPECT_EQ(incomplete["finish_reason"], "max_output_tokens");
  const Json failed = recorded(
      {.api = kApi}, kStart + named("failed", response(R"("status":"failed","error":{"code":)"
                                                       R"("server_error","message":"broke"})")));
  EXPECT_EQ(failed["finish_reason"], "failed");
  EXPECT_EQ(failed["error_text"], "broke");
  const Json error = recorded(
      {.api = kApi}, kStart + "event: error\n" +
                         event(R"({"type":"error","code":"x","message":"gone","param":null})"));
  EXPECT_EQ(error["error_text"], "gone");
  EXPECT_EQ(error["finish_reason"], "in_progress");
}

}  // namespace
}  // namespace aifd::protocol
