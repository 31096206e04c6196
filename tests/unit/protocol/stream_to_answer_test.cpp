#include "aifd/protocol/stream_to_answer.hpp"

#include <gtest/gtest.h>

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>

namespace aifd::protocol {
namespace {

using Json = nlohmann::json;

std::string events(std::initializer_list<std::string_view> data) {
  std::string stream;
  for (const std::string_view one : data) stream.append("data: ").append(one).append("\n\n");
  return stream;
}

// A chat chunk with these choices.
std::string chunk(std::string_view choices) {
  return std::string(R"({"id":"c1","object":"chat.completion.chunk","created":17,"model":"m",)")
      .append(R"("choices":[)")
      .append(choices)
      .append("]}");
}

// A chunk of the only choice.
std::string delta(std::string_view delta, std::string_view rest = R"("finish_reason":null)") {
  return chunk(std::string(R"({"index":0,"delta":)").append(delta).append(",").append(rest) + "}");
}

const std::string kStop = delta("{}", R"("finish_reason":"stop")");

Json answer_to(const std::string& stream) {
  const auto answer = answer_from_stream(stream);
  return answer ? Json::parse(*answer) : Json("none");
}

Json choice_of(std::initializer_list<std::string_view> data) {
  const Json answer = answer_to(events(data));
  return answer.is_object() ? answer["choices"][0] : answer;
}

Json message_of(std::initializer_list<std::string_view> data) {
  const Json choice = choice_of(data);
  return choice.is_object() ? choice["message"] : choice;
}

TEST(StreamToAnswer, JoinsAChat) {
  const std::string stream = events(
      {R"({"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"gpt-4o",)"
       R"("service_tier":"default","system_fingerprint":"fp_1","choices":[{"index":0,"delta":)"
       R"({"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}],)"
       R"("usage":null,"obfuscation":"x7"})",
       R"({"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"gpt-4o",)"
       R"("choices":[{"index":0,"delta":{"content":"Hel"},"logprobs":null,"finish_reason":null}]})",
       R"({"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"gpt-4o",)"
       R"("choices":[{"index":0,"delta":{"content":"lo\n"},"finish_reason":null}],"usage":null})",
       R"({"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"gpt-4o",)"
       R"("choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"usage":null})",
       R"({"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"gpt-4o",)"
       R"("choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11}})",
       "[DONE]"});
  EXPECT_EQ(answer_to(stream), Json::parse(R"({
    "id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"gpt-4o",
    "service_tier":"default","system_fingerprint":"fp_1",
    "choices":[{"index":0,"message":{"role":"assistant","content":"Hello\n","refusal":null},
                "logprobs":null,"finish_reason":"stop"}],
    "usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11}})"));
}

TEST(StreamToAnswer, NothingShortOfTheEndIsAnAnswer) {
  const std::string stream =
      events({delta(R"({"role":"assistant","content":"a"})"), kStop,
              R"({"object":"chat.completion.chunk","choices":[],"usage":{}})", "[DONE]"});
  ASSERT_TRUE(answer_from_stream(stream));
  for (std::size_t size = 0; size < stream.size(); ++size) {
    EXPECT_FALSE(answer_from_stream(std::string_view(stream).substr(0, size))) << size;
  }
}

TEST(StreamToAnswer, ReadsEveryFormOfLines) {
  const std::string first = delta(R"({"content":"a"})");
  const std::size_t cut = first.find(",\"choices\"") + 1;
  for (const std::string end : {"\n", "\r\n", "\r"}) {
    std::string stream = "\xEF\xBB\xBF: hi" + end + end + "event: message" + end + "id: 1" + end;
    stream += "data:" + first.substr(0, cut) + end + "data: " + first.substr(cut) + end + end;
    stream += ":" + end + "retry: 10" + end + "data" + end + end + "event: ping" + end + end;
    stream += "data: " + kStop + end + end + end + "data: [DONE]" + end + end + "data: after";
    EXPECT_EQ(answer_to(stream)["choices"][0]["message"]["content"], "a");
  }
}

