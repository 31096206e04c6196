#include "text_pieces.hpp"

#include <algorithm>

#include "aifd/base/hex.hpp"
#include "chars.hpp"

namespace aifd::protocol {
namespace {

constexpr std::size_t kTokenBytes = 8;
constexpr std::size_t kMostPieces = 8192;

// Whether an escape \uXXXX stands there whose number lies in the 1,024 from this one on.
bool is_surrogate(std::string_view text, int first) {
  if (text.size() < 6 || !text.starts_with("\\u")) return false;
  int unit = 0;
  for (std::size_t i = 2; i < 6; ++i) unit = unit * 16 + hex_value(text[i]);
  return (unit & ~0x3FF) == first;
}

bool is_high_surrogate(std::string_view text) {
  return is_surrogate(text, 0xD800);
}

std::size_t escape_bytes(std::string_view text) {
  if (!text.starts_with("\\u")) return 2;
  const bool is_pair =
      is_high_surrogate(text) && text.size() >= 12 && is_surrogate(text.substr(6), 0xDC00);
  return is_pair ? 12 : 6;
}

// Of what must stay together at the beginning of the text, which is valid UTF-8.
std::size_t character_bytes(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  if (lead == '\\') return escape_bytes(text);
  if (lead < 0xC0) return 1;
  return lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

bool ends_in_high_surrogate(std::string_view text) {
  return text.size() >= 6 && is_high_surrogate(text.substr(text.size() - 6));
}

std::string_view token_text(std::string_view item) {
  if (kind_of(item) == JsonKind::string) return item;
  const auto object = JsonObject::read(item);
  return object ? object->get("token") : std::string_view{};
}

std::size_t count_items(JsonItems items) {
  std::size_t count = 0;
  for (JsonItem item; items.next(item);) ++count;
  return count;
}

}  // namespace

std::size_t piece_bytes(std::size_t answer_bytes) noexcept {
  return std::max(kTokenBytes, answer_bytes / kMostPieces);
}

bool TextPieces::next(std::string_view& piece) noexcept {
  if (rest_.empty()) return false;
  std::size_t end = 0;
  while (end < rest_.size() && end < most_) {
    if (rest_[end] == ' ' && end * 2 >= most_) break;
    end += character_bytes(rest_.substr(end));
  }
  piece = rest_.substr(0, end);
  rest_.remove_prefix(piece.size());
  return true;
}

std::optional<TokenPieces> TokenPieces::read(std::string_view logprobs, std::string_view list,
                                             std::string_view text) {
  const auto object = JsonObject::read(logprobs);
  if (!object) return std::nullopt;
  TokenPieces pieces(object->get(list), text);
  if (!pieces.matches_text()) return std::nullopt;
  for (const JsonItem& member : object->members()) {
    if (!pieces.add_member(member)) return std::nullopt;
  }
  return pieces;
}

bool TokenPieces::matches_text() {
  std::string_view rest = text_;
  JsonItems tokens = tokens_;
  for (JsonItem item; tokens.next(item); ++count_) {
    const std::string_view token = token_text(item.value);
    if (kind_of(token) != JsonKind::string || !rest.starts_with(inside(token)) ||
        ends_in_high_surrogate(inside(token))) {
      return false;
    }
    rest.remove_prefix(inside(token).size());
  }
  return count_ > 0 && rest.empty();
}

bool TokenPieces::add_member(const JsonItem& member) {
  if (member.value == "null") {
    members_.push_back({member.key, std::nullopt});
    return true;
  }
  const JsonItems list(member.value);
  members_.push_back({member.key, list});
  return kind_of(member.value) == JsonKind::array && count_items(list) == count_;
}

bool TokenPieces::next(std::size_t tokens, std::string_view& piece, std::string& logprobs) {
  std::size_t bytes = 0;
  std::size_t taken = 0;
  for (JsonItem item; taken < tokens && tokens_.next(item); ++taken) {
    bytes += inside(token_text(item.value)).size();
  }
  if (taken == 0) return false;
  piece = text_.substr(0, bytes);
  text_.remove_prefix(bytes);
  logprobs = "{";
  for (Member& member : members_) {
    append_member(logprobs, member.key, member.list ? "[" : "null");
    if (!member.list) continue;
    JsonItem item;
    for (std::size_t i = 0; i < taken && member.list->next(item); ++i) {
      if (i > 0) logprobs += ',';
      logprobs += item.value;
    }
    logprobs += ']';
  }
  logprobs += '}';
  return true;
}

}  // namespace aifd::protocol
