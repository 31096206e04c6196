#include "aifd/protocol/answer_to_stream.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "aifd/protocol/stream_to_answer.hpp"
#include "sse_reader.hpp"

namespace aifd::protocol {
namespace {

using Json = nlohmann::json;

// The events' data; "[DONE]" is a string.
std::vector<Json> events_of(const std::string& answer, bool include_usage = false) {
  const auto stream = stream_from_answer(answer, include_usage);
  if (!stream) return {};
  std::vector<Json> events;
  SseReader reader(*stream);
  while (reader.next()) {
    events.push_back(reader.data() == "[DONE]" ? Json("[DONE]") : Json::parse(reader.data()));
  }
  return events;
}

std::vector<Json> deltas_of(const std::string& answer) {
  std::vector<Json> deltas;
  for (const Json& event : events_of(answer)) {
    if (event.is_object()) deltas.push_back(event["choices"][0]["delta"]);
  }
  return deltas;
}

// The answer, as JSON, out of its own stream.
Json returned(const std::string& answer) {
  const auto stream = stream_from_answer(answer, true);
  if (!stream) return "no stream";
  const auto back = answer_from_stream(*stream);
  if (!back) return "no answer";
  const auto again = stream_from_answer(*back, true);
  EXPECT_TRUE(again);
  const auto second = answer_from_stream(*again);
  EXPECT_EQ(second ? Json::parse(*second) : Json(), Json::parse(*back));
  return Json::parse(*back);
}

// A chat with this message.
std::string chat(const std::string& message, const std::string& rest = "") {
  return R"({"id":"c1","object":"chat.completion","created":17,"model":"m","choices":[{"index":0,)"
         R"("message":)" +
         message + R"(,"finish_reason":"stop")" + rest +
         R"(}],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}})";
}

std::string text_chat(const std::string& text) {
  return chat(R"({"role":"assistant","content":")" + text + "\"}");
}

std::string response(const std::string& output) {
  return R"({"id":"resp_1","object":"response","created_at":1,"status":"completed","error":null,)"
         R"("model":"m","output":)" +
         output + R"(,"usage":{"total_tokens":3}})";
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

TEST(AnswerToStream, ChatsComeBackEqual) {
  for (const std::string& answer :
       {text_chat("Hello, how are you \\n today? \\u00e9 漢字"), text_chat(""),
        chat(R"({"role":"assistant","content":null,"refusal":"I cannot do that, sorry."})"),
        chat(R"({"role":"assistant","content":"","refusal":"","reasoning_content":"","x":""})"),
        chat(R"({"role":"assistant","content":"a","reasoning_content":"I think a lot about it",
                 "reasoning":null,"reasoning_details":[{"type":"t","text":"x"}],"tool_calls":[],
                 "audio":null,"function_call":null,"annotations":[{"type":"url_citation"}],"n":1.0})"),
        chat(R"({"role":"assistant","content":null,"tool_calls":[
                 {"id":"a","type":"function","function":{"name":"f","arguments":"{\"a\": [1, 2]}"}},
                 {"id":"b","type":"function","function":{"name":"g","arguments":""},"x":null}]})"),
        chat(R"({"role":"assistant","content":null,
                 "function_call":{"name":"f","arguments":"{\"long\":\"argument\"}"}})"),
        chat(R"({"role":"assistant","content":"ab"})",
             R"(,"logprobs":{"content":null,"refusal":null},"stop_reason":null,"token_ids":[1,2])"),
        chat(R"({"role":"assistant","content":null,"refusal":"ab"})",
             R"(,"logprobs":{"content":null,"refusal":[{"token":"a"},{"token":"b"}]})"),
        chat(R"({"role":"assistant","content":"ab"})",
             R"(,"logprobs":null,"content_filter_results":{"hate":{"filtered":false}}},
                {"index":1,"message":{"role":"assistant","content":"second"},
                 "finish_reason":"length")")}) {
    EXPECT_EQ(returned(answer), Json::parse(answer)) << answer;
  }
}

