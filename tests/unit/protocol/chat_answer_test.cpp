#include "recorded.hpp"

namespace aifd::protocol {
namespace {

std::string delta(const std::string& members, const std::string& rest = "") {
  return event(R"({"id":"c","object":"chat.completion.chunk","model":"m-1","choices":[{"index":0,)"
               R"("delta":{)" +
               members + "}" + rest + "}]}");
}

std::string content(const std::string& escaped) {
  return delta(R"("content":")" + escaped + "\"");
}

const std::string kStart = delta(R"("role":"assistant","content":"")");
const std::string kStop = delta("", R"(,"finish_reason":"stop")");
const std::string kDone = "data: [DONE]\n\n";

void expect_text(const std::string& stream, const std::string& text) {
  const Json record = recorded({}, stream);
  EXPECT_EQ(record["assistant"], text) << stream;
  EXPECT_EQ(record["is_tool_calls"], false);
}

TEST(ChatAnswer, IsRecordedInOrder) {
  const std::string stream = kStart + content("Hello") + content(" you") + kStop + kDone;
  EXPECT_EQ(record_of({}, {stream}),
            R"({"assistant":"Hello you","is_tool_calls":false,"uid":"u1",)"
            R"("datetime":"2023-10-17 15:27:12","model":"m-1","status":200,)"
            R"("finish_reason":"stop","usage":{"prompt_tokens":11,"completion_tokens":2,)"
            R"("total_tokens":13},"usage_source":"estimated","ended_by":"complete",)"
            R"("phase":"stream","ttft_ms":1234.005,"duration_ms":2000.100,"attempts":1,)"
            R"("api":"chat","route":"/","upstream":"api.openai.com"})");
  expect_text(stream, "Hello you");
}

TEST(ChatAnswer, IsReadHoweverItsEventsAreWritten) {
  for (const std::string end : {"\n", "\r\n", "\r"}) {
    const auto with_end = [&](std::string stream) {
      std::string converted;
      for (const char c : stream) converted += c == '\n' ? end : std::string(1, c);
      return converted;
    };
    expect_text(with_end(kStart + content("a") + kDone), "a");
    expect_text(with_end("\xEF\xBB\xBF" + content("a") + content("b")), "ab");
    expect_text(
        with_end(": ping\n\n" + content("a") + ": x\n\n\n\nid: 1\nretry: 3\n" + content("b")),
        "ab");
    expect_text(
        with_end("data:{\"choices\":\ndata: [{\"delta\":\ndata\ndata:{\"content\":\"a\"}}]}\n\n"),
        "a");
    expect_text(with_end("event: chunk\n" + content("a") + "event: x\n\n" + content("b")), "ab");
    expect_text(with_end(content("a") + "data: {\"choices\":[{\"delta\":{\"content\":\"b\"}}]}"),
                "ab");
    expect_text(with_end(content("a") + "data: {\"choices\":[{\"delta\":{\"content\":\"b\"}}]}\n"),
                "ab");
  }
}

TEST(ChatAnswer, PassesOverWhatIsNoEventOfIt) {
  for (const std::string& odd :
       {event("[1,2]"), event("\"x\""), event("7"), event("null"), event(""),
        event("{\"choices\":null}"), event(std::string(5000, '[')), event("ping"),
        event("{\"choices\":{}}"), event("{\"choices\":[[],1,null]}"),
        event(R"({"choices":[{"delta":null,"finish_reason":7}]})"),
        event(R"({"choices":[{"delta":{"content":{"a":1},"tool_calls":"x"}}]})"),
        event(R"({"choices":[{"delta":{"tool_calls":[null,7],"function_call":null}}]})"),
        event(R"({"choices":[{"delta":{"content":null,"reasoning":3,"refusal":[]}}]})"),
        event(R"({"choices":[],"prompt_filter_results":[],"model":""})"),
        std::string("nodata: x\n\n"), std::string("data\n\n")}) {
    const Json record = recorded_whole({}, content("a") + odd + content("b") + kStop);
    EXPECT_EQ(record["assistant"], "ab") << odd;
    EXPECT_EQ(record["model"], "m-1");
    EXPECT_EQ(record["finish_reason"], "stop");
    EXPECT_FALSE(record.contains("truncated"));
    EXPECT_FALSE(record.contains("error_text"));
  }
}

TEST(ChatAnswer, SaysThatAnEventCouldNotBeRead) {
  for (const std::string& odd : {event("{"), event(" {\"choices\":[]} y"),
                                 event("{\"a\":" + std::string(5000, '[')), event("{\xff}")}) {
    const Json record = recorded_whole({}, content("a") + odd + content("b") + kDone);
    EXPECT_EQ(record["assistant"], "ab") << odd;
    EXPECT_EQ(record["truncated"], true) << odd;
  }
  EXPECT_EQ(recorded_whole({.content_type = kJson}, "{\"choices\":[}]}")["truncated"], true);
  const Json cut = recorded_whole({.ended_by = "upstream"}, content("a") + "data: {\"choi");
  EXPECT_FALSE(cut.contains("truncated"));
}

TEST(ChatAnswer, ReadsWhatIsNoUtf8) {
  const Json split = recorded({}, content("a\xF0\x9F") + content("\x98\x80z"));
  EXPECT_EQ(split["assistant"], "a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDz");
  EXPECT_FALSE(split.contains("truncated"));
  const std::string body =
      "{\"model\":\"m\",\"choices\":[{\"message\":{\"content\":\"long \xFF "
      "end\"},\"finish_reason\":"
      "\"stop\"}]}";
  const Json whole = recorded({.content_type = kJson}, body);
  EXPECT_EQ(whole["assistant"], "long \xEF\xBF\xBD end");
  EXPECT_EQ(whole["finish_reason"], "stop");
  EXPECT_FALSE(whole.contains("truncated"));
  const Json cut = recorded({.content_type = kJson}, body.substr(0, 56));
  EXPECT_EQ(cut["assistant"], "long \xEF\xBF\xBD en");
  const Json bytes = recorded_whole({}, content(std::string(100'000, '\xFF')) + content("a"));
  EXPECT_EQ(bytes["assistant"], "a");
  EXPECT_EQ(bytes["truncated"], true);
}

TEST(ChatAnswer, ReadsEscapedNames) {
  expect_text(event(R"({"ch\u006fices":[{"d\u0065lta":{"\u0063ontent":"a"}}]})"), "a");
  expect_text(event(R"({"choices":[{"delta":{"content\n":"a","\"":1,"content":"b"}}]})"), "b");
  const Json usage = recorded(
      {.api = ConversationApi::messages},
      event(R"({"type":"message_delta","us\u0061ge":{"output\u005ftokens":1,"\"\u0041":2}})"));
  EXPECT_EQ(usage["usage"].dump(), R"({"output_tokens":1,"\"A":2})");
}