TEST(StreamToAnswer, ChoicesComeInAnyOrder) {
  const Json answer = answer_to(
      events({chunk(R"({"index":1,"delta":{"content":"b"}},{"index":0,"delta":{"content":"a"}})"),
              chunk(R"({"index":0,"delta":{"content":"A"},"finish_reason":"stop"})"),
              chunk(R"({"index":1,"delta":{"content":"B"},"finish_reason":"length"})"), "[DONE]"}));
  ASSERT_EQ(answer["choices"].size(), 2U);
  EXPECT_EQ(answer["choices"][0]["message"]["content"], "aA");
  EXPECT_EQ(answer["choices"][1]["message"]["content"], "bB");
  EXPECT_EQ(answer["choices"][1]["finish_reason"], "length");
}

TEST(StreamToAnswer, JoinsToolCallsByIndex) {
  const Json message = message_of(
      {delta(R"({"role":"assistant","content":null,"tool_calls":[{"index":0,"id":"call_1",)"
             R"("type":"function","function":{"name":"f","arguments":""}}]})"),
       delta(R"({"tool_calls":[{"index":0,"function":{"arguments":"{\"a\""}}]})"),
       delta(R"({"tool_calls":[{"index":1,"id":"call_2","type":"custom",)"
             R"("custom":{"name":"g","input":"x"}},{"index":0,"function":{"arguments":":1}"}}]})"),
       delta(
           R"({"tool_calls":[{"index":1,"id":"call_2","type":"","custom":{"name":"g","input":"y"},)"
           R"("extra_content":{"thought_signature":"s"}}]})"),
       kStop, "[DONE]"});
  EXPECT_EQ(message, Json::parse(R"({"role":"assistant","content":null,"tool_calls":[
    {"id":"call_1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}},
    {"id":"call_2","type":"custom","custom":{"name":"g","input":"xy"},
     "extra_content":{"thought_signature":"s"}}]})"));
}

TEST(StreamToAnswer, ToolCallsWithoutIndexAndArguments) {
  const Json message = message_of({delta(R"({"tool_calls":[{"id":"a","function":{"name":"f"}}]})"),
                                   delta(R"({"tool_calls":[{"function":{"arguments":"{}"}}]})"),
                                   delta(R"({"tool_calls":[{"id":"b","function":{"name":"g"}}]})"),
                                   kStop, "[DONE]"});
  EXPECT_EQ(message["tool_calls"], Json::parse(R"([
    {"id":"a","type":"function","function":{"name":"f","arguments":"{}"}},
    {"id":"b","type":"function","function":{"name":"g","arguments":""}}])"));
}

TEST(StreamToAnswer, ToolCallsThatAreMixedUpAreNoAnswer) {
  const auto with = [](std::string_view call) {
    return message_of({delta(R"({"tool_calls":[{"index":0,"id":"a","function":{"name":"f"}}]})"),
                       delta("{\"tool_calls\":[" + std::string(call) + "]}"), kStop, "[DONE]"});
  };
  EXPECT_TRUE(with(R"({"index":0,"id":"a","function":{"name":"f"}})").is_object());
  EXPECT_EQ(with(R"({"index":0,"id":"b","function":{"name":"f"}})"), "none");
  EXPECT_EQ(with(R"({"index":0,"function":{"name":"g"}})"), "none");
  EXPECT_EQ(with(R"({"index":0,"function":{"arguments":{}}})"), "none");
  EXPECT_EQ(with(R"({"index":-1})"), "none");
  EXPECT_EQ(with(R"({"index":"0"})"), "none");
  EXPECT_EQ(with("1"), "none");
}

TEST(StreamToAnswer, JoinsEveryTextOfAMessage) {
  const Json message = message_of(
      {delta(R"({"role":"","reasoning_content":"th","reasoning":"x","tool_calls":null})"),
       delta(R"({"role":"assistant","reasoning_content":"ink","reasoning":null,"refusal":"n"})"),
       delta(R"({"function_call":{"name":"f","arguments":"{"},"refusal":"o","odd":"1"})"),
       delta(R"({"function_call":{"arguments":"}"},"odd":"2","list":[1],"last":{"a":1}})"),
       delta(R"({"list":[],"last":2})"), delta(R"({"list":[2,{"b":3}],"last":{"a":2.10}})"), kStop,
       "[DONE]"});
  EXPECT_EQ(message, Json::parse(R"({"role":"assistant","content":null,"tool_calls":null,
    "reasoning_content":"think","reasoning":"x","refusal":"no","odd":"12","list":[1,2,{"b":3}],
    "last":{"a":2.10},"function_call":{"name":"f","arguments":"{}"}})"));
}

