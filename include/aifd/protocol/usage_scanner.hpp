// The token counts that an answer reports, found while it streams past.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "aifd/protocol/dialect.hpp"

namespace aifd::protocol {

struct TokenUsage {
  std::uint64_t input = 0;   // of the prompt, cached parts included
  std::uint64_t output = 0;  // of the answer, thoughts included
  std::uint64_t total = 0;   // as reported, else the sum

  friend bool operator==(const TokenUsage&, const TokenUsage&) = default;
};

// The largest of each kind of count seen so far; 0 for none.
using UsageCounts = std::array<std::uint64_t, 6>;

// Finds one key in a text of JSON that comes in pieces, and reads the count that stands behind it,
// or the counts directly in the object that does. No memory but its own, whatever comes.
class UsageKey {
 public:
  enum class Value { object, count };

  // `key` with its quotes, as a literal. `count_kind`: where Value::count goes in UsageCounts.
  UsageKey(std::string_view key, Value value, std::size_t count_kind = 0) noexcept
      : key_(key), value_(value), count_kind_(count_kind) {}

  // What is found counts once it is whole.
  void feed(std::string_view bytes, UsageCounts& counts) noexcept;

 private:
  enum class State { key, colon, value, count, object };

  // An integer that comes digit by digit.
  struct Number {
    std::uint64_t value = 0;
    enum class Is { empty, open, ended, bad } is = Is::empty;

    void take(char c) noexcept;
    bool valid() const noexcept { return is == Is::open || is == Is::ended; }
  };

  // A name in the object; one that is too long to be wanted has length kTooLong.
  struct Name {
    std::array<char, 32> text{};
    std::size_t length = 0;

    void take(char c) noexcept;
    std::string_view view() const noexcept;
  };

  void find_key(std::string_view& bytes) noexcept;
  void match_rest(std::string_view& bytes) noexcept;
  void note_beginning(std::string_view bytes) noexcept;
  void take(char c, UsageCounts& counts) noexcept;
  void begin_value(char c) noexcept;
  void take_in_object(char c, UsageCounts& counts) noexcept;
  void take_in_text(char c) noexcept;
  void end_member() noexcept;
  void search() noexcept;

  std::string_view key_;
  Value value_;
  std::size_t count_kind_;
  State state_ = State::key;
  std::size_t matched_ = 0;  // of key_, at the end of what came
  char last_ = 0;            // the byte before the next one

  Number number_;
  Name name_;
  UsageCounts found_{};           // in the object so far
  std::size_t kind_ = 0;          // of the member that is being read
  std::size_t depth_ = 0;         // 1: directly in the object
  std::size_t object_bytes_ = 0;  // bounded: what never ends is given up
  bool in_text_ = false;
  bool escaped_ = false;
};

// Fed with the pieces of one answer's body, cut anywhere; on one thread. A key's raw text followed
// by a colon cannot stand inside a JSON string, where quotes are escaped, so nothing but the few
// bytes of a report is ever parsed and an answer's text cannot forge one.
//
// Counts that are negative, fractions or over a trillion are ignored, as are null, objects that do
// not end within 8 KiB, and a report of nothing but zeros. Of several reports (each event of a
// stream may have one, cumulative) the largest of each kind counts.
//
// Sources: platform.openai.com/docs/api-reference (chat, completions, embeddings, responses),
// docs.anthropic.com/en/api/messages-streaming, ai.google.dev/api/generate-content#UsageMetadata,
// github.com/ollama/ollama/blob/main/docs/api.md.
class UsageScanner {
 public:
  // The dialect of the answer says which reports are looked for: "usageMetadata" (gemini),
  // "prompt_eval_count" and "eval_count" (ollama), else "usage".
  explicit UsageScanner(Dialect dialect) noexcept;

  void feed(std::string_view bytes) noexcept;

  // What was reported so far; nullopt where nothing was.
  std::optional<TokenUsage> usage() const noexcept;

  // Lines that begin with "data:", or for ollama with "{": in a stream without a report one such
  // event is about one token.
  std::uint64_t events() const noexcept { return events_; }

  std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  void count_events(std::string_view bytes) noexcept;
  void match_event_start(std::string_view bytes) noexcept;

  std::array<UsageKey, 2> keys_;
  std::size_t key_count_;
  UsageCounts counts_{};
  std::string_view event_start_;
  std::size_t line_matched_ = 0;  // of event_start_, at the end of what came
  bool at_line_start_ = true;     // the line may still begin with event_start_
  std::uint64_t events_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace aifd::protocol
