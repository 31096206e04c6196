#include "choice_chunks.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "chunk_writer.hpp"
#include "text_pieces.hpp"

namespace aifd::protocol {
namespace {

constexpr std::size_t kMostParts = 4096;
constexpr std::size_t kMostTokenEvents = 8192;

// In the order in which models say them.
constexpr std::array<std::string_view, 4> kTexts{"reasoning_content", "reasoning", "content",
                                                 "refusal"};

bool is_string(std::string_view value) {
  return kind_of(value) == JsonKind::string;
}

bool is_text(const JsonItem& item) {
  return is_string(item.value) && std::ranges::find(kTexts, item.key) != kTexts.end();
}

bool is_nothing(std::string_view value) {
  return value.empty() || value == "null";
}

// Its functions give false where the answer cannot be told in chunks.
class ChoiceWriter {
 public:
  ChoiceWriter(ChunkWriter& chunks, std::size_t piece_bytes)
      : chunks_(chunks), piece_bytes_(piece_bytes) {}

  bool write_message(const JsonObject& choice) {
    const auto message = JsonObject::read(choice.get("message"));
    if (!message || !begin(choice) || !can_stream(*message)) return false;
    const std::string_view refusal = message->get("refusal");
    if (!match_tokens("content", message->get("content"))) match_tokens("refusal", refusal);
    write_first(*message);
    for (const std::string_view key : kTexts) {
      if (is_string(message->get(key))) write_text(key, inside(message->get(key)));
    }
    if (!write_function_call(message->get("function_call"))) return false;
    if (!write_tool_calls(message->get("tool_calls"))) return false;
    write_end(choice, R"("delta":{})", "message");
    return true;
  }

  bool write_completion(const JsonObject& choice) {
    const std::string_view text = choice.get("text");
    if (!is_string(text) || !begin(choice)) return false;
    match_tokens("tokens", text);
    write_pieces(inside(text), tokens_.has_value(), R"("text":")", "\"");
    write_end(choice, R"("text":"")", "text");
    return true;
  }

  bool count_part() { return ++parts_ <= kMostParts; }

 private:
  bool begin(const JsonObject& choice) {
    logprobs_ = choice.get("logprobs");
    tokens_.reset();
    if (!is_nothing(logprobs_) && !JsonObject::read(logprobs_)) return false;
    const std::string_view reason = choice.get("finish_reason");
    return is_string(reason) && reason != R"("")" && reason != R"("error")";
  }

  static bool can_stream(const JsonObject& message) {
    const std::string_view content = message.get("content");
    return is_nothing(message.get("audio")) && (is_nothing(content) || is_string(content));
  }

  // Whether the choice's logprobs are this text's, token by token.
  bool match_tokens(std::string_view list, std::string_view text) {
    if (is_string(text)) tokens_ = TokenPieces::read(logprobs_, list, inside(text));
    if (tokens_) token_list_ = list;
    return tokens_.has_value();
  }

  void write_first(const JsonObject& message) {
    std::string body = R"("delta":{)";
    if (message.get("role").empty()) append_member(body, "role", R"("assistant")");
    for (const JsonItem& item : message.members()) {
      const bool is_call = item.key == "function_call" || item.key == "tool_calls";
      const bool comes_later = is_call && !is_nothing(item.value) && item.value != "[]";
      const bool is_begun = item.key == "content" || item.value == R"("")";
      if (is_text(item)) {
        if (is_begun) append_member(body, item.key, R"("")");
      } else if (!comes_later) {
        append_member(body, item.key, item.value);
      }
    }
    chunks_.write(body += '}');
  }

  void write_text(std::string_view key, std::string_view text) {
    std::string before = R"("delta":{")";
    before.append(key).append("\":\"");
    write_pieces(text, tokens_ && token_list_ == key, before, "\"}");
  }

  void write_pieces(std::string_view text, bool by_token, std::string_view before,
                    std::string_view behind) {
    std::string body;
    const auto wrap = [&](std::string_view piece) -> const std::string& {
      return body.assign(before).append(piece).append(behind);
    };
    std::string_view piece;
    if (by_token) {
      const std::size_t tokens = 1 + tokens_->count() / kMostTokenEvents;
      std::string logprobs;
      while (tokens_->next(tokens, piece, logprobs)) chunks_.write(wrap(piece), logprobs);
      return;
    }
    TextPieces pieces(text, piece_bytes_);
    while (pieces.next(piece)) chunks_.write(wrap(piece));
  }

