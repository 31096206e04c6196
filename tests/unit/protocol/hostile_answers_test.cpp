// Answers that nobody should send.
#include <random>

#include "recorded.hpp"

namespace aifd::protocol {
namespace {

using Api = ConversationApi;

constexpr Api kApis[] = {Api::chat,      Api::responses, Api::messages, Api::completion,
                         Api::embedding, Api::whisper,   Api::general};
const std::string kTypes[] = {kEvents, kJson, "text/plain", "application/x-ndjson", ""};

// Whole and in small pieces.
void expect_record(const Answered& answered, const std::string& body) {
  std::vector<std::string_view> pieces;
  for (std::size_t i = 0; i < body.size(); i += 7) {
    pieces.push_back(std::string_view{body}.substr(i, 7));
  }
  const std::string line = record_of(answered, {body});
  EXPECT_EQ(record_of(answered, pieces), line);
  const Json record = parsed_record(line);
  EXPECT_EQ(record["uid"], "u1");
  EXPECT_EQ(record["api"], to_string(answered.api));
}

void expect_records(const std::string& body) {
  for (const Api api : kApis) {
    for (const std::string& type : kTypes) {
      for (const int status : {200, 500}) {
        expect_record({.api = api, .content_type = type, .status = status}, body);
      }
    }
  }
}

const std::string kBodies[] = {
    event(R"({"model":"m","choices":[{"index":0,"delta":{"content":"h\u00e9\ud83d","tool_calls":[)"
          R"({"index":0,"id":"a","function":{"name":"f","arguments":"{\"a\":1}"}}]},"text":"t",)"
          R"("finish_reason":"stop"}],"usage":{"prompt_tokens":1}})"),
    event(R"({"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"t",)"
          R"("name":"f","input":{"a":[1]}}})"),
    event(R"({"type":"response.output_item.done","output_index":1,"item":{"type":"function_call",)"
          R"("call_id":"c","name":"f","arguments":"{}"}})"),
    R"({"error":{"message":"no","code":1},"message":{"content":"x"},"object":"list","text":"t",)"
    R"("status":"failed","output":[{"type":"message","content":[{"text":"x"}]}],"type":"message"})"};

TEST(HostileAnswers, CutAnywhere) {
  for (const std::string& body : kBodies) {
    for (std::size_t i = 0; i <= body.size(); i += 3) expect_records(body.substr(0, i));
  }
}

TEST(HostileAnswers, WithABadByteAnywhere) {
  std::mt19937 random(5);
  for (const std::string& body : kBodies) {
    for (std::size_t i = 0; i < body.size(); i += 5) {
      std::string damaged = body;
      damaged[i] = static_cast<char>(random());
      expect_records(damaged);
    }
  }
}

TEST(HostileAnswers, WithHalfASurrogatePairAsAName) {
  for (const std::string half :
       {"\\ud83d", "\\ude00", "\\ud83dx", "\\ud83d\\n", "\\ud83d\\ud83d"}) {
    expect_records(event(R"({"model":"m",")" + half + R"(":1})"));
    expect_records(R"({"model":"m",")" + half + R"(":1})");
  }
}

TEST(HostileAnswers, OfRandomBytes) {
  std::mt19937 random(7);
  constexpr std::string_view kPieces[] = {"data: ", "\n", "\r",  "{",     "}",     "[",      "]",
                                          "\"",     ":",  ",",   "\\u",   "d83",   "\\",     "\xC3",
                                          "null",   "1",  "e99", "usage", "error", "choices"};
  for (int round = 0; round < 300; ++round) {
    std::string body;
    for (int i = 0; i < 30; ++i) {
      const auto value = random();
      if (value % 4 == 0) {
        body += static_cast<char>(value >> 8);
      } else {
        body += kPieces[(value >> 8) % std::size(kPieces)];
      }
    }
    expect_records(body);
  }
}

