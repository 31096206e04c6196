#include "recorded.hpp"

namespace aifd::protocol {
namespace {

using Api = ConversationApi;

TEST(CompletionAnswer, IsJoined) {
  const Answered stream{.api = Api::completion};
  const std::string piece =
      R"({"object":"text_completion","model":"m","choices":[{"index":0,"text":"a)";
  const Json record = recorded(
      stream, event(piece + R"(","finish_reason":null}]})") +
                  event(piece + R"(b","logprobs":{"tokens":["x"]},"finish_reason":"stop"}]})") +
                  event("[DONE]"));
  EXPECT_EQ(record["text"], "aab");
  EXPECT_EQ(record["finish_reason"], "stop");
  EXPECT_EQ(record.begin().key(), "text");
  EXPECT_EQ((++record.begin()).key(), "uid");
  const Json whole = recorded(
      {.api = Api::completion, .content_type = kJson},
      R"({"model":"m","choices":[{"text":"b","index":1,"finish_reason":"length"},{"text":"a",)"
      R"("index":0,"finish_reason":"stop"}],"usage":{"total_tokens":3}})");
  EXPECT_EQ(whole["text"], "a");
  EXPECT_EQ(whole["choices"].dump(), R"([{"index":0,"text":"a","finish_reason":"stop"},)"
                                     R"({"index":1,"text":"b","finish_reason":"length"}])");
  EXPECT_EQ(recorded(stream, "")["text"], nullptr);
}

TEST(EmbeddingAnswer, HasNoVectors) {
  const Answered answered{.api = Api::embedding, .content_type = kJson};
  const Json record = recorded(
      answered,
      R"({"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.1,-2e3]},)"
      R"({"embedding":"AA]}\"\\","x":{"y":[[]]}}],"model":"e","usage":{"prompt_tokens":8,)"
      R"("total_tokens":8}})");
  EXPECT_EQ(record["object"], "list");
  EXPECT_EQ(record["model"], "e");
  EXPECT_EQ(record["usage"]["total_tokens"], 8);
  EXPECT_EQ(record["usage_source"], "exact");
  EXPECT_FALSE(record.contains("data"));
  const Json cut = recorded({.api = Api::embedding, .content_type = kJson, .ended_by = "client"},
                            R"({"object":"list","data":[{"embedding":[0.1,)");
  EXPECT_EQ(cut["object"], "list");
  EXPECT_EQ(cut["usage"].dump(), R"({"prompt_tokens":11,"completion_tokens":0,"total_tokens":11})");
}

TEST(EmbeddingAnswer, MayBeLargerThanTheBound) {
  const Answered answered{
      .api = Api::embedding, .content_type = kJson, .options = {.max_bytes = 1000}};
  const Json record =
      recorded_whole(answered, R"({"object":"list","data":[{"embedding":")" +
                                   std::string(5000, 'A') + R"("}],"usage":{"total_tokens":8}})");
  EXPECT_EQ(record["usage"]["total_tokens"], 8);
  EXPECT_FALSE(record.contains("truncated"));
}

TEST(WhisperAnswer, IsTheTextHoweverItComes) {
  const auto text_of = [](const std::string& type, const std::string& body) {
    return recorded({.api = Api::whisper, .content_type = type}, body)["text"];
  };
  EXPECT_EQ(text_of(kJson, R"({"text":"h\u00e9","usage":{"type":"duration","seconds":3}})"),
            "h\xC3\xA9");
  EXPECT_EQ(text_of(kJson,
                    R"({"task":"transcribe","duration":1.5,"text":"a","segments":[{"text":"b"}]})"),
            "a");
  EXPECT_EQ(text_of("text/plain; charset=utf-8", " Hello\n"), " Hello\n");
  EXPECT_EQ(text_of("text/plain", "1\n00:00:00,000 --> 00:00:01,000\nHi\n\n"),
            "1\n00:00:00,000 --> 00:00:01,000\nHi\n\n");
  EXPECT_EQ(text_of("text/vtt", "WEBVTT\n\n00:00 --> 00:01\nHi"), "WEBVTT\n\n00:00 --> 00:01\nHi");
  EXPECT_EQ(text_of("", "{\"text\":\"a\"}"), "a");
  EXPECT_EQ(text_of("text/plain", ""), nullptr);
  EXPECT_EQ(text_of("text/plain", "[ 12 ] beats"), "[ 12 ] beats");
  EXPECT_EQ(text_of("text/plain", "{\"text\":\"a\"}"), "{\"text\":\"a\"}");
  EXPECT_EQ(text_of("text/plain", "a\xC3"), "a");
}