TEST(ChatAnswer, KeepsEveryCharacter) {
  expect_text(content("h\xC3\xA9\xF0\x9F\x98\x80"), "h\xC3\xA9\xF0\x9F\x98\x80");
  expect_text(content("\\n\\\"\\\\\\u00e9\\/\\u0000"), std::string("\n\"\\\xC3\xA9/\0", 7));
  expect_text(content("\\ud83d") + content("\\ude00!"), "\xF0\x9F\x98\x80!");
  expect_text(content("\\ud83d") + content("x"), "\xEF\xBF\xBDx");
  expect_text(content("a\\ude00\\ud83d") + content("\\ud83d\\ude00"),
              "a\xEF\xBF\xBD\xEF\xBF\xBD\xF0\x9F\x98\x80");
  expect_text(content("\\\\") + content("ud83d"), "\\ud83d");
}

TEST(ChatAnswer, OfNothing) {
  for (const std::string& stream : {std::string(), kDone, std::string(": ping\n\n")}) {
    const Json record = recorded({}, stream);
    EXPECT_EQ(record["assistant"], nullptr);
    EXPECT_EQ(record["is_tool_calls"], false);
    EXPECT_EQ(record["usage"], nullptr);
    EXPECT_EQ(record["usage_source"], "unknown");
    EXPECT_EQ(record["model"], nullptr);
    EXPECT_EQ(record["finish_reason"], nullptr);
  }
  EXPECT_EQ(recorded({}, kStart + kStop)["assistant"], "");
}

