// A conversation log in a temporary folder, and what it is fed with.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <initializer_list>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "aifd/services/conversation_log.hpp"
#include "temporary_folder.hpp"

namespace aifd::services {

namespace fs = std::filesystem;
using nlohmann::json;
using protocol::ConversationApi;

inline constexpr std::chrono::seconds kLong{60};

inline std::vector<json> records_of(const std::string& text) {
  std::vector<json> records;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) records.push_back(json::parse(line));
  return records;
}

inline ConversationStart start_of(std::string uid, std::string_view body = "question") {
  ConversationStart start;
  start.api = ConversationApi::general;
  start.prefix = "openai";
  start.note.uid = std::move(uid);
  start.note.content_type = "text/plain";
  start.body = SharedText::copy_of(body);
  return start;
}

// Null where the log has no room.
inline std::unique_ptr<Conversation> begin(ConversationLog& log, ConversationStart start) {
  auto conversation = std::make_unique<Conversation>(log);
  conversation->start() = std::move(start);
  return conversation->begin() ? std::move(conversation) : nullptr;
}

inline protocol::AnswerNote complete() {
  protocol::AnswerNote note;
  note.status = 200;
  note.ended_by = "complete";
  note.phase = "stream";
  return note;
}

inline void answer(Conversation& conversation, std::initializer_list<std::string_view> pieces) {
  conversation.head(200, "text/plain", "");
  for (const std::string_view piece : pieces) conversation.piece(piece);
  conversation.end(complete());
}

class ConversationLogTest : public testing::Test {
 protected:
  ConversationLogTest() { options_.folder = folder_.path() / "Log"; }

  std::string text() const { return read_bytes(path_); }
  std::vector<json> records() const { return records_of(text()); }
  void wait_for_lines(std::ptrdiff_t count) const {
    for (std::string found; std::ranges::count(found, '\n') < count; found = text()) {
      std::this_thread::yield();
    }
  }

  TemporaryFolder folder_;
  const fs::path path_ = folder_.path() / "Log" / "openai" / "general" / "general.log";
  ConversationLogOptions options_;
};

}  // namespace aifd::services
