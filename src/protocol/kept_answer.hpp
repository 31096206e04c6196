// What the conversation log keeps of an answer, of whatever API, while it comes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "json_tape.hpp"

namespace aifd::protocol {

// Texts are the insides of JSON strings, still escaped: joined they need not be unescaped.
class KeptText {
 public:
  std::string_view view() const noexcept { return own_.empty() ? there_ : own_; }
  bool empty() const noexcept { return view().empty(); }
  std::size_t held_bytes() const noexcept { return own_.capacity(); }

  void append(std::string_view piece) {
    if (!there_.empty()) own_ = std::exchange(there_, {});
    own_ += piece;
  }
  // A piece that outlives this, and is not copied where it is the only one.
  void append_lasting(std::string_view piece) {
    if (!empty()) return append(piece);
    there_ = piece;
  }

 private:
  std::string_view there_;
  std::string own_;
};

struct KeptCall {
  std::size_t index = 0;
  std::size_t sent_index = 0;  // as the upstream has it, which may be that of other calls too
  bool is_custom = false;      // called with a text, not with JSON
  std::string id;
  std::string name;
  KeptText arguments;
};

struct KeptChoice {
  std::size_t index = 0;
  bool has_text = false;  // there was one, if only an empty one
  KeptText text;
  KeptText reasoning;
  KeptText refusal;
  std::string finish_reason;
  std::vector<KeptCall> calls;
};

// Bounded: what does not fit any more is left out, and was_cut() says so.
class KeptAnswer {
 public:
  explicit KeptAnswer(std::size_t max_bytes) noexcept : left_(max_bytes) {}

  // The choice, or call of it, with this index, which may be new; nullptr where there are too many.
  // Good until the next one is asked for.
  KeptChoice* choice(std::size_t index);
  KeptCall* call(KeptChoice& choice, std::size_t index);

  // Lengthens a text by content, which costs tokens: by a string, or what was made of something.
  void append(KeptText& text, const JsonTape::Value& string);
  void append_made(KeptText& text, std::string_view escaped);

  // The JSON that is read from now on outlives this.
  void read_lasting() noexcept { values_last_ = true; }

  // Replaces a short text by one that is not empty.
  void set(std::string& text, std::string_view escaped);

  // Replaces what was reported so far, or only the members that are said again.
  void set_usage(const JsonTape::Value& report);
  void update_usage(const JsonTape::Value& report);

  // An error as the members "error" or "detail" of an answer have it, or as a whole answer: a
  // text, or an object or list with one in it. What is empty, or anything else, is none.
  void set_error(const JsonTape::Value& error);

  void cut() noexcept { was_cut_ = true; }
  bool was_cut() const noexcept { return was_cut_; }

  // Takes no more content, choices and calls.
  void close() noexcept;

  std::size_t held_bytes() const noexcept;

  // Of content, so far.
  std::uint64_t content_bytes() const noexcept { return content_bytes_; }

  // Last: choices and calls by their indexes.
  void put_in_order();

  std::vector<KeptChoice> choices;  // in the order in which they came
  std::string model;                // as served
  std::string object;               // the answer's "object"
  std::string error_text;
  std::string usage;            // the object, as it came
  bool usage_is_final = false;  // if the answer is read to its end

 private:
  bool has_room(std::string_view text);
  void replace_usage(std::string_view text);

  std::size_t left_;
  std::size_t parts_ = 0;  // choices and calls
  std::uint64_t content_bytes_ = 0;
  bool was_cut_ = false;
  bool values_last_ = false;
};

}  // namespace aifd::protocol
