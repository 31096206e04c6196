// One JSON text taken apart once, then looked at where it matters. Values keep their bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "json_reader.hpp"
#include "json_text.hpp"

namespace aifd::protocol {

// Keeps its memory from one text to the next, until give_back(). No recursion, whatever the text
// holds.
class JsonTape {
 public:
  // At most so many values are in a text.
  static constexpr std::size_t kMostValues = std::size_t{1} << 20;

  class Value;

  // False where the text is not JSON (JsonReader says what is; escapes of half a surrogate pair
  // pass), has too many values or 2 GiB. It outlives what is read of it. What is inside members
  // called "logprobs" is checked, and not to be seen.
  bool read(std::string_view text);

  // The same, for the events of a stream: quicker where the text is like the one that was read so
  // before, but for strings, numbers and literals.
  bool read_next(std::string_view text);

  // Of the text read last.
  Value root() const noexcept;

  std::size_t held_bytes() const noexcept {
    return nodes_.capacity() * sizeof(Node) + names_.capacity() + pattern_.capacity() +
           shifts_.capacity() * sizeof(shifts_[0]);
  }

  // Gives up what is held where that is much, and with it the text read last.
  void give_back() {
    if (text_.size() >= kLeastToHoldMuch) give_back_much();
  }

 private:
  friend class Value;

  static constexpr std::size_t kMostPatternBytes = 4096;
  static constexpr std::size_t kMostIdleBytes = std::size_t{1} << 20;
  static constexpr std::size_t kLeastToHoldMuch = kMostIdleBytes / 32;  // bytes of a text

  struct Node {
    std::uint32_t begin;
    std::uint32_t size;
    std::uint32_t next;  // the node behind it and all that is in it; while it is open: its parent
    std::uint32_t key_begin;  // from the text's size on: in names_
    std::uint32_t key_size;
    JsonKind kind;
  };

  void give_back_much();
  bool take_tokens();
  bool take_values();
  std::size_t scalar_length(std::size_t at) const noexcept;
  bool add(JsonReader& reader, const JsonReader::Token& token, const JsonReader::Token& name);
  void unescape_key(Node& node, const JsonReader::Token& name);
  void close(std::size_t end) noexcept;
  std::uint32_t place(std::string_view part) const noexcept {
    return static_cast<std::uint32_t>(part.data() - text_.data());
  }

  std::string_view text_;
  std::vector<Node> nodes_;
  std::string names_;  // those of members that are written with escapes, as words
  // For read_next(): the text that nodes_ are of, empty where there is none, and how much farther
  // behind each of them stands in the next.
  std::string pattern_;
  std::vector<std::uint32_t> shifts_;
  std::uint32_t open_ = 0;  // the innermost list or object that is open
};

// A view; gone with the next read().
class JsonTape::Value {
 public:
  Value() = default;  // of kind none

  JsonKind kind() const noexcept { return tape_ == nullptr ? JsonKind::none : node().kind; }
  bool is(JsonKind kind) const noexcept { return this->kind() == kind; }
  explicit operator bool() const noexcept { return tape_ != nullptr; }

  // As it stands, with quotes, brackets and any white space; empty of none.
  std::string_view text() const noexcept;

  // The inside of a string, still escaped; of anything else: empty.
  std::string_view string() const noexcept { return is(JsonKind::string) ? inside(text()) : ""; }

  // A number that is a whole one from 0 to 10^12; of anything else: 0.
  std::uint64_t count() const noexcept;

  // The key that it has in its object, without quotes and without needless escapes.
  std::string_view key() const noexcept;

  // The last member of that key; none where there is none, or this is no object.
  Value get(std::string_view key) const noexcept;

  // Goes through the members of an object or the items of a list; nothing in anything else.
  class Iterator {
   public:
    Iterator(const JsonTape* tape, std::uint32_t at) noexcept : tape_(tape), at_(at) {}
    Value operator*() const noexcept { return {tape_, at_}; }
    Iterator& operator++() noexcept {
      at_ = tape_->nodes_[at_].next;
      return *this;
    }
    bool operator!=(const Iterator& other) const noexcept { return at_ != other.at_; }

   private:
    const JsonTape* tape_;
    std::uint32_t at_;
  };

  Iterator begin() const noexcept;
  Iterator end() const noexcept;

 private:
  friend class JsonTape;

  Value(const JsonTape* tape, std::uint32_t at) noexcept : tape_(tape), at_(at) {}

  const Node& node() const noexcept { return tape_->nodes_[at_]; }

  const JsonTape* tape_ = nullptr;
  std::uint32_t at_ = 0;
};

inline JsonTape::Value JsonTape::root() const noexcept {
  return nodes_.empty() ? Value{} : Value{this, 0};
}

inline std::string_view JsonTape::Value::text() const noexcept {
  if (tape_ == nullptr) return {};
  return tape_->text_.substr(node().begin, node().size);
}

inline std::string_view JsonTape::Value::key() const noexcept {
  if (tape_ == nullptr) return {};
  const std::size_t in_text = tape_->text_.size();
  if (node().key_begin < in_text) return tape_->text_.substr(node().key_begin, node().key_size);
  return std::string_view{tape_->names_}.substr(node().key_begin - in_text, node().key_size);
}

inline JsonTape::Value::Iterator JsonTape::Value::begin() const noexcept {
  const bool has_children = is(JsonKind::object) || is(JsonKind::array);
  return {tape_, has_children ? at_ + 1 : 0};
}

inline JsonTape::Value::Iterator JsonTape::Value::end() const noexcept {
  const bool has_children = is(JsonKind::object) || is(JsonKind::array);
  return {tape_, has_children ? node().next : 0};
}

}  // namespace aifd::protocol
