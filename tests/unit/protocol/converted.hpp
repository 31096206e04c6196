// Answers, and what the conversions make of them.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "aifd/protocol/answer_to_stream.hpp"
#include "aifd/protocol/stream_to_answer.hpp"
#include "sse_reader.hpp"

namespace aifd::protocol {

using Json = nlohmann::json;

// The events' data; "[DONE]" is a string.
inline std::vector<Json> events_of(const std::string& answer, bool include_usage = false) {
  const auto stream = stream_from_answer(answer, include_usage);
  if (!stream) return {};
  std::vector<Json> events;
  SseReader reader(*stream);
  while (reader.next()) {
    events.push_back(reader.data() == "[DONE]" ? Json("[DONE]") : Json::parse(reader.data()));
  }
  return events;
}

// The answer, as JSON, out of its own stream.
inline Json returned(const std::string& answer) {
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
inline std::string chat(const std::string& message, const std::string& rest = "") {
  return R"({"id":"c1","object":"chat.completion","created":17,"model":"m","choices":[{"index":0,)"
         R"("message":)" +
         message + R"(,"finish_reason":"stop")" + rest +
         R"(}],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}})";
}

inline std::string text_chat(const std::string& text) {
  return chat(R"({"role":"assistant","content":")" + text + "\"}");
}

inline std::string response(const std::string& output) {
  return R"({"id":"resp_1","object":"response","created_at":1,"status":"completed","error":null,)"
         R"("model":"m","output":)" +
         output + R"(,"usage":{"total_tokens":3}})";
}

}  // namespace aifd::protocol
