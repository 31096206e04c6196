#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "converted.hpp"

namespace aifd::protocol {
namespace {

TEST(AnswerRoundTrip, ChatsComeBackEqual) {
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

TEST(AnswerRoundTrip, CompletionsComeBackEqual) {
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

TEST(AnswerRoundTrip, TellsAResponse) {
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

TEST(AnswerRoundTrip, ResponsesComeBackEqual) {
  const std::string answer = response(kOutput);
  EXPECT_EQ(returned(answer), Json::parse(answer));
  EXPECT_EQ(returned(response("[]")), Json::parse(response("[]")));
}

}  // namespace
}  // namespace aifd::protocol
