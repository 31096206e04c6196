#include "aifd/protocol/conversation.hpp"

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

}  // namespace aifd::protocol
