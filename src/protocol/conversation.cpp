#include "aifd/protocol/conversation.hpp"

#include <algorithm>

namespace aifd::protocol {

std::string_view to_string(ConversationApi api) noexcept {
  switch (api) {
    case ConversationApi::chat:
      return "chat";
    case ConversationApi::responses:
      return "responses";
    case ConversationApi::messages:
      return "messages";
    case ConversationApi::completion:
      return "completion";
    case ConversationApi::embedding:
      return "embedding";
    case ConversationApi::whisper:
      return "whisper";
    case ConversationApi::general:
      break;
  }
  return "general";
}

std::string_view log_kind(ConversationApi api) noexcept {
  const bool is_chat = api == ConversationApi::responses || api == ConversationApi::messages;
  return to_string(is_chat ? ConversationApi::chat : api);
}

std::string log_prefix(std::string_view route_prefix) {
  std::string name(route_prefix);
  std::ranges::replace(name, '/', '_');
  const std::size_t begin = name.find_first_not_of('_');
  if (begin == std::string::npos) return "openai";
  return name.substr(begin, name.find_last_not_of('_') - begin + 1);
}

}  // namespace aifd::protocol
