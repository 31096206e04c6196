#include "aifd/protocol/answer_to_stream.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "converted.hpp"

namespace aifd::protocol {
namespace {

std::vector<Json> deltas_of(const std::string& answer) {
  std::vector<Json> deltas;
  for (const Json& event : events_of(answer)) {
    if (event.is_object()) deltas.push_back(event["choices"][0]["delta"]);
  }
  return deltas;
}

TEST(AnswerToStream, TellsAChatAsOpenAiDoes) {
  const std::string answer = R"({
    "id": "c1", "object": "chat.completion", "created": 17, "model": "m", "service_tier": "default",
    "system_fingerprint": null, "odd": [1],
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello, my friend",
                 "refusal": null, "annotations": []}, "logprobs": null, "finish_reason": "stop"}],
    "usage": {"total_tokens": 3}})";
  const std::string head = R"("object":"chat.completion.chunk","id":"c1","created":17,"model":"m",)"
                           R"("service_tier":"default","system_fingerprint":null,"choices":[)";
  const auto event = [&](const std::string& delta, const std::string& finish = "null",
                         const std::string& rest = "") {
    return "data: {" + head + R"({"index":0,"delta":{)" + delta +
           R"(},"logprobs":null,"finish_reason":)" + finish + "}]" + rest + "}\n\n";
  };
  const std::string first = R"("role":"assistant","content":"","refusal":null,"annotations":[])";
  EXPECT_EQ(stream_from_answer(answer, false),
            event(first, "null", ",\"odd\":[1]") + event(R"("content":"Hello,")") +
                event(R"("content":" my frie")") + event(R"("content":"nd")") +
                event("", "\"stop\"") + "data: [DONE]\n\n");
}

TEST(AnswerToStream, SaysTheUsageWhereItIsAskedFor) {
  const auto asked = events_of(text_chat("a"), true);
  ASSERT_EQ(asked.size(), 5U);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(asked[i].at("usage").is_null());
  EXPECT_EQ(asked[3]["choices"], Json::array());
  EXPECT_EQ(asked[3]["usage"]["total_tokens"], 3);
  const auto unasked = events_of(text_chat("a"));
  ASSERT_EQ(unasked.size(), 4U);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_FALSE(unasked[i].contains("usage"));
}

TEST(AnswerToStream, NeverCutsACharacter) {
  const std::string text =
      R"(😀😀é漢字漢字 \ud83d\ude00\ud83d\ude00\ud83d\ude00\n\n\"\\\\ \u00e9\/aaaaaaaaaaaaaaaa)";
  const auto stream = stream_from_answer(text_chat(text), false);
  ASSERT_TRUE(stream);
  SseReader reader(*stream);
  std::string joined;
  std::size_t pieces = 0;
  while (reader.next()) {
    const std::string& data = reader.data();
    const std::size_t at = data.find(R"("delta":{"content":")");
    if (at == data.npos) continue;
    const std::size_t begin = at + 20;
    const std::string piece = data.substr(begin, data.find("\"},\"finish", begin) - begin);
    joined += piece;
    ++pieces;
    EXPECT_LE(piece.size(), 19U) << piece;
    EXPECT_TRUE(Json::accept("\"" + piece + "\"")) << piece;
  }
  EXPECT_EQ(joined, text);
  EXPECT_GT(pieces, 10U);
}

TEST(AnswerToStream, TellsTokensOneByOne) {
  const auto token = [](const std::string& text) {
    return R"({"token":")" + text + R"(","logprob":-0.10,"bytes":[1],"top_logprobs":[]})";
  };
  const std::string lists = R"(,"logprobs":{"content":[)" + token("Hel") + "," + token("lo") + "," +
                            token("") + R"(],"refusal":null})";
  const std::string answer = chat(R"({"role":"assistant","content":"Hello"})", lists);
  const auto events = events_of(answer);
  ASSERT_EQ(events.size(), 6U);
  EXPECT_EQ(events[1]["choices"][0]["delta"], Json::parse(R"({"content":"Hel"})"));
  EXPECT_EQ(events[1]["choices"][0]["logprobs"],
            Json::parse(R"({"content":[)" + token("Hel") + R"(],"refusal":null})"));
  EXPECT_EQ(events[2]["choices"][0]["delta"]["content"], "lo");
  EXPECT_EQ(events[3]["choices"][0]["delta"]["content"], "");
  EXPECT_TRUE(events[4]["choices"][0]["logprobs"].is_null());
  EXPECT_EQ(returned(answer), Json::parse(answer));
}

TEST(AnswerToStream, TokensThatAreNotTheTextComeAtTheEnd) {
  for (const std::string list :
       {R"([{"token":"Hel"}])", R"([{"token":"Hello"},{"token":"x"}])", R"([{"token":7}])", "[]",
        R"([{"bytes":[1]}])", "[7]", R"({"a":1})"}) {
    const std::string answer = chat(R"({"role":"assistant","content":"Hello"})",
                                    R"(,"logprobs":{"content":)" + list + "}");
    const auto events = events_of(answer);
    ASSERT_EQ(events.size(), 4U) << list;
    EXPECT_TRUE(events[1]["choices"][0]["logprobs"].is_null());
    EXPECT_EQ(events[2]["choices"][0]["logprobs"]["content"], Json::parse(list));
    EXPECT_EQ(returned(answer), Json::parse(answer));
  }
}

