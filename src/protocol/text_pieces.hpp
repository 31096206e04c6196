// Texts cut into the pieces of a stream.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "json_text.hpp"

namespace aifd::protocol {

// How many bytes a piece of a stream made of `answer_bytes` may have: about a token, and more where
// the answer is so long that its stream would become a multiple of it.
std::size_t piece_bytes(std::size_t answer_bytes) noexcept;

// Cuts the inside of a JSON string before its words, at most about `most` bytes to a piece; never
// inside an escape, a surrogate pair written as two, or a character's bytes.
class TextPieces {
 public:
  TextPieces(std::string_view text, std::size_t most) noexcept : rest_(text), most_(most) {}

  // False at the end.
  bool next(std::string_view& piece) noexcept;

 private:
  std::string_view rest_;
  std::size_t most_;
};

// The pieces of a text that are its tokens, each with its part of a "logprobs" object.
class TokenPieces {
 public:
  // `list` is the name of the list of tokens: of strings, or of objects with a string "token".
  // nullopt where these are not the text, one after another, or another member is neither null nor
  // a list as long.
  static std::optional<TokenPieces> read(std::string_view logprobs, std::string_view list,
                                         std::string_view text);

  // The next tokens, at most that many; false at the end. `piece` is a part of the text.
  bool next(std::size_t tokens, std::string_view& piece, std::string& logprobs);

  std::size_t count() const noexcept { return count_; }

 private:
  struct Member {
    std::string_view key;
    std::optional<JsonItems> list;  // none for null
  };

  TokenPieces(std::string_view tokens, std::string_view text) noexcept
      : tokens_(tokens), text_(text) {}

  bool matches_text();
  bool add_member(const JsonItem& member);

  JsonItems tokens_;
  std::string_view text_;  // that is left
  std::size_t count_ = 0;
  std::vector<Member> members_;
};

}  // namespace aifd::protocol