TEST(StreamToAnswer, JoinsWhatIsBesideTheDelta) {
  const Json choice = choice_of(
      {delta("{}", R"("finish_reason":"","logprobs":{"content":[{"token":"a"}],"refusal":null})"),
       delta("{}", R"("token_ids":[1],"logprobs":{"content":[],"refusal":[{"token":"r"}]})"),
       delta("null", R"("token_ids":[2],"logprobs":{"content":[{"token":"b"}]},"stop_reason":"x")"),
       delta("{}", R"("finish_reason":"stop","stop_reason":"y")"),
       delta("{}", R"("finish_reason":null,"stop_reason":null,"logprobs":null)"), "[DONE]"});
  EXPECT_EQ(choice["logprobs"], Json::parse(R"({"content":[{"token":"a"},{"token":"b"}],
                                               "refusal":[{"token":"r"}]})"));
  EXPECT_EQ(choice["token_ids"], Json({1, 2}));
  EXPECT_EQ(choice["stop_reason"], "y");
  EXPECT_EQ(choice["finish_reason"], "stop");
}

TEST(StreamToAnswer, AzuresFirstChunkHasNeitherNameNorChoices) {
  const Json answer = answer_to(
      events({R"({"choices":[],"created":0,"id":"","model":"","object":"",)"
              R"("prompt_filter_results":[{"prompt_index":0}]})",
              delta(R"({"content":"a"})", R"("content_filter_results":{})"), kStop, "[DONE]"}));
  EXPECT_EQ(answer["id"], "c1");
  EXPECT_EQ(answer["created"], 17);
  EXPECT_EQ(answer["model"], "m");
  EXPECT_EQ(answer["prompt_filter_results"].size(), 1U);
  EXPECT_FALSE(answer.contains("usage"));
}

TEST(StreamToAnswer, JoinsACompletion) {
  const auto part = [](std::string_view choice) {
    return R"({"id":"cmpl-1","object":"text_completion","created":1,"model":"i","choices":[{)" +
           std::string(choice) + "}]}";
  };
  const std::string stream =
      events({part(R"("text":"a","index":0,"logprobs":{"tokens":["a"],"token_logprobs":[-0.10],)"
                   R"("top_logprobs":null,"text_offset":[0]},"finish_reason":null)"),
              part(R"("text":"b","index":0,"logprobs":{"tokens":["b"],"token_logprobs":[null],)"
                   R"("top_logprobs":null,"text_offset":[1]},"finish_reason":"stop")"),
              R"({"object":"text_completion","choices":[],"usage":{"total_tokens":3}})", "[DONE]"});
  EXPECT_EQ(answer_to(stream), Json::parse(R"({"id":"cmpl-1","object":"text_completion","created":1,
    "model":"i","choices":[{"text":"ab","index":0,"logprobs":{"tokens":["a","b"],
    "token_logprobs":[-0.1,null],"top_logprobs":null,"text_offset":[0,1]},"finish_reason":"stop"}],
    "usage":{"total_tokens":3}})"));
  EXPECT_NE(answer_from_stream(stream)->find("[-0.10,null]"), std::string::npos);
}

TEST(StreamToAnswer, KeepsTheBytesOfNumbersAndHalvesOfPairs) {
  const auto answer = answer_from_stream(events(
      {delta(R"({"content":"\ud83d"})"), delta(R"({"content":"\ude00 \u00e9"})"),
       delta("{}", R"("finish_reason":"stop","x":{ "n" : 1.10e+2, "big":12345678901234567890123})"),
       "[DONE]"}));
  ASSERT_TRUE(answer);
  EXPECT_NE(answer->find(R"("content":"\ud83d\ude00 \u00e9")"), std::string::npos) << *answer;
  EXPECT_NE(answer->find(R"({"n":1.10e+2,"big":12345678901234567890123})"), std::string::npos);
}

