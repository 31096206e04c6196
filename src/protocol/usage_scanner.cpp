#include "aifd/protocol/usage_scanner.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "chars.hpp"

namespace aifd::protocol {
namespace {

enum Kind : std::size_t { kInput, kCacheWritten, kCacheRead, kOutput, kThoughts, kTotal, kNone };

static_assert(std::tuple_size_v<UsageCounts> == kNone);

constexpr std::uint64_t kMostTokens = 1'000'000'000'000;
constexpr std::size_t kMostObjectBytes = 8 * 1024;
constexpr std::size_t kTooLong = ~std::size_t{0};

Kind kind_of(std::string_view name) noexcept {
  static constexpr std::array<std::pair<std::string_view, Kind>, 11> kNames{{
      {"prompt_tokens", kInput},
      {"input_tokens", kInput},
      {"promptTokenCount", kInput},
      {"cache_creation_input_tokens", kCacheWritten},
      {"cache_read_input_tokens", kCacheRead},
      {"completion_tokens", kOutput},
      {"output_tokens", kOutput},
      {"candidatesTokenCount", kOutput},
      {"thoughtsTokenCount", kThoughts},
      {"total_tokens", kTotal},
      {"totalTokenCount", kTotal},
  }};
  for (const auto& [known, kind] : kNames) {
    if (known == name) return kind;
  }
  return kNone;
}

constexpr std::size_t kBlock = 32;

// Whether any byte of the block and the one behind it are these two: a loop that compilers turn
// into a few vector instructions.
bool block_has(const char* block, char first, char second) noexcept {
  unsigned char found = 0;
  for (std::size_t i = 0; i < kBlock; ++i) {
    found |= static_cast<unsigned char>((block[i] == first) & (block[i + 1] == second));
  }
  return found != 0;
}

// Of a key. In JSON a quote followed by one certain letter is rare, so most blocks are passed over
// at once; neither memmem nor string_view::find (which stops at every quote) comes near that on
// pieces of 100 bytes.
std::size_t find(std::string_view text, std::string_view key) noexcept {
  if (text.size() <= kBlock) return text.find(key);
  const std::size_t last_block = text.size() - kBlock - 1;
  for (std::size_t at = 0;; at += kBlock) {
    at = std::min(at, last_block);  // which may overlap the one before it
    if (block_has(text.data() + at, key[0], key[1])) {
      for (std::size_t i = at; i < at + kBlock; ++i) {
        if (text[i] == key[0] && text.substr(i).starts_with(key)) return i;
      }
    }
    if (at == last_block) return std::string_view::npos;
  }
}

constexpr bool is_space(char c) noexcept {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

void raise_to(std::uint64_t& count, std::uint64_t value) noexcept {
  count = std::max(count, value);
}

}  // namespace

void UsageKey::Number::take(char c) noexcept {
  if (is_space(c)) {
    if (is == Is::open) is = Is::ended;
    return;
  }
  if (!is_digit(c) || is == Is::ended || is == Is::bad) {
    is = Is::bad;
    return;
  }
  is = Is::open;
  value = value * 10 + static_cast<std::uint64_t>(c - '0');
  if (value > kMostTokens) is = Is::bad;
}

void UsageKey::Name::take(char c) noexcept {
  if (length < text.size()) {
    text[length++] = c;
  } else {
    length = kTooLong;
  }
}

std::string_view UsageKey::Name::view() const noexcept {
  return length == kTooLong ? std::string_view{} : std::string_view(text.data(), length);
}

void UsageKey::feed(std::string_view bytes, UsageCounts& counts) noexcept {
  while (!bytes.empty()) {
    if (state_ == State::key) {
      find_key(bytes);
    } else {
      take(bytes.front(), counts);
      last_ = bytes.front();
      bytes.remove_prefix(1);
    }
  }
}

// Takes the bytes up to the key's end, or all.
void UsageKey::find_key(std::string_view& bytes) noexcept {
  match_rest(bytes);
  while (state_ == State::key && !bytes.empty()) {
    const std::size_t at = find(bytes, key_);
    if (at == std::string_view::npos) {
      note_beginning(bytes);
      last_ = bytes.back();
      bytes = {};
      return;
    }
    const char before = at == 0 ? last_ : bytes[at - 1];
    if (before != '\\') state_ = State::colon;
    last_ = key_.back();
    bytes.remove_prefix(at + key_.size());
  }
}

// Goes on with a key that began in an earlier piece. A byte that does not belong is left.
void UsageKey::match_rest(std::string_view& bytes) noexcept {
  while (matched_ > 0 && !bytes.empty()) {
    if (bytes.front() != key_[matched_]) {
      matched_ = 0;
      return;
    }
    last_ = bytes.front();
    bytes.remove_prefix(1);
    if (++matched_ == key_.size()) {
      matched_ = 0;
      state_ = State::colon;
    }
  }
}

// The key's only other quote is its last byte, so a beginning is what the last quote begins.
void UsageKey::note_beginning(std::string_view bytes) noexcept {
  const std::size_t from = bytes.size() - std::min(bytes.size(), key_.size() - 1);
  std::size_t at = bytes.size();
  while (at > from && bytes[at - 1] != '"') --at;
  if (at == from) return;
  --at;
  const char before = at == 0 ? last_ : bytes[at - 1];
  if (before != '\\' && key_.starts_with(bytes.substr(at))) matched_ = bytes.size() - at;
}

void UsageKey::search() noexcept {
  state_ = State::key;
}

void UsageKey::take(char c, UsageCounts& counts) noexcept {
  switch (state_) {
    case State::key:
      return;
    case State::colon:
      if (c == ':') {
        state_ = State::value;
      } else if (!is_space(c)) {
        search();
      }
      return;
    case State::value:
      if (!is_space(c)) begin_value(c);
      return;
    case State::count:
      if (is_digit(c)) return number_.take(c);
      if ((c == ',' || c == '}' || is_space(c)) && number_.valid()) {
        raise_to(counts[count_kind_], number_.value);
      }
      return search();
    case State::object:
      return take_in_object(c, counts);
  }
}

void UsageKey::begin_value(char c) noexcept {
  number_ = {};
  if (value_ == Value::object && c == '{') {
    state_ = State::object;
    found_ = {};
    kind_ = kNone;
    depth_ = 1;
    object_bytes_ = 0;
    in_text_ = false;
  } else if (value_ == Value::count && is_digit(c)) {
    state_ = State::count;
    number_.take(c);
  } else {
    search();
  }
}

void UsageKey::take_in_object(char c, UsageCounts& counts) noexcept {
  if (++object_bytes_ > kMostObjectBytes) return search();
  if (in_text_) return take_in_text(c);
  switch (c) {
    case '"':
      in_text_ = true;
      escaped_ = false;
      name_.length = 0;
      kind_ = kNone;
      return;
    case ':':
      kind_ = depth_ == 1 ? kind_of(name_.view()) : kNone;
      number_ = {};
      return;
    case '{':
    case '[':
      ++depth_;
      kind_ = kNone;
      return;
    case ',':
      return end_member();
    case '}':
    case ']':
      end_member();
      if (--depth_ > 0) return;
      for (std::size_t i = 0; i < counts.size(); ++i) raise_to(counts[i], found_[i]);
      return search();
    default:
      if (kind_ != kNone) number_.take(c);
  }
}

void UsageKey::take_in_text(char c) noexcept {
  if (escaped_) {
    escaped_ = false;
  } else if (c == '\\') {
    escaped_ = true;
    name_.length = kTooLong;  // no name wanted here needs one
  } else if (c == '"') {
    in_text_ = false;
  } else {
    name_.take(c);
  }
}

void UsageKey::end_member() noexcept {
  if (kind_ != kNone && number_.valid()) raise_to(found_[kind_], number_.value);
  kind_ = kNone;
}

UsageScanner::UsageScanner(Dialect dialect) noexcept
    : keys_{UsageKey{R"("usage")", UsageKey::Value::object},
            UsageKey{R"("eval_count")", UsageKey::Value::count, kOutput}},
      key_count_(1),
      event_start_("data:") {
  if (dialect == Dialect::gemini) {
    keys_[0] = {R"("usageMetadata")", UsageKey::Value::object};
  } else if (dialect == Dialect::ollama) {
    keys_[0] = {R"("prompt_eval_count")", UsageKey::Value::count, kInput};
    key_count_ = 2;
    event_start_ = "{";
  }
}

void UsageScanner::feed(std::string_view bytes) noexcept {
  if (bytes.empty()) return;
  bytes_ += bytes.size();
  for (std::size_t i = 0; i < key_count_; ++i) keys_[i].feed(bytes, counts_);
  count_events(bytes);
}

void UsageScanner::count_events(std::string_view bytes) noexcept {
  for (;;) {
    if (at_line_start_) match_event_start(bytes);
    const std::size_t end = bytes.find('\n');
    if (end == std::string_view::npos) return;
    bytes.remove_prefix(end + 1);
    at_line_start_ = true;
    line_matched_ = 0;
  }
}

void UsageScanner::match_event_start(std::string_view bytes) noexcept {
  for (const char c : bytes) {
    if (c != event_start_[line_matched_]) {
      at_line_start_ = false;
      return;
    }
    if (++line_matched_ == event_start_.size()) {
      ++events_;
      at_line_start_ = false;
      return;
    }
  }
}

std::optional<TokenUsage> UsageScanner::usage() const noexcept {
  TokenUsage usage;
  usage.input = counts_[kInput] + counts_[kCacheWritten] + counts_[kCacheRead];
  usage.output = counts_[kOutput] + counts_[kThoughts];
  usage.total = counts_[kTotal] > 0 ? counts_[kTotal] : usage.input + usage.output;
  if (usage.total == 0) return std::nullopt;
  return usage;
}

}  // namespace aifd::protocol