TEST(ChatAnswer, JoinsToolCalls) {
  const Json record = recorded(
      {},
      delta(R"("role":"assistant","content":null,"tool_calls":[{"index":0,"id":"a","type":)"
            R"("function","function":{"name":"f","arguments":""}}])") +
          delta(R"("tool_calls":[{"index":0,"function":{"arguments":"{\"x\":"}}])") +
          delta(R"("tool_calls":[{"index":1,"id":"b","function":{"name":"g","arguments":"{"}}])") +
          delta(R"("tool_calls":[{"index":0,"function":{"arguments":"1}"}},{"index":1,)"
                R"("function":{"arguments":"}"}}])") +
          delta("", R"(,"finish_reason":"tool_calls")"));
  EXPECT_EQ(record["is_tool_calls"], true);
  EXPECT_EQ(
      record["assistant"].dump(),
      R"([{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}},)"
      R"({"index":1,"id":"b","type":"function","function":{"name":"g","arguments":"{}"}}])");
  EXPECT_EQ(record["finish_reason"], "tool_calls");
  EXPECT_FALSE(record.contains("content"));
}

TEST(ChatAnswer, ToolCallsWithoutIndexAreToldByTheirId) {
  const Json record = recorded(
      {}, content("text") +
              delta(R"("tool_calls":[{"id":"a","function":{"name":"f","arguments":"1"}}])") +
              delta(R"("tool_calls":[{"id":"a","function":{"arguments":"2"}}])") +
              delta(R"("tool_calls":[{"function":{"arguments":"3"}}])") +
              delta(R"("tool_calls":[{"id":"b","function":{"name":"g","arguments":"4"}}])"));
  EXPECT_EQ(record["assistant"][0]["function"]["arguments"], "123");
  EXPECT_EQ(record["assistant"][1]["function"]["arguments"], "4");
  EXPECT_EQ(record["assistant"].size(), 2);
  EXPECT_EQ(record["content"], "text");
}

TEST(ChatAnswer, OtherCallsAreToolCallsToo) {
  const Json old = recorded({}, delta(R"("function_call":{"name":"f","arguments":""})") +
                                    delta(R"("function_call":{"arguments":"{}"})"));
  EXPECT_EQ(old["assistant"].dump(),
            R"([{"index":0,"id":"","type":"function","function":{"name":"f","arguments":"{}"}}])");
  const Json custom = recorded(
      {}, delta(R"("tool_calls":[{"index":0,"id":"a","type":"custom","custom":{"name":"f",)"
                R"("input":"x"}}])") +
              delta(R"("tool_calls":[{"index":0,"custom":{"input":"y"}}])"));
  EXPECT_EQ(custom["assistant"].dump(),
            R"([{"index":0,"id":"a","type":"custom","custom":{"name":"f","input":"xy"}}])");
}

TEST(ChatAnswer, KeepsReasoningAndRefusal) {
  for (const std::string name : {"reasoning_content", "reasoning"}) {
    const Json record = recorded({}, delta("\"" + name + R"(":"th")") +
                                         delta("\"" + name + R"(":"ink","content":null)") +
                                         content("a") + delta(R"("refusal":"no")"));
    EXPECT_EQ(record["assistant"], "a");
    EXPECT_EQ(record["reasoning"], "think");
    EXPECT_EQ(record["refusal"], "no");
  }
  EXPECT_EQ(recorded({}, delta(R"("reasoning":"a","reasoning_content":"a")"))["reasoning"], "a");
}