TEST(StreamToAnswer, AResponseIsTheOneCompleted) {
  const std::string stream =
      "event: response.created\ndata: {\"type\":\"response.created\",\"sequence_number\":0,"
      "\"response\":{\"object\":\"response\",\"status\":\"in_progress\",\"output\":[]}}\n\n"
      "event: keepalive\ndata: {\"type\":\"keepalive\",\"sequence_number\":1}\n\n"
      "event: response.completed\ndata: {\"type\":\"response.completed\",\"sequence_number\":2,"
      "\"response\":{\"id\":\"r\",\"object\":\"response\",\"status\":\"completed\",\"output\":[1.0]"
      "}}"
      "\n\n";
  EXPECT_EQ(answer_from_stream(stream),
            R"({"id":"r","object":"response","status":"completed","output":[1.0]})");
  for (std::size_t size = 0; size < stream.size(); ++size) {
    EXPECT_FALSE(answer_from_stream(std::string_view(stream).substr(0, size))) << size;
  }
}

TEST(StreamToAnswer, AResponseThatFailedIsNone) {
  const std::string_view start = R"({"type":"response.created","response":{}})";
  const std::string_view done =
      R"({"type":"response.completed","response":{"object":"response","status":"completed","output":[]}})";
  EXPECT_TRUE(answer_from_stream(events({start, done})));
  for (
      const std::string_view bad :
      {R"({"type":"error","message":"m"})", R"({"type":"response.failed","response":{}})",
       R"({"type":"response.incomplete","response":{}})", "{", "[DONE]",
       R"({"type":"response.completed","response":null})",
       R"({"type":"response.completed","response":{"object":"response","status":"failed","output":[]}})"}) {
    EXPECT_FALSE(answer_from_stream(events({start, bad, done}))) << bad;
  }
}

TEST(StreamToAnswer, ABrokenStreamIsNoAnswer) {
  const std::string text = delta(R"({"content":"a"})");
  ASSERT_TRUE(answer_from_stream(events({text, kStop, "[DONE]"})));
  const std::string deep(100'000, '[');
  for (const std::string& bad :
       {std::string(R"({"error":{"message":"m"}})"),
        std::string(R"({"object":"chat.completion.chunk","choices":[],"error":"e"})"),
        std::string(R"({"object":"text_completion","choices":[]})"),
        std::string(R"({"object":"chat.completion","choices":[]})"),
        std::string(R"({"a":1})"),
        std::string("[]"),
        std::string("{"),
        std::string("text"),
        std::string("{}{}"),
        chunk("1"),
        chunk(R"({"index":2,"delta":{},"finish_reason":"stop"})"),
        chunk(R"({"index":1,"delta":{}})"),
        chunk(R"({"index":0,"message":{}})"),
        delta("{}", R"("finish_reason":"error")"),
        delta("{}", R"("finish_reason":1)"),
        delta(R"({"content":"a","content":"b"})"),
        delta(R"({"c\u006fntent":"a"})"),
        delta(R"({"content":["a"]})"),
        delta(R"({"audio":{"id":"a"}})"),
        delta("{\"content\":\"\xff\"}"),
        delta("{\"x\":" + deep + std::string(100'000, ']') + "}"),
        delta("{\"x\":" + deep),
        delta("[]"),
        delta(R"({"tool_calls":{}})")}) {
    EXPECT_FALSE(answer_from_stream(events({text, kStop, bad, "[DONE]"}))) << bad.substr(0, 99);
  }
  EXPECT_FALSE(answer_from_stream("event: error\ndata: {}\n\n" + events({text, kStop, "[DONE]"})));
  EXPECT_FALSE(answer_from_stream(events({text, "[DONE]"})));
  EXPECT_FALSE(answer_from_stream(events({"[DONE]"})));
}

TEST(StreamToAnswer, BoundsWhatItKeeps) {
  std::string choices;
  for (int i = 0; i < 5000; ++i) {
    if (i > 0) choices += ',';
    choices += "{\"index\":" + std::to_string(i) + ",\"finish_reason\":\"stop\"}";
  }
  EXPECT_FALSE(answer_from_stream(events({chunk(choices), "[DONE]"})));
  std::string fields;
  for (int i = 0; i < 70; ++i) fields += ",\"k" + std::to_string(i) + "\":1";
  EXPECT_FALSE(answer_from_stream(events({delta("{\"a\":1" + fields + "}"), kStop, "[DONE]"})));
}

}  // namespace
}  // namespace aifd::protocol
