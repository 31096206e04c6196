// One key of a usage report, looked for in a text of JSON that streams past.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace aifd::protocol {

// What a count is of; both of the cache are beside the input, the thoughts beside the output.
enum class UsageKind : std::size_t { input, cache_written, cache_read, output, thoughts, total };
inline constexpr std::size_t kUsageKinds = 6;

// The largest of each kind seen so far; 0 for none.
class UsageCounts {
 public:
  std::uint64_t operator[](UsageKind kind) const noexcept {
    return counts_[static_cast<std::size_t>(kind)];
  }
  void raise(UsageKind kind, std::uint64_t to) noexcept {
    std::uint64_t& count = counts_[static_cast<std::size_t>(kind)];
    if (to > count) count = to;
  }
  void raise(const UsageCounts& to) noexcept {
    for (std::size_t i = 0; i < counts_.size(); ++i)
      raise(static_cast<UsageKind>(i), to.counts_[i]);
  }

 private:
  std::array<std::uint64_t, kUsageKinds> counts_{};
};

// Finds one key in a text of JSON that comes in pieces, and reads the count that stands behind it,
// or the counts directly in the object that does. No memory but its own, whatever comes.
class UsageKey {
 public:
  enum class Value { object, count };

  // `key` with its quotes, as a literal. `count_kind`: of Value::count.
  UsageKey(std::string_view key, Value value, UsageKind count_kind = UsageKind::total) noexcept
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

    void take(std::string_view more) noexcept;
    std::string_view view() const noexcept;
  };

  void find_key(std::string_view& bytes) noexcept;
  void match_rest(std::string_view& bytes) noexcept;
  void note_beginning(std::string_view bytes) noexcept;
  void take(char c, UsageCounts& counts) noexcept;
  void take_plain_text(std::string_view& bytes) noexcept;
  void begin_value(char c) noexcept;
  void take_in_object(char c, UsageCounts& counts) noexcept;
  void take_in_text(char c) noexcept;
  void end_member() noexcept;
  void search() noexcept;

  std::string_view key_;
  Value value_;
  UsageKind count_kind_;
  State state_ = State::key;
  std::size_t matched_ = 0;  // of key_, at the end of what came
  char last_ = 0;            // the byte before the next one

  Number number_;
  Name name_;
  UsageCounts found_{};            // in the object so far
  std::optional<UsageKind> kind_;  // of the member that is being read, where it is wanted
  std::size_t depth_ = 0;          // 1: directly in the object
  std::size_t object_bytes_ = 0;   // bounded: what never ends is given up
  bool in_text_ = false;
  bool escaped_ = false;
};

}  // namespace aifd::protocol