TEST(AnswerToStream, TellsToolCalls) {
  const std::string answer = chat(R"({"role":"assistant","content":null,"tool_calls":[
    {"id":"a","type":"function","function":{"name":"f","arguments":"{\"city\":1}"},"x":[1]},
    {"id":"b","type":"custom","custom":{"name":"g","input":"in"}}]})");
  EXPECT_EQ(Json(deltas_of(answer)), Json::parse(R"([
    {"role":"assistant","content":null},
    {"tool_calls":[{"index":0,"id":"a","type":"function","x":[1],
                    "function":{"name":"f","arguments":""}}]},
    {"tool_calls":[{"index":0,"function":{"arguments":"{\"city\""}}]},
    {"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]},
    {"tool_calls":[{"index":1,"id":"b","type":"custom","custom":{"name":"g","input":""}}]},
    {"tool_calls":[{"index":1,"custom":{"input":"in"}}]},
    {}])"));
}

TEST(AnswerToStream, TellsThoughtsBeforeTheText) {
  EXPECT_EQ(Json(deltas_of(chat(R"({"content":"c","refusal":"no","reasoning":"r",)"
                                R"("function_call":{"name":"f","arguments":"{}"}})"))),
            Json::parse(R"([{"role":"assistant","content":""},{"reasoning":"r"},{"content":"c"},
    {"refusal":"no"},{"function_call":{"name":"f","arguments":""}},
    {"function_call":{"arguments":"{}"}},{}])"));
}

TEST(AnswerToStream, RefusesWhatCannotBeTold) {
  ASSERT_TRUE(stream_from_answer(text_chat("a"), false));
  const std::string many_bytes(3000, 'i');
  for (const std::string& bad :
       {std::string(),
        std::string("[]"),
        std::string("{}"),
        std::string("{\"object\":\"list\"}"),
        std::string(R"({"object":"chat.completion"})"),
        std::string(R"({"object":"chat.completion","choices":[]})"),
        std::string(R"({"object":"chat.completion","choices":[1]})"),
        std::string(R"({"error":{"message":"m"}})"),
        text_chat("a") + "}",
        text_chat("\xff"),
        text_chat("a\nb"),
        text_chat("a").substr(0, 100),
        chat("null"),
        chat(R"({"content":["a"]})"),
        chat(R"({"content":"a","audio":{"id":"x"}})"),
        chat(R"({"content":"a","content":"b"})"),
        chat(R"({"tool_calls":{}})"),
        chat(R"({"tool_calls":[1]})"),
        chat(R"({"tool_calls":[{"id":"a"}]})"),
        chat(R"({"tool_calls":[{"function":{"name":"f","arguments":{}}}]})"),
        chat(R"({"content":"a"})", R"(,"logprobs":[])"),
        chat(R"({"function_call":"f"})"),
        chat(R"({"function_call":{"name":"f"}})"),
        chat(R"({"content":"a"})", R"(},{"index":0,"message":{},"finish_reason":"stop")"),
        chat(R"({"content":"a"})", R"(},{"index":7,"message":{},"finish_reason":"stop")"),
        chat(R"({"content":"a"})", R"(},{"index":1,"message":{},"finish_reason":null)"),
        chat(R"({"content":"a"})", R"(},{"index":1,"message":{},"finish_reason":"error")"),
        std::string(
            R"({"object":"text_completion","choices":[{"index":0,"finish_reason":"stop"}]})"),
        R"({"id":")" + many_bytes + text_chat("a").substr(9),
        R"({"a":)" + std::string(100'000, '[') + std::string(100'000, ']') + "," +
            text_chat("a").substr(1),
        std::string(R"({"object":"response","status":"incomplete","output":[]})"),
        std::string(R"({"object":"response","status":"completed","error":{},"output":[]})"),
        response("{}"),
        response("[1]"),
        response(R"([{"type":"message","content":[{"type":"odd"}]}])"),
        response(R"([{"type":"message","content":[{"type":"output_text"}]}])"),
        response(R"([{"type":"function_call","arguments":{}}])")}) {
    EXPECT_FALSE(stream_from_answer(bad, true)) << bad.substr(0, 200);
  }
}

std::string repeated(const std::string& text, std::size_t times) {
  std::string all;
  all.reserve(text.size() * times);
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

// A stream of a long answer is no great multiple of it.
TEST(AnswerToStream, BoundsTheStream) {
  const std::size_t megabyte = std::size_t{1} << 20;
  const std::vector<std::string> answers{
      text_chat(repeated("a ", 4 * megabyte)), text_chat(repeated("\\u00e9", megabyte)),
      chat(R"({"content":")" + repeated("a", megabyte / 4) + "\"}",
           R"(,"logprobs":{"content":[{"token":"a"})" +
               repeated(R"(,{"token":"a"})", megabyte / 4 - 1) + "]}"),
      response(R"([{"id":"m","type":"message","content":[{"type":"output_text","text":")" +
               repeated("漢", megabyte) + R"("}]}])")};
  for (const std::string& answer : answers) {
    const auto start = std::chrono::steady_clock::now();
    const auto stream = stream_from_answer(answer, true);
    ASSERT_TRUE(stream);
    EXPECT_LT(stream->size(), answer.size() * 6 + 8 * megabyte);
    EXPECT_TRUE(answer_from_stream(*stream));
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
  }
  const std::string choices =
      repeated(R"(},{"message":{"content":"a"},"finish_reason":"stop")", 5000);
  EXPECT_FALSE(stream_from_answer(chat(R"({"content":"a"})", choices), false));
  const std::string items = "[{}" + repeated(",{}", 5000) + "]";
  EXPECT_FALSE(stream_from_answer(response(items), false));
}

}  // namespace
}  // namespace aifd::protocol
