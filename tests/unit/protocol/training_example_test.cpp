#include <gtest/gtest.h>

#include <optional>

#include "aifd/protocol/chat_record.hpp"

namespace aifd::protocol {
namespace {

constexpr const char* kHello =
    R"("messages":[{"role":"system","content":"s"},{"role":"user","content":"hi"}])";

const std::string kAsked = R"("messages":[{"role":"user","content":"u"},)";
const std::string kCall =
    R"({"id":"c","type":"function","function":{"name":"n","arguments":"{}"}})";

ChatRecord read(const std::string& members) {
  auto result = read_chat_record("{\"uid\":\"1\"," + members + "}");
  return std::get<ChatRecord>(std::move(result));
}

std::string example(const std::string& asked, const std::string& said) {
  const auto result = training_example(read(asked), read(said));
  const auto* text = std::get_if<std::string>(&result);
  return text != nullptr ? *text : std::string(to_string(std::get<Unfit>(result)));
}

std::optional<Unfit> unfit(const std::string& asked, const std::string& said) {
  const auto result = training_example(read(asked), read(said));
  const auto* why = std::get_if<Unfit>(&result);
  return why == nullptr ? std::nullopt : std::optional(*why);
}

std::optional<Unfit> unfit_with(const std::string& members) {
  return unfit(kHello, R"("assistant":"Hello!",)" + members);
}

TEST(TrainingExample, IsTheMessagesAndTheAnswer) {
  EXPECT_EQ(example(kHello, R"("assistant":"Hello!")"),
            R"({"messages":[{"role":"system","content":"s"},{"role":"user","content":"hi"},)"
            R"({"role":"assistant","content":"Hello!"}]})");
}

TEST(TrainingExample, HasToolsAndCalls) {
  EXPECT_EQ(
      example(
          kAsked + R"({"role":"tool","tool_call_id":"c","content":"x"}],"tools":[{"type":"f"}])",
          R"("assistant":[{"index":0,)" + kCall.substr(1) + "]," +
              R"("is_tool_calls":true,"content":"so")"),
      "{" + kAsked + R"({"role":"tool","tool_call_id":"c","content":"x"},{"role":"assistant",)" +
          R"("content":"so","tool_calls":[)" + kCall + R"(]}],"tools":[{"type":"f"}]})");
  EXPECT_EQ(example(kAsked + R"({"role":"user","content":""}],"tools":[])", R"("assistant":"a")"),
            "{" + kAsked + R"({"role":"user","content":""},{"role":"assistant","content":"a"}]})");
}

TEST(TrainingExample, IsOfWhatEndedWellOnly) {
  for (const char* good :
       {R"("status":200)", R"("ended_by":"complete")", R"("finish_reason":"stop")",
        R"("finish_reason":null)", R"("finish_reason":"tool_calls")",
        R"("finish_reason":"end_turn")", R"("finish_reason":"completed")",
        R"("ended_by":"client","drained":"whole")", R"("error_text":null)"}) {
    EXPECT_EQ(unfit_with(good), std::nullopt) << good;
  }
  for (const char* bad : {R"("status":429)", R"("status":301)", R"("status":0)",
                          R"("status":200,"error_text":"overloaded")"}) {
    EXPECT_EQ(unfit_with(bad), Unfit::failed) << bad;
  }
  for (const char* cut : {R"("ended_by":"client")", R"("ended_by":"upstream","status":200)",
                          R"("ended_by":"client","drained":"cut")", R"("truncated":true)"}) {
    EXPECT_EQ(unfit_with(cut), Unfit::cut) << cut;
  }
  for (const char* reason : {"length", "max_tokens", "max_output_tokens", "content_filter"}) {
    EXPECT_EQ(unfit_with(R"("finish_reason":")" + std::string(reason) + '"'), Unfit::stopped);
  }
  for (const char* nothing : {"null", R"("")", "[]"}) {
    EXPECT_EQ(unfit(kHello, R"("assistant":)" + std::string(nothing)), Unfit::empty);
  }
}

TEST(TrainingExample, NeedsMessagesWithRoles) {
  for (const char* list : {"null", R"("hi")", R"(["hi"])", R"([{"content":"hi"}])"}) {
    EXPECT_EQ(unfit(R"("messages":)" + std::string(list), R"("assistant":"a")"), Unfit::no_chat);
  }
}

TEST(TrainingExample, IsOfWhatTheChatApiTakesOnly) {
  const std::string said = R"("assistant":"a")";
  const std::string calls = R"("tool_calls":[)" + kCall + "]";
  for (const std::string& good :
       {R"({"role":"assistant","content":null,)" + calls + "}",
        R"({"role":"assistant",)" + calls + "}",
        std::string(R"({"role":"assistant","content":null,"function_call":{"name":"n"}})"),
        std::string(R"({"role":"user","content":[{"type":"text","text":"t"}]})"),
        std::string(R"({"role":"developer","content":"d"})")}) {
    EXPECT_EQ(unfit(kAsked + good + "]", said), std::nullopt) << good;
  }
  for (const std::string bad :
       {R"({"role":"user"})", R"({"role":"user","content":5})", R"({"role":"user","content":null})",
        R"({"role":"user","content":{}})", R"({"role":"user","content":[]})",
        R"({"role":"user","content":["a"]})", R"({"role":"x y","content":"a"})",
        R"({"role":"user","content":"a","role":"system"})", R"({"role":"assistant"})",
        R"({"role":"assistant","content":null,"tool_calls":[]})",
        R"({"role":"assistant","content":"a","tool_calls":[{"id":"c","type":"custom"}]})",
        R"({"role":"tool","content":"a"})"}) {
    EXPECT_EQ(unfit(kAsked + bad + "]", said), Unfit::no_chat) << bad;
  }
  EXPECT_EQ(unfit(R"("messages":[])", said), Unfit::no_chat);
  EXPECT_EQ(unfit(R"("messages":[{"role":"system","content":"s"}])", said), Unfit::no_chat);
  for (const std::string tools : {R"({"a":1})", "[1]", R"("x")", "[{}]"}) {
    EXPECT_EQ(unfit(kHello + (R"(,"tools":)" + tools), said), Unfit::no_chat) << tools;
  }
  for (const std::string call :
       {R"({"id":"","type":"function","function":{"name":"n","arguments":"{}"}})",
        R"({"id":"c","type":"custom","custom":{"name":"n","input":"x"}})",
        R"({"id":"c","type":"function","function":{"name":"n","arguments":{}}})", "7"}) {
    EXPECT_EQ(unfit(kHello, R"("assistant":[)" + call + "]"), Unfit::no_chat) << call;
  }
  EXPECT_EQ(unfit(kHello, R"("assistant":7)"), Unfit::no_chat);
}

TEST(TrainingExample, TakesTheTextOfOtherApis) {
  const char* parts =
      R"("messages":[{"role":"user","content":[{"type":"input_text","text":"a\n"},)"
      R"({"type":"text","text":"b"}]},{"role":"assistant","content":"c"}],"api":"responses")";
  EXPECT_EQ(example(parts, R"("assistant":"d")"),
            R"({"messages":[{"role":"user","content":"a\nb"},{"role":"assistant","content":"c"},)"
            R"({"role":"assistant","content":"d"}]})");
  const char* image =
      R"("messages":[{"role":"user","content":[{"type":"image","source":{}}]}],"api":"messages")";
  EXPECT_EQ(unfit(image, R"("assistant":"d")"), Unfit::no_chat);
  EXPECT_EQ(unfit(R"("messages":[],"tools":[{"name":"n"}],"api":"messages")", R"("assistant":"d")"),
            Unfit::no_chat);
}

}  // namespace
}  // namespace aifd::protocol
