// Conversations on the console (PRINT_CHAT).
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace aifd::services {

// Used on one thread at a time. A record is one block, written whole: of a request every message,
// of an answer what the assistant said. What a terminal would take for a command is not passed on.
class ChatPrinter {
 public:
  // `write` takes whole blocks, which end with a line feed.
  ChatPrinter(std::function<void(std::string_view)> write, bool colour)
      : write_(std::move(write)), colour_(colour) {}

  // A record of the conversation log. What is no record of a chat is passed over.
  void print(std::string_view record) const;

 private:
  std::function<void(std::string_view)> write_;
  bool colour_;
};

}  // namespace aifd::services
