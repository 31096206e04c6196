#include "aifd/protocol/usage_key.hpp"

#include <algorithm>
#include <utility>

#include "aifd/base/words.hpp"
#include "chars.hpp"

namespace aifd::protocol {
namespace {

constexpr std::uint64_t kMostTokens = 1'000'000'000'000;
constexpr std::size_t kMostObjectBytes = 8 * 1024;
constexpr std::size_t kTooLong = ~std::size_t{0};

std::optional<UsageKind> kind_of(std::string_view name) noexcept {
  static constexpr std::array<std::pair<std::string_view, UsageKind>, 11> kNames{{
      {"prompt_tokens", UsageKind::input},
      {"input_tokens", UsageKind::input},
      {"promptTokenCount", UsageKind::input},
      {"cache_creation_input_tokens", UsageKind::cache_written},
      {"cache_read_input_tokens", UsageKind::cache_read},
      {"completion_tokens", UsageKind::output},
      {"output_tokens", UsageKind::output},
      {"candidatesTokenCount", UsageKind::output},
      {"thoughtsTokenCount", UsageKind::thoughts},
      {"total_tokens", UsageKind::total},
      {"totalTokenCount", UsageKind::total},
  }};
  for (const auto& [known, kind] : kNames) {
    if (known == name) return kind;
  }
  return std::nullopt;
}

// Of a key, whose first two characters stand together at few other places: in JSON a quote seldom
// comes before that one letter. string_view::find() would stop at every quote.
std::size_t find(std::string_view text, std::string_view key) {
  constexpr std::size_t kShort = 2 * sizeof(Bytes);
  if (text.size() <= kShort) return text.find(key);
  const auto may_stand_at = [&](const char* place) {
    return mark_equal(load_bytes(place), key[0]) & mark_equal(load_bytes(place + 1), key[1]);
  };
  for (std::size_t at = 0;; ++at) {
    at = find_place(text, at, 2, may_stand_at);
    if (at == std::string_view::npos || text.substr(at).starts_with(key)) return at;
  }
}

constexpr bool is_space(char c) noexcept {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
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

void UsageKey::Name::take(std::string_view more) noexcept {
  if (length > text.size() || more.size() > text.size() - length) {
    length = kTooLong;
    return;
  }
  more.copy(text.data() + length, more.size());
  length += more.size();
}

std::string_view UsageKey::Name::view() const noexcept {
  return length == kTooLong ? std::string_view{} : std::string_view(text.data(), length);
}

void UsageKey::feed(std::string_view bytes, UsageCounts& counts) noexcept {
  while (!bytes.empty()) {
    if (state_ == State::key) {
      find_key(bytes);
      continue;
    }
    if (state_ == State::object && in_text_ && !escaped_) take_plain_text(bytes);
    if (bytes.empty()) return;
    take(bytes.front(), counts);
    last_ = bytes.front();
    bytes.remove_prefix(1);
  }
}

// Of a text in the object, up to its quote or an escape.
void UsageKey::take_plain_text(std::string_view& bytes) noexcept {
  const std::size_t end = find_marked(
      bytes, 0, [](Bytes block) { return mark_equal(block, '"') | mark_equal(block, '\\'); });
  const std::string_view plain = bytes.substr(0, std::min(end, kMostObjectBytes - object_bytes_));
  if (plain.empty()) return;
  name_.take(plain);
  object_bytes_ += plain.size();
  last_ = plain.back();
  bytes.remove_prefix(plain.size());
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
        counts.raise(count_kind_, number_.value);
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
    kind_.reset();
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
      kind_.reset();
      return;
    case ':':
      kind_ = depth_ == 1 ? kind_of(name_.view()) : std::nullopt;
      number_ = {};
      return;
    case '{':
    case '[':
      ++depth_;
      kind_.reset();
      return;
    case ',':
      return end_member();
    case '}':
    case ']':
      end_member();
      if (--depth_ > 0) return;
      counts.raise(found_);
      return search();
    default:
      if (kind_) number_.take(c);
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
    name_.take({&c, 1});
  }
}

void UsageKey::end_member() noexcept {
  if (kind_ && number_.valid()) found_.raise(*kind_, number_.value);
  kind_.reset();
}

}  // namespace aifd::protocol
