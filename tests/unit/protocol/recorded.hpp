// What the conversation log says of an answer, fed whole, byte by byte and cut anywhere.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aifd/protocol/conversation.hpp"

namespace aifd::protocol {

using Json = nlohmann::ordered_json;

inline const std::string kEvents = "text/event-stream; charset=utf-8";
inline const std::string kJson = "application/json";

struct Answered {
  ConversationApi api = ConversationApi::chat;
  std::string content_type = kEvents;
  int status = 200;
  std::string_view ended_by = "complete";
  std::string_view drained = {};
  std::string content_encoding = {};
  AnswerRecorder::Options options = {};
  bool bytes_lost = false;
};

inline AnswerNote note_of(const Answered& answered) {
  AnswerNote note;
  note.uid = "u1";
  note.datetime = "2023-10-17 15:27:12";
  note.status = answered.status;
  note.ended_by = answered.ended_by;
  note.phase = "stream";
  note.drained = answered.drained;
  note.first_byte = std::chrono::microseconds{1'234'005};
  note.duration = std::chrono::microseconds{2'000'100};
  note.attempts = 1;
  note.route = "/";
  note.upstream = "api.openai.com";
  note.request_bytes = 41;
  note.bytes_lost = answered.bytes_lost;
  return note;
}

inline std::string record_of(AnswerRecorder& recorder, const AnswerNote& note) {
  LineBuffer line;
  recorder.append_record(line, note);
  return std::string(line.view());
}

inline std::string record_of(const Answered& answered,
                             const std::vector<std::string_view>& pieces) {
  AnswerRecorder recorder(answered.api, answered.options);
  recorder.head(answered.status, answered.content_type, answered.content_encoding);
  for (const std::string_view piece : pieces) recorder.feed(std::string(piece));
  return record_of(recorder, note_of(answered));
}

// One line that strict readers take.
inline Json parsed_record(const std::string& line) {
  EXPECT_EQ(line.find('\n'), std::string::npos) << line;
  Json record = Json::parse(line, nullptr, false);
  EXPECT_TRUE(record.is_object()) << line;
  return record;
}

inline Json recorded_whole(const Answered& answered, std::string_view body) {
  return parsed_record(record_of(answered, {body}));
}

inline Json recorded(const Answered& answered, std::string_view body) {
  const std::string line = record_of(answered, {body});
  std::vector<std::string_view> bytes;
  for (std::size_t i = 0; i < body.size(); ++i) bytes.push_back(body.substr(i, 1));
  EXPECT_EQ(record_of(answered, bytes), line);
  for (std::size_t i = 0; i <= body.size(); ++i) {
    const std::string cut = record_of(answered, {body.substr(0, i), body.substr(i)});
    if (cut != line) ADD_FAILURE() << "cut at " << i << ": " << cut;
    if (cut != line) break;
  }
  return parsed_record(line);
}

inline std::string event(const std::string& data, const std::string& end = "\n") {
  return "data: " + data + end + end;
}

// The members of a record that are named.
inline Json members(const Json& record, const std::vector<std::string>& names) {
  Json found = Json::object();
  for (const std::string& name : names) {
    if (record.contains(name)) found[name] = record[name];
  }
  return found;
}

}  // namespace aifd::protocol