TEST(WhisperAnswer, OfAStreamIsJoined) {
  const std::string deltas = event(R"({"type":"transcript.text.delta","delta":"He"})") +
                             event(R"({"type":"transcript.text.delta","delta":"y"})");
  const std::string done = event(
      R"({"type":"transcript.text.done","text":"Hey","usage":{"type":"tokens","total_tokens":9}})");
  const Answered answered{.api = Api::whisper};
  EXPECT_EQ(recorded(answered, deltas + done)["text"], "Hey");
  EXPECT_EQ(recorded(answered, done)["text"], "Hey");
  EXPECT_EQ(recorded(answered, deltas)["text"], "Hey");
  EXPECT_EQ(recorded(answered, deltas + done)["usage_source"], "exact");
  EXPECT_EQ(recorded(answered, deltas)["usage_source"], "unknown");
}

Json general(const std::string& type, const std::string& body, int status = 200) {
  return recorded({.api = Api::general, .content_type = type, .status = status}, body);
}

TEST(GeneralAnswer, IsRecordedAsWhatItIs) {
  EXPECT_EQ(
      general(kJson, "{ \"a\" : [1.50, \"\\u00e9\"] }")
          .dump()
          .find(
              R"({"response":{"a":[1.5,"é"]},"response_bytes":26,"content_type":"application/json",)"
              R"("uid":"u1",)"),
      0);
  EXPECT_EQ(general(kJson, "{\"a\":")["response"], "{\"a\":");
  EXPECT_EQ(general("text/plain", "12")["response"], "12");
  EXPECT_EQ(general("text/plain", "a\n\x80z")["response"], "a\n\xEF\xBF\xBDz");
  EXPECT_EQ(general(kEvents, "data: x\r\n\r\n")["response"], "data: x\r\n\r\n");
  EXPECT_EQ(general("", "hello")["response"], "hello");
  EXPECT_EQ(general("", "\xFF\xD8\xFF")["response"], nullptr);
  EXPECT_EQ(general("", std::string("a\0b", 3))["response"], nullptr);
  EXPECT_EQ(general("image/png", "png")["response"], nullptr);
  EXPECT_EQ(general("image/png", "png")["response_bytes"], 3);
  EXPECT_EQ(general("audio/mpeg", "")["response"], nullptr);
  EXPECT_EQ(general("", "")["content_type"], nullptr);
  EXPECT_EQ(general(kJson, std::string(600, '[') + std::string(600, ']'))["response"],
            std::string(600, '[') + std::string(600, ']'));
}

TEST(GeneralAnswer, IsCutOnlyWhereItIsText) {
  const Answered small{
      .api = Api::general, .content_type = "application/x-odd", .options = {.max_bytes = 10}};
  const Json text = recorded(small, "123456789\xC3\xA9 more");
  EXPECT_EQ(text["response"], "123456789");
  EXPECT_EQ(text["truncated"], true);
  EXPECT_EQ(text["response_bytes"], 16);
  for (const std::string& body : {std::string("1234567890\0x", 12), std::string(20, '\xFF')}) {
    const Json binary = recorded(small, body);
    EXPECT_EQ(binary["response"], nullptr);
    EXPECT_FALSE(binary.contains("truncated"));
  }
}

TEST(GeneralAnswer, MayReportUsage) {
  const Json record = general(kJson, R"({"model":"m","usage":{"total_tokens":3}})");
  EXPECT_EQ(record["usage"].dump(), R"({"total_tokens":3})");
  EXPECT_EQ(record["usage_source"], "exact");
  EXPECT_EQ(record["model"], "m");
  EXPECT_EQ(general(kJson, "{}")["usage_source"], "unknown");
  const Json gemini = general(kEvents, event(R"({"modelVersion":"g","usageMetadata":{"a":1}})") +
                                           event(R"({"usageMetadata":{"a":2}})"));
  EXPECT_EQ(gemini["usage"].dump(), R"({"a":2})");
  EXPECT_EQ(gemini["model"], "g");
}

TEST(GeneralAnswer, SaysItsError) {
  EXPECT_EQ(general(kJson, R"({"error":{"message":"no"}})", 404)["error_text"], "no");
  EXPECT_EQ(general(kJson, R"([{"error":{"message":"no"}}])", 404)["error_text"], "no");
  EXPECT_EQ(general(kJson, R"({"detail":[{"msg":"no"}]})", 422)["error_text"], "no");
  EXPECT_EQ(general(kJson, R"({"code":7})", 500)["error_text"], R"({"code":7})");
  EXPECT_FALSE(general("text/html", "<p>no", 502).contains("error_text"));
  EXPECT_EQ(general("text/html", "<p>no", 502)["response"], "<p>no");
}

}  // namespace
}  // namespace aifd::protocol