  bool write_function_call(std::string_view value) {
    if (is_nothing(value)) return true;
    const auto function = JsonObject::read(value);
    if (!function) return false;
    chunks_.write(R"("delta":{"function_call":)" + begun_function(*function, "arguments") + '}');
    write_pieces(inside(function->get("arguments")), false,
                 R"("delta":{"function_call":{"arguments":")", "\"}}");
    return is_string(function->get("arguments"));
  }

  bool write_tool_calls(std::string_view value) {
    if (is_nothing(value)) return true;
    if (kind_of(value) != JsonKind::array) return false;
    JsonItems calls(value);
    std::size_t index = 0;
    for (JsonItem item; calls.next(item); ++index) {
      const auto call = JsonObject::read(item.value);
      if (!call || !count_part() || !write_tool_call(index, *call)) return false;
    }
    return true;
  }

  bool write_tool_call(std::size_t index, const JsonObject& call) {
    const bool is_custom = kind_of(call.get("custom")) == JsonKind::object;
    const std::string_view kind = is_custom ? "custom" : "function";
    const std::string_view text_key = is_custom ? "input" : "arguments";
    const auto function = JsonObject::read(call.get(kind));
    if (!function || !is_string(function->get(text_key))) return false;
    const std::string before = R"("delta":{"tool_calls":[{"index":)" + std::to_string(index);
    std::string body = before;
    for (const JsonItem& item : call.members()) {
      if (item.key == "index") continue;
      append_member(body, item.key,
                    item.key == kind ? begun_function(*function, text_key) : item.value);
    }
    chunks_.write(body += "}]}");
    const std::string piece_before =
        before + ",\"" + std::string(kind) + "\":{\"" + std::string(text_key) + "\":\"";
    write_pieces(inside(function->get(text_key)), false, piece_before, "\"}}]}");
    return true;
  }

  // What is called, with nothing of its text yet.
  static std::string begun_function(const JsonObject& function, std::string_view text_key) {
    std::string begun = "{";
    for (const JsonItem& item : function.members()) {
      append_member(begun, item.key, item.key == text_key ? R"("")" : item.value);
    }
    return begun += '}';
  }

  void write_end(const JsonObject& choice, std::string_view body, std::string_view told) {
    std::string end;
    for (const JsonItem& item : choice.members()) {
      const bool is_told = item.key == told || item.key == "index" || item.key == "logprobs";
      if (!is_told) append_member(end, item.key, item.value);
    }
    chunks_.write_end(body, tokens_ ? "null" : logprobs_, end);
  }

  ChunkWriter& chunks_;
  std::size_t piece_bytes_;
  std::size_t parts_ = 0;  // choices and tool calls
  std::string_view logprobs_;
  std::optional<TokenPieces> tokens_;
  std::string_view token_list_;
};

// Whether the choices count from 0 on, in any order.
bool has_every_choice(const std::vector<std::size_t>& indexes) {
  std::vector<bool> seen(indexes.size());
  for (const std::size_t index : indexes) {
    if (index >= seen.size() || seen[index]) return false;
    seen[index] = true;
  }
  return !seen.empty();
}

}  // namespace

std::optional<std::string> stream_of_choices(const JsonObject& answer, std::size_t bytes,
                                             bool include_usage) {
  const bool is_chat = answer.get("object") == R"("chat.completion")";
  if (!is_nothing(answer.get("error"))) return std::nullopt;
  ChunkWriter chunks(answer, is_chat ? R"("chat.completion.chunk")" : R"("text_completion")",
                     include_usage);
  if (!chunks.is_sound()) return std::nullopt;
  ChoiceWriter writer(chunks, piece_bytes(bytes));
  std::vector<std::size_t> indexes;
  JsonItems choices(answer.get("choices"));
  for (JsonItem item; choices.next(item);) {
    const auto choice = JsonObject::read(item.value);
    if (!choice || !writer.count_part()) return std::nullopt;
    const std::string_view said = choice->get("index");
    const auto index = said.empty() ? indexes.size() : index_of(said);
    if (!index) return std::nullopt;
    indexes.push_back(*index);
    chunks.begin_choice(*index, !choice->get("logprobs").empty());
    if (!(is_chat ? writer.write_message(*choice) : writer.write_completion(*choice))) {
      return std::nullopt;
    }
  }
  if (!has_every_choice(indexes)) return std::nullopt;
  return chunks.finish();
}

}  // namespace aifd::protocol
