#include "aifd/protocol/chat_record.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace aifd::protocol {
namespace {

using nlohmann::ordered_json;

ChatRecord read(std::string_view line) {
  auto result = read_chat_record(line);
  if (auto* record = std::get_if<ChatRecord>(&result)) return std::move(*record);
  ADD_FAILURE() << line << ": " << std::get<std::string>(result);
  return {};
}

std::string wrong_with(std::string_view line) {
  const auto result = read_chat_record(line);
  const auto* wrong = std::get_if<std::string>(&result);
  return wrong == nullptr ? "" : *wrong;
}

std::string converted(std::string_view request, std::string_view answer) {
  return conversation(read(request), read(answer));
}

// The messages of the conversation, of a request with these.
std::string messages(std::string_view list) {
  const std::string request = R"({"messages":)" + std::string(list) + R"(,"uid":"1"})";
  const std::string whole = converted(request, R"({"assistant":"a","uid":"1"})");
  return ordered_json::parse(whole)["messages"].dump();
}

TEST(ChatRecord, ReadsRequestsAndAnswers) {
  const ChatRecord asked =
      read(R"({"messages": [], "uid": "ab", "datetime": "2023-10-17 15:27:12"})");
  EXPECT_EQ(asked.kind, ChatRecord::Kind::request);
  EXPECT_EQ(asked.uid, "ab");
  EXPECT_EQ(asked.datetime, "2023-10-17 15:27:12");
  EXPECT_EQ(asked.json, R"({"messages":[],"uid":"ab","datetime":"2023-10-17 15:27:12"})");
  const ChatRecord said = read("{'assistant': None, 'is_tool_calls': False, 'uid': 'ab'}");
  EXPECT_EQ(said.kind, ChatRecord::Kind::answer);
  EXPECT_EQ(said.uid, "ab");
  EXPECT_EQ(said.json, R"({"assistant":null,"is_tool_calls":false,"uid":"ab"})");
}

TEST(ChatRecord, ReadsADictWhoseFirstKeyHasAnApostrophe) {
  EXPECT_EQ(read(R"({"it's": None, 'assistant': 'a', 'uid': 'b'})").json,
            R"({"it's":null,"assistant":"a","uid":"b"})");
}

TEST(ChatRecord, SaysWhatIsWrong) {
  EXPECT_EQ(wrong_with("hello"), "this is no record");
  EXPECT_EQ(wrong_with("{}"), "this is no record");
  EXPECT_EQ(wrong_with("2023-10-17 | INFO | started"), "this is no record");
  EXPECT_EQ(wrong_with(R"({"messages":[],"uid":"a")"), "this is not valid JSON");
  EXPECT_EQ(wrong_with("{'messages': [], 'uid': 'a"), "at byte 27: the text ends inside a string");
  EXPECT_EQ(wrong_with(R"({"prompt":"x","uid":"a"})"), "this is no record of a chat");
  EXPECT_EQ(wrong_with(R"({"messages":[]})"), "there is no uid");
  EXPECT_EQ(wrong_with(R"({"messages":[],"uid":7})"), "there is no uid");
  EXPECT_EQ(wrong_with(R"({"messages":[],"uid":")" + std::string(257, 'a') + R"("})"),
            "there is no uid");
  EXPECT_NE(wrong_with(R"({"messages":[],"uid":"a","uid":"b"})"), "");
}

TEST(ChatRecord, WritesNoNeedlessEscapes) {
  const auto text_of = [](const std::string& escaped) {
    const std::string json = read(R"({"assistant":")" + escaped + R"(","uid":"1"})").json;
    return json.substr(14, json.size() - 14 - 12);
  };
  EXPECT_EQ(text_of(R"(\u4f60 \u00e9 \u0041 \/)"), "\xE4\xBD\xA0 \xC3\xA9 A /");
  EXPECT_EQ(text_of(R"(\ud83d\ude00)"), "\xF0\x9F\x98\x80");
  EXPECT_EQ(text_of(R"(\uD83D\uDE00\u0022\u005c\u000a)"), "\xF0\x9F\x98\x80\\\"\\\\\\n");
  EXPECT_EQ(text_of(R"(\ud83d \ude00 \ud83d\n \ud83d\u0041)"),
            "\xEF\xBF\xBD \xEF\xBF\xBD \xEF\xBF\xBD\\n \xEF\xBF\xBD"
            "A");
  EXPECT_EQ(text_of(R"(\\u4f60 \\\u4f60 \" \n\t\b\f\r)"),
            "\\\\u4f60 \\\\\xE4\xBD\xA0 \\\" \\n\\t\\b\\f\\r");
}

TEST(Conversation, HasTheFieldsInOrder) {
  EXPECT_EQ(
      converted(R"({"messages":[{"role":"user","content":"hi"}],"model":"m","temperature":0.70,)"
                R"("tools":[{"type":"function"}],"ip":"127.0.0.1","uid":"1","datetime":"d"})",
                R"({"assistant":"Hello!","is_tool_calls":false,"uid":"1","status":200})"),
      R"({"datetime":"d","ip":"127.0.0.1","model":"m","temperature":0.70,)"
      R"("messages":[{"user":"hi"}],"tools":[{"type":"function"}],"is_tool_calls":false,)"
      R"("assistant":"Hello!"})");
}

TEST(Conversation, FillsInWhatIsNotThere) {
  EXPECT_EQ(converted(R"({"messages":null,"uid":"1"})", R"({"assistant":null,"uid":"1"})"),
            R"({"datetime":null,"ip":null,"model":null,"temperature":1,"messages":null,)"
            R"("tools":null,"is_tool_calls":null,"assistant":null})");
}

TEST(Conversation, TakesTheAddressFromWhereOlderLogsHaveIt) {
  const auto ip = [](const std::string& members) {
    const std::string asked = R"({"messages":[],"uid":"1")" + members + "}";
    return ordered_json::parse(converted(asked, R"({"assistant":"a","uid":"1"})"))["ip"].dump();
  };
  EXPECT_EQ(ip(R"(,"ip":"1.1.1.1","forwarded-for":"2.2.2.2")"), R"("1.1.1.1")");
  EXPECT_EQ(ip(R"(,"forwarded-for":"2.2.2.2")"), R"("2.2.2.2")");
  EXPECT_EQ(ip(R"(,"ip":"","forwarded-for":"2.2.2.2")"), R"("2.2.2.2")");
  EXPECT_EQ(ip(R"(,"ip":null)"), "null");
}

TEST(Conversation, KeepsContentAsItIs) {
  EXPECT_EQ(messages(R"([{"role":"system","content":"s"},{"role":"user","content":"u"}])"),
            R"([{"system":"s"},{"user":"u"}])");
  EXPECT_EQ(messages(R"([{"role":"assistant","content":null,"tool_calls":[{"id":"c"}]},)"
                     R"({"role":"tool","tool_call_id":"c","content":"20"}])"),
            R"([{"assistant":null},{"tool":"20"}])");
  EXPECT_EQ(messages(R"([{"role":"assistant"}])"), R"([{"assistant":null}])");
  EXPECT_EQ(messages(R"([{"role":"user","content":[{"type":"text","text":"t"}]}])"),
            R"([{"user":[{"type":"text","text":"t"}]}])");
  EXPECT_EQ(messages("[]"), "[]");
}

TEST(Conversation, KeepsMessagesOfOtherShapes) {
  EXPECT_EQ(messages(R"([{"type":"function_call_output","output":"o"}])"),
            R"([{"function_call_output":{"type":"function_call_output","output":"o"}}])");
  EXPECT_EQ(messages(R"(["hi",{"role":7},{"a":1}])"), R"(["hi",{"role":7},{"a":1}])");
  EXPECT_EQ(messages(R"("hi")"), R"("hi")");
}

}  // namespace
}  // namespace aifd::protocol