TEST(ChatAnswer, JoinsPartsOfContent) {
  const Json record = recorded(
      {}, delta(R"("content":[{"type":"thinking","thinking":[{"type":"text","text":"t"}]}])") +
              delta(R"("content":[{"type":"text","text":"a"},{"type":"text","text":"b"},"c"])") +
              delta(R"("audio":{"id":"x","transcript":"d"})"));
  EXPECT_EQ(record["assistant"], "abcd");
  EXPECT_EQ(record["reasoning"], "t");
}

TEST(ChatAnswer, HasAllChoices) {
  std::string stream;
  for (const std::string index : {"1", "0", "1", "0"}) {
    stream += event(R"({"choices":[{"index":)" + index + R"(,"delta":{"content":"t)" + index +
                    R"("}}]})");
  }
  stream += event(
      R"({"choices":[{"index":1,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f",)"
      R"("arguments":"{}"}}]},"finish_reason":"tool_calls"},{"index":0,"delta":{},)"
      R"("finish_reason":"length"}]})");
  const Json record = recorded({}, stream);
  EXPECT_EQ(record["assistant"], "t0t0");
  EXPECT_EQ(record["finish_reason"], "length");
  EXPECT_EQ(
      record["choices"].dump(),
      R"([{"index":0,"assistant":"t0t0","is_tool_calls":false,"finish_reason":"length"},)"
      R"({"index":1,"assistant":[{"index":0,"id":"a","type":"function","function":{"name":"f",)"
      R"("arguments":"{}"}}],"is_tool_calls":true,"content":"t1t1",)"
      R"("finish_reason":"tool_calls"}])");
  const Json unnumbered =
      recorded({}, event(R"({"choices":[{"delta":{"content":"a"}},{"delta":{"content":"b"}}]})"));
  EXPECT_EQ(unnumbered["choices"][1]["assistant"], "b");
}

TEST(ChatAnswer, TakesTheLastUsage) {
  const std::string usage =
      event(R"({"choices":[],"model":"","usage":{ "prompt_tokens":3,"completion_tokens":5,)"
            R"("total_tokens":8,"x":{"y":1.0}}})");
  const std::string so_far = event(
      R"({"choices":[{"delta":{"content":"b"}}],"usage":{"prompt_tokens":3,"completion_tokens":2}})");
  const std::string none = event(R"({"choices":[{"delta":{"content":"c"}}],"usage":null})");
  const Json record = recorded({}, content("a") + so_far + none + usage + kDone);
  EXPECT_EQ(record["usage"].dump(),
            R"({"prompt_tokens":3,"completion_tokens":5,"total_tokens":8,"x":{"y":1.0}})");
  EXPECT_EQ(record["usage_source"], "exact");
  EXPECT_EQ(record["model"], "m-1");
  const Json cut = recorded({.ended_by = "client"}, content("a") + content("a") + so_far + none);
  EXPECT_EQ(cut["usage"].dump(), R"({"prompt_tokens":3,"completion_tokens":4,"total_tokens":7})");
  EXPECT_EQ(cut["usage_source"], "estimated");
  EXPECT_EQ(cut["assistant"], "aabc");
}

TEST(ChatAnswer, SaysWhatAnErrorInItSaid) {
  for (const std::string& error :
       {event(R"({"error":{"message":"broke \"it\"","code":5}})"),
        "event: error\n" + event(R"({"message":"broke \"it\""})"),
        event(R"({"error":"broke \"it\""})"), "event: error\n" + event("broke \"it\""),
        event(R"({"choices":[{"delta":{},"error":{"message":"broke \"it\""}}]})")}) {
    const Json record = recorded({}, content("a") + error);
    EXPECT_EQ(record["error_text"], "broke \"it\"") << error;
    EXPECT_EQ(record["assistant"], "a");
  }
}

TEST(ChatAnswer, WhatIsEmptyIsNoError) {
  for (const std::string error : {"false", "true", "{}", "[]", "null", "0", "\"\""}) {
    const Json stream =
        recorded({}, content("a") + event(R"({"choices":[],"error":)" + error + "}"));
    EXPECT_FALSE(stream.contains("error_text")) << error;
    for (const ConversationApi api :
         {ConversationApi::chat, ConversationApi::messages, ConversationApi::responses,
          ConversationApi::embedding, ConversationApi::whisper}) {
      const Json whole =
          recorded({.api = api, .content_type = kJson}, R"({"error":)" + error + "}");
      EXPECT_FALSE(whole.contains("error_text")) << error;
    }
  }
  EXPECT_EQ(recorded({.content_type = kJson, .status = 500},
                     R"({"error":false,"message":"no"})")["error_text"],
            "no");
}