TEST(HostileAnswers, NestedDeeply) {
  for (const std::size_t depth : {500, 1020, 1030, 20'000}) {
    for (const auto& [open, close] : {std::pair<std::string, std::string>{"[", "]"},
                                      {R"({"error":)", "}"},
                                      {R"({"usage":)", "}"},
                                      {R"({"message":)", "}"},
                                      {R"([{"choices":)", "}]"}}) {
      std::string body;
      for (std::size_t i = 0; i < depth; ++i) body += open;
      body += "1";
      const std::string cut = body;
      for (std::size_t i = 0; i < depth; ++i) body += close;
      for (const int status : {200, 500}) {
        for (const Api api : kApis) {
          expect_record({.api = api, .content_type = kJson, .status = status}, body);
          expect_record({.api = api, .content_type = kJson, .status = status}, cut);
          expect_record({.api = api, .status = status}, event(R"({"usage":)" + body + "}"));
        }
      }
    }
  }
}

TEST(HostileAnswers, OfManyCalls) {
  std::string calls;
  for (int i = 0; i < 20'000; ++i) calls += R"({"index":)" + std::to_string(i) + "},";
  const std::string body = event(R"({"choices":[{"delta":{"tool_calls":[)" + calls + "{}]}}]}");
  EXPECT_EQ(recorded_whole({}, body)["truncated"], true);
}

TEST(HostileAnswers, LargeEventsArePassedOver) {
  const std::string start = R"(data: {"choices":[{"delta":{"content":")";
  const std::string large = start + std::string(std::size_t{17} << 20, 'x') + "\"}}]}\n\n";
  const std::string small = start + "a\"}}]}\n\n";
  std::vector<std::string_view> pieces{small};
  for (std::size_t i = 0; i < large.size(); i += 16'384) {
    pieces.push_back(std::string_view{large}.substr(i, 16'384));
  }
  pieces.push_back(small);
  const Json record = parsed_record(record_of({}, pieces));
  EXPECT_EQ(record["assistant"], "aa");
  EXPECT_EQ(record["truncated"], true);
  const std::string fits = start + std::string(std::size_t{15} << 20, 'x') + "\"}}]}\n\n";
  EXPECT_EQ(parsed_record(record_of({}, {fits}))["assistant"].get<std::string>().size(),
            std::size_t{15} << 20);
}

constexpr std::size_t kMiB = std::size_t{1} << 20;

std::string large_event() {
  std::string numbers;
  for (int i = 0; i < 200'000; ++i) numbers += "1,";
  return event(R"({"x":")" + std::string(8 * kMiB, 'x') + R"(","y":[)" + numbers + "1]}");
}

void feed_in_pieces(AnswerRecorder& recorder, std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size(); i += 16'384)
    recorder.feed(std::string(bytes.substr(i, 16'384)));
}

TEST(HostileAnswers, ALargeEventIsNotHeldForLong) {
  AnswerRecorder recorder(Api::chat, {});
  recorder.head(200, kEvents, "");
  const std::string large = large_event();
  feed_in_pieces(recorder, std::string_view{large}.substr(0, large.size() - 2));
  EXPECT_GT(recorder.held_bytes(), 8 * kMiB);
  recorder.feed("\n\n");
  recorder.feed(": ping\n\n");
  EXPECT_LT(recorder.held_bytes(), 3 * kMiB);
  EXPECT_FALSE(parsed_record(record_of(recorder, note_of({}))).contains("truncated"));
}

TEST(HostileAnswers, AStreamThatIsCutIsStillFollowed) {
  AnswerRecorder recorder(Api::chat, {});
  recorder.head(200, kEvents, "");
  const auto content = [](const std::string& text) {
    return event(R"({"choices":[{"index":0,"delta":{"content":")" + text + R"("}}]})");
  };
  recorder.feed(content("a"));
  const std::string large = large_event();
  feed_in_pieces(recorder, std::string_view{large}.substr(0, 4 * kMiB));
  recorder.cut();
  EXPECT_LT(recorder.held_bytes(), kMiB);
  feed_in_pieces(recorder, std::string_view{large}.substr(4 * kMiB));
  for (int i = 0; i < 1000; ++i) recorder.feed(content(std::string(10'000, 'b')));
  recorder.feed(event(R"({"choices":[{"index":5,"delta":{"content":"c"}}]})"));
  EXPECT_LT(recorder.held_bytes(), kMiB);
  recorder.feed(event(R"({"choices":[{"index":0,"finish_reason":"stop"}],"usage":{"x":1}})"));
  const Json record = parsed_record(record_of(recorder, note_of({})));
  EXPECT_EQ(record["assistant"], "a");
  EXPECT_EQ(record["finish_reason"], "stop");
  EXPECT_EQ(record["usage_source"], "exact");
  EXPECT_EQ(record["truncated"], true);
}

TEST(HostileAnswers, AnAnswerThatIsCutKeepsItsBeginning) {
  const Answered whole{.content_type = kJson};
  AnswerRecorder recorder(Api::chat, {});
  recorder.head(200, kJson, "");
  recorder.feed(R"({"choices":[{"message":{"content":"abc)");
  recorder.cut();
  const std::size_t held = recorder.held_bytes();
  for (int i = 0; i < 1000; ++i) recorder.feed(std::string(10'000, 'b'));
  EXPECT_EQ(recorder.held_bytes(), held);
  const Json record = parsed_record(record_of(recorder, note_of(whole)));
  EXPECT_EQ(record["assistant"], "abc");
  EXPECT_EQ(record["truncated"], true);
  AnswerRecorder nothing(Api::chat, {});
  nothing.head(200, kJson, "");
  nothing.cut();
  nothing.feed("{}");
  EXPECT_EQ(parsed_record(record_of(nothing, note_of(whole)))["truncated"], true);
}

}  // namespace
}  // namespace aifd::protocol
