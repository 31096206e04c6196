#include "recorded.hpp"

namespace aifd::protocol {
namespace {

constexpr ConversationApi kApi = ConversationApi::messages;

std::string named(const std::string& name, const std::string& members) {
  return "event: " + name + "\n" + event(R"({"type":")" + name + "\"" + members + "}");
}

std::string block(int index, const std::string& members) {
  return named("content_block_start",
               ",\"index\":" + std::to_string(index) + ",\"content_block\":{" + members + "}");
}

std::string delta(int index, const std::string& members) {
  return named("content_block_delta",
               ",\"index\":" + std::to_string(index) + ",\"delta\":{" + members + "}");
}

std::string text(int index, const std::string& escaped) {
  return delta(index, R"("type":"text_delta","text":")" + escaped + "\"");
}

std::string input(int index, const std::string& escaped) {
  return delta(index, R"("type":"input_json_delta","partial_json":")" + escaped + "\"");
}

const std::string kStart =
    named("message_start",
          R"(,"message":{"type":"message","model":"claude","content":[],"stop_reason":null,)"
          R"("usage":{"input_tokens":25,"cache_read_input_tokens":3,"output_tokens":1}})") +
    named("ping", "");
const std::string kEnd =
    named("content_block_stop", ",\"index\":0") +
    named("message_delta", R"(,"delta":{"stop_reason":"end_turn","stop_sequence":null},)"
                           R"("usage":{"output_tokens":15,"input_tokens":null})") +
    named("message_stop", "");

TEST(MessagesAnswer, IsJoined) {
  const Json record =
      recorded({.api = kApi}, kStart + block(0, R"("type":"text","text":"")") + text(0, "He") +
                                  text(0, "llo \\ud83d") + text(0, "\\ude00") + kEnd);
  EXPECT_EQ(record["assistant"], "Hello \xF0\x9F\x98\x80");
  EXPECT_EQ(record["is_tool_calls"], false);
  EXPECT_EQ(record["model"], "claude");
  EXPECT_EQ(record["finish_reason"], "end_turn");
  EXPECT_EQ(record["usage"].dump(),
            R"({"input_tokens":25,"cache_read_input_tokens":3,"output_tokens":15})");
  EXPECT_EQ(record["usage_source"], "exact");
  EXPECT_EQ(record["api"], "messages");
}

TEST(MessagesAnswer, ToolUseIsToolCalls) {
  const Json record =
      recorded({.api = kApi},
               kStart + block(0, R"("type":"thinking","thinking":"")") +
                   delta(0, R"("type":"thinking_delta","thinking":"hm")") +
                   delta(0, R"("type":"signature_delta","signature":"xx")") +
                   block(1, R"("type":"text","text":"I")") + text(1, " look.") +
                   block(2, R"("type":"server_tool_use","id":"s","name":"web_search","input":{})") +
                   input(2, "{\\\"no\\\":1}") +
                   block(3, R"("type":"tool_use","id":"t1","name":"f","input":{})") + input(3, "") +
                   input(3, "{\\\"x\\\":") + input(3, "1}") +
                   block(4, R"("type":"tool_use","id":"t2","name":"g","input":{})") +
                   named("content_block_stop", R"(,"index":4)") + kEnd);
  EXPECT_EQ(record["assistant"].dump(),
            R"([{"index":0,"id":"t1","type":"function","function":{"name":"f","arguments":)"
            R"("{\"x\":1}"}},{"index":1,"id":"t2","type":"function","function":{"name":"g",)"
            R"("arguments":"{}"}}])");
  EXPECT_EQ(record["is_tool_calls"], true);
  EXPECT_EQ(record["content"], "I look.");
  EXPECT_EQ(record["reasoning"], "hm");
}

TEST(MessagesAnswer, ThatIsCutHasWhatPassed) {
  const Json record =
      recorded({.api = kApi, .ended_by = "upstream"},
               kStart + text(0, "a") + text(0, "b") + named("content_block_delta", ",\"ind"));
  EXPECT_EQ(record["assistant"], "ab");
  EXPECT_EQ(record["usage"].dump(),
            R"({"prompt_tokens":28,"completion_tokens":2,"total_tokens":30})");
  EXPECT_EQ(record["usage_source"], "estimated");
  const Json silent = recorded({.api = kApi}, kStart);
  EXPECT_EQ(silent["usage_source"], "estimated");
}

TEST(MessagesAnswer, SaysItsError) {
  const Json record = recorded(
      {.api = kApi},
      kStart + text(0, "a") +
          named("error", R"(,"error":{"type":"overloaded_error","message":"Overloaded"})"));
  EXPECT_EQ(record["assistant"], "a");
  EXPECT_EQ(record["error_text"], "Overloaded");
  const Json refused =
      recorded({.api = kApi, .content_type = kJson, .status = 400},
               R"({"type":"error","error":{"type":"invalid_request_error","message":"no"}})");
  EXPECT_EQ(refused["error_text"], "no");
  EXPECT_EQ(refused["usage_source"], "unknown");
}

TEST(MessagesAnswer, ThatCameWholeIsTheSame) {
  const Json record = recorded(
      {.api = kApi, .content_type = kJson},
      R"({"id":"m","type":"message","role":"assistant","model":"claude","content":[)"
      R"({"type":"thinking","thinking":"hm","signature":"x"},{"type":"text","text":"a"},)"
      R"({"type":"text","text":"b"},{"type":"tool_use","id":"t","name":"f","input":{"x":"\u00e9"}},)"
      R"({"type":"tool_use","id":"u","name":"g","input":{}}],"stop_reason":"tool_use",)"
      R"("usage":{"input_tokens":1,"output_tokens":2}})");
  EXPECT_EQ(record["content"], "ab");
  EXPECT_EQ(record["reasoning"], "hm");
  EXPECT_EQ(record["assistant"][0]["function"]["arguments"], R"({"x":"\u00e9"})");
  EXPECT_EQ(record["assistant"][1]["function"]["arguments"], "{}");
  EXPECT_EQ(record["assistant"][1]["index"], 1);
  EXPECT_EQ(record["finish_reason"], "tool_use");
  EXPECT_EQ(record["usage"].dump(), R"({"input_tokens":1,"output_tokens":2})");
  EXPECT_EQ(record["usage_source"], "exact");
}

}  // namespace
}  // namespace aifd::protocol
