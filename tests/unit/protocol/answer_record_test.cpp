#include "recorded.hpp"

namespace aifd::protocol {
namespace {

std::string content(const std::string& text) {
  return event(R"({"choices":[{"index":0,"delta":{"content":")" + text + R"("}}]})");
}

const std::string kUsage =
    event(R"({"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":5}})");
const std::string kWhole =
    R"({"choices":[{"message":{"content":"eight ch"}}],"usage":{"prompt_tokens":3}})";

TEST(AnswerRecord, UsageIsExactOnlyAtTheEnd) {
  const std::string stream = content("a") + kUsage;
  EXPECT_EQ(recorded({}, stream)["usage_source"], "exact");
  EXPECT_EQ(recorded({.ended_by = "client", .drained = "whole"}, stream)["usage_source"], "exact");
  for (const std::string_view ended_by : {"client", "upstream", "aifd"}) {
    const Json record = recorded({.ended_by = ended_by, .drained = "cut"}, stream);
    EXPECT_EQ(record["usage_source"], "estimated");
    EXPECT_EQ(record["usage"]["completion_tokens"], 5);
    EXPECT_EQ(record["ended_by"], ended_by);
    EXPECT_EQ(record["drained"], "cut");
  }
}

TEST(AnswerRecord, TokensOfAWholeAnswerAreGuessedByItsText) {
  const Json record = recorded({.content_type = kJson, .ended_by = "client"}, kWhole);
  EXPECT_EQ(record["usage"].dump(),
            R"({"prompt_tokens":3,"completion_tokens":2,"total_tokens":5})");
  const Json cut = recorded({.content_type = kJson, .ended_by = "upstream"},
                            R"({"choices":[{"message":{"content":"eight c)");
  EXPECT_EQ(cut["assistant"], "eight c");
  EXPECT_EQ(cut["usage"].dump(), R"({"prompt_tokens":11,"completion_tokens":2,"total_tokens":13})");
}

TEST(AnswerRecord, NothingIsGuessedWithoutASuccess) {
  for (const int status : {0, 404, 500, 302}) {
    const Json record = recorded({.content_type = kJson, .status = status}, kWhole);
    EXPECT_EQ(record["usage"], nullptr);
    EXPECT_EQ(record["usage_source"], "unknown");
    EXPECT_EQ(record["assistant"], nullptr);
    EXPECT_EQ(record["status"], status);
  }
}

TEST(AnswerRecord, OfACodedAnswerOnlyGuesses) {
  const Json record = recorded({.content_type = kJson, .content_encoding = "gzip"}, "12345678");
  EXPECT_EQ(record["assistant"], nullptr);
  EXPECT_EQ(record["usage"]["completion_tokens"], 2);
  EXPECT_EQ(record["usage_source"], "estimated");
  EXPECT_EQ(recorded({.content_encoding = " identity"}, content("a"))["assistant"], "a");
}

TEST(AnswerRecord, ErrorsKeepTheirWords) {
  const auto error_of = [](const std::string& type, const std::string& body) {
    return recorded({.content_type = type, .status = 429}, body)["error_text"];
  };
  EXPECT_EQ(error_of(kJson, R"({"error":{"message":"slow \u00e9","type":"x"}})"), "slow \xC3\xA9");
  EXPECT_EQ(error_of(kJson, R"({"error":"slow"})"), "slow");
  EXPECT_EQ(error_of(kJson, R"({"detail":"slow"})"), "slow");
  EXPECT_EQ(error_of(kEvents, R"({"error":{"message":"slow"}})"), "slow");
  EXPECT_EQ(error_of(kEvents, event(R"({"error":{"message":"slow"}})")), "slow");
  EXPECT_EQ(error_of("text/html", "<b>slow</b>\n"), "<b>slow</b>\n");
  EXPECT_EQ(error_of(kJson, R"({"error":{"message":"slo)"), "slo");
  EXPECT_EQ(recorded_whole({.content_type = "text/plain", .status = 500},
                           std::string(4095, 'a') + "\xC3\xA9")["error_text"],
            std::string(4095, 'a'));
  EXPECT_FALSE(recorded({.status = 429}, "").contains("error_text"));
}

TEST(AnswerRecord, OfNoAnswerAtAll) {
  AnswerRecorder recorder(ConversationApi::chat, {});
  AnswerNote note;
  note.uid = "u";
  note.datetime = "d";
  note.ended_by = "aifd";
  note.phase = "connect";
  note.error = "upstream_unreachable";
  note.cache = "miss";
  note.key = "al\"ias";
  EXPECT_EQ(record_of(recorder, note),
            R"({"assistant":null,"is_tool_calls":false,"uid":"u","datetime":"d","model":null,)"
            R"("status":0,"finish_reason":null,"usage":null,"usage_source":"unknown",)"
            R"("ended_by":"aifd","phase":"connect","error":"upstream_unreachable","ttft_ms":null,)"
            R"("duration_ms":0.000,"cache":"miss","attempts":0,"api":"chat","upstream":null,)"
            R"("key":"al\"ias"})");
}

TEST(AnswerRecord, IsBounded) {
  const Answered small{.options = {.max_bytes = 400}};
  std::string stream;
  for (int i = 0; i < 100; ++i) stream += content("abcdefgh" + std::to_string(i));
  const Json record = recorded_whole(small, stream + kUsage);
  EXPECT_EQ(record["truncated"], true);
  EXPECT_EQ(record["usage_source"], "exact");
  const std::string text = record["assistant"];
  EXPECT_EQ(text.substr(0, 18), "abcdefgh0abcdefgh1");
  EXPECT_LE(text.size(), 400);
  EXPECT_GE(text.size(), 380);
}

TEST(AnswerRecord, PassesOverEventsThatAreTooLarge) {
  const Answered small{.options = {.max_bytes = 400}};
  const std::string large = content(std::string(1000, 'x'));
  const Json record = recorded(small, content("a") + large + content("b") + kUsage);
  EXPECT_EQ(record["assistant"], "ab");
  EXPECT_EQ(record["truncated"], true);
  EXPECT_EQ(record["usage_source"], "exact");
  const Json whole = recorded({.content_type = kJson, .options = {.max_bytes = 400}},
                              R"({"choices":[{"message":{"content":")" + std::string(1000, 'x'));
  EXPECT_EQ(whole["truncated"], true);
  EXPECT_EQ(whole["assistant"].get<std::string>().substr(0, 300), std::string(300, 'x'));
  EXPECT_EQ(recorded({.bytes_lost = true}, content("a"))["truncated"], true);
}

TEST(AnswerRecord, HasNoMoreThanAThousandChoicesAndCalls) {
  std::string stream;
  for (int i = 0; i < 3000; ++i) {
    stream +=
        event(R"({"choices":[{"index":)" + std::to_string(i) + R"(,"delta":{"content":"a"}}]})");
  }
  const Json record = recorded_whole({}, stream);
  EXPECT_EQ(record["choices"].size(), 1024);
  EXPECT_EQ(record["truncated"], true);
}

}  // namespace
}  // namespace aifd::protocol