TEST(ChatAnswer, UsageIsExactOnlyWhereItIsThere) {
  const std::string small = event(R"({"choices":[],"usage":{"completion_tokens":7}})");
  for (const std::string& report :
       {R"({"x":")" + std::string(20'000, 'x') + "\"}",
        R"({"x":)" + std::string(600, '[') + std::string(600, ']') + "}"}) {
    const std::string large = event(R"({"choices":[],"usage":)" + report + "}");
    const Json record = recorded_whole({}, content("a") + small + large + kDone);
    EXPECT_EQ(record["usage_source"], "estimated");
    EXPECT_EQ(record["usage"]["completion_tokens"], 1);
    EXPECT_EQ(record["truncated"], true);
  }
}

TEST(ChatAnswer, ThatCameWholeIsTheSame) {
  const std::string body =
      R"({ "id":"c","object":"chat.completion","model":"m","choices":[{"index":0,"message":{)"
      R"("role":"assistant","content":"h\u00e9 \ud83d","reasoning_content":"t","refusal":null,)"
      R"("tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]},)"
      R"("logprobs":{"content":[{"token":"a"}]},"finish_reason":"stop"}],)"
      R"("usage":{"prompt_tokens":1,"completion_tokens":2}})";
  for (const std::string& type : {kJson, std::string(), kEvents, std::string("text/plain")}) {
    const Json record = recorded({.content_type = type}, body);
    EXPECT_EQ(record["content"], "h\xC3\xA9 \xEF\xBF\xBD");
    EXPECT_EQ(record["assistant"][0]["id"], "a");
    EXPECT_EQ(record["reasoning"], "t");
    EXPECT_EQ(record["finish_reason"], "stop");
    EXPECT_EQ(record["usage_source"], "exact");
  }
}

TEST(ChatAnswer, IsReadAsAStreamWhereItIsOne) {
  for (const std::string type : {"", "text/plain", "application/json", "text/event-stream"}) {
    EXPECT_EQ(recorded({.content_type = type}, content("a") + content("b") + kDone)["assistant"],
              "ab");
  }
  const Answered whole{.content_type = "", .options = {.streams_by_default = false}};
  EXPECT_EQ(recorded(whole, content("a"))["assistant"], "a");
}

TEST(ChatAnswer, OfOllamaIsReadLineByLine) {
  const Json record = recorded(
      {.content_type = "application/x-ndjson"},
      R"({"model":"q","message":{"role":"assistant","content":"","thinking":"t"},"done":false})"
      "\n"
      R"({"model":"q","message":{"role":"assistant","content":"a"},"done":false})"
      "\r\n\n"
      R"({"model":"q","message":{"content":"b","tool_calls":[{"function":{"name":"f","arguments":)"
      R"({"x":1}}},{"function":{"name":"g","arguments":{}}}]},"done":false})"
      "\n"
      R"({"model":"q","message":{"content":""},"done_reason":"stop","done":true,)"
      R"("prompt_eval_count":4,"eval_count":2})");
  EXPECT_EQ(record["content"], "ab");
  EXPECT_EQ(record["reasoning"], "t");
  EXPECT_EQ(record["assistant"][0]["function"]["arguments"], R"({"x":1})");
  EXPECT_EQ(record["assistant"][1]["function"]["name"], "g");
  EXPECT_EQ(record["finish_reason"], "stop");
  EXPECT_EQ(record["usage"].dump(),
            R"({"prompt_tokens":4,"completion_tokens":2,"total_tokens":6})");
  EXPECT_EQ(record["usage_source"], "exact");
}

}  // namespace
}  // namespace aifd::protocol