TEST(AnswerToStream, CompletionsComeBackEqual) {
  const auto completion = [](const std::string& choices) {
    return R"({"id":"cmpl-1","object":"text_completion","created":1,"model":"i","choices":[)" +
           choices + R"(],"usage":{"total_tokens":3}})";
  };
  const std::string tokens =
      completion(R"({"text":"ab","index":0,"logprobs":{"tokens":["a","b"],"token_logprobs":
                     [null,-0.5],"top_logprobs":null,"text_offset":[0,1]},"finish_reason":"stop"})");
  const auto events = events_of(tokens);
  ASSERT_EQ(events.size(), 4U);
  EXPECT_EQ(events[1]["choices"], Json::parse(R"([{"text":"b","index":0,"logprobs":{"tokens":["b"],
    "token_logprobs":[-0.5],"top_logprobs":null,"text_offset":[1]},"finish_reason":null}])"));
  for (const std::string& answer :
       {tokens,
        completion(R"({"text":"Hello you there","index":1,"logprobs":null,"finish_reason":"stop"},
                      {"text":"","index":0,"logprobs":null,"finish_reason":"length"})"),
        completion(R"({"text":"ab","index":0,"logprobs":{"tokens":["a","b"],"token_logprobs":[1]},
                       "finish_reason":"stop","stop_reason":"x"})")}) {
    Json expected = Json::parse(answer);
    if (expected["choices"][0]["index"] == 1)
      std::swap(expected["choices"][0], expected["choices"][1]);
    EXPECT_EQ(returned(answer), expected) << answer;
  }
}

const std::string kOutput = R"([
  {"id":"rs_1","type":"reasoning","summary":[{"type":"summary_text","text":"I think"}]},
  {"id":"ws_1","type":"web_search_call","status":"completed","action":{"query":"q"}},
  {"id":"msg_1","type":"message","status":"completed","role":"assistant","content":[
    {"type":"output_text","text":"Hello, my friend","annotations":[{"type":"url_citation"}],
     "logprobs":[]},
    {"type":"refusal","refusal":"no"}]},
  {"id":"fc_1","type":"function_call","status":"completed","call_id":"c","name":"f",
   "arguments":"{}"}])";

TEST(AnswerToStream, TellsAResponse) {
  std::vector<std::string> types;
  const auto events = events_of(response(kOutput));
  for (std::size_t i = 0; i < events.size(); ++i) {
    EXPECT_EQ(events[i].at("sequence_number"), i);
    types.push_back(std::string(events[i].at("type")).substr(std::string("response.").size()));
  }
  EXPECT_EQ(types, (std::vector<std::string>{"created",
                                             "in_progress",  //
                                             "output_item.added",
                                             "reasoning_summary_part.added",  //
                                             "reasoning_summary_text.delta",
                                             "reasoning_summary_text.done",  //
                                             "reasoning_summary_part.done",
                                             "output_item.done",  //
                                             "output_item.added",
                                             "output_item.done",  //
                                             "output_item.added",
                                             "content_part.added",
                                             "output_text.delta",  //
                                             "output_text.delta",
                                             "output_text.delta",
                                             "output_text.done",  //
                                             "output_text.annotation.added",
                                             "content_part.done",  //
                                             "content_part.added",
                                             "refusal.delta",
                                             "refusal.done",  //
                                             "content_part.done",
                                             "output_item.done",  //
                                             "output_item.added",
                                             "function_call_arguments.delta",  //
                                             "function_call_arguments.done",
                                             "output_item.done",
                                             "completed"}));
  ASSERT_EQ(events.size(), 28U);
  EXPECT_EQ(events[0]["response"]["status"], "in_progress");
  EXPECT_EQ(events[0]["response"]["output"], Json::array());
  EXPECT_EQ(events[10]["item"], Json::parse(R"({"id":"msg_1","type":"message",
    "status":"in_progress","role":"assistant","content":[]})"));
  EXPECT_EQ(events[11]["part"],
            Json::parse(R"({"type":"output_text","text":"","annotations":[],"logprobs":[]})"));
  EXPECT_EQ(events[12], Json::parse(R"({"type":"response.output_text.delta","sequence_number":12,
    "item_id":"msg_1","output_index":2,"content_index":0,"delta":"Hello,","logprobs":[]})"));
  EXPECT_EQ(events[25]["name"], "f");
}

TEST(AnswerToStream, ResponsesComeBackEqual) {
  const std::string answer = response(kOutput);
  EXPECT_EQ(returned(answer), Json::parse(answer));
  EXPECT_EQ(returned(response("[]")), Json::parse(response("[]")));
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
