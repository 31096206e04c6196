#include "aifd/services/redactor.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "aifd/base/words.hpp"
#include "aifd/protocol/dialect.hpp"
#include "json_strings.hpp"
#include "secret_search.hpp"

namespace aifd::services {
namespace {

constexpr std::string_view kMask = "***";
constexpr std::size_t kPiece = std::size_t{256} << 10;  // what a pattern sees of a text at once
constexpr std::int64_t kMostPatternMemory = std::int64_t{8} << 20;
constexpr std::array<std::string_view, 10> kFixed{"uid",      "datetime", "api",     "usage_source",
                                                  "ended_by", "phase",    "drained", "cache",
                                                  "error",    "shortened"};

std::string with_escaped_slashes(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '/') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

bool is_looked_for(const Secret& secret) {
  return secret.reveal().size() >= Redactor::kLeastSecret;
}

// The texts to be looked for: as they are, and as they stand in JSON within a string; the longest
// first, since one may begin with another.
std::vector<std::string> forms_of(std::span<const Secret> secrets) {
  std::vector<std::string> forms;
  for (const Secret& secret : secrets) {
    if (!is_looked_for(secret)) continue;
    const std::string_view text = secret.reveal();
    std::string escaped;
    protocol::append_json_escaped(escaped, text);
    std::string slashed = with_escaped_slashes(escaped);
    forms.emplace_back(text);
    if (escaped != text) forms.push_back(escaped);
    if (slashed != escaped) forms.push_back(std::move(slashed));
  }
  std::ranges::sort(forms, [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() > b.size() : a < b;
  });
  forms.erase(std::unique(forms.begin(), forms.end()), forms.end());
  return forms;
}

// Whether letters of a plain text may be written as escapes, as are all from \u0000 to \u007F.
bool may_hide_letters(std::string_view record) {
  constexpr unsigned char kOfEight = 0xF8;
  const auto may_begin_at = [](const char* place) {
    return mark_equal(load_bytes(place), '\\') & mark_equal(load_bytes(place + 3), '0') &
           mark_equal(load_bytes(place + 4) & kOfEight, '0');
  };
  const std::size_t first = record.find('\\');
  return first != std::string_view::npos &&
         find_place(record, first, 5, may_begin_at) != std::string_view::npos;
}

// nullopt: it is not in there.
std::optional<std::string> without(std::string_view text, std::string_view secret) {
  std::size_t found = text.find(secret);
  if (found == std::string_view::npos) return std::nullopt;
  std::string out;
  std::size_t copied = 0;
  for (; found != std::string_view::npos; found = text.find(secret, copied)) {
    out.append(text.substr(copied, found - copied)).append(kMask);
    copied = found + secret.size();
  }
  return out.append(text.substr(copied));
}

// The same of what matches. Empty matches have nothing to mask. A piece at a time, since RE2 cannot
// be interrupted; a match that goes on at the end of its piece is looked for again in more.
std::optional<std::string> without(std::string_view text, const RE2& pattern,
                                   Clock::time_point until) {
  const re2::StringPiece all(text.data(), text.size());
  re2::StringPiece match;
  std::string out;
  std::size_t copied = 0;
  std::size_t piece = kPiece;
  for (std::size_t from = 0; from <= text.size();) {
    const std::size_t end = from + std::min(piece, text.size() - from);
    const bool found = pattern.Match(all, from, end, RE2::UNANCHORED, &match, 1);
    if (!found && end == text.size()) break;
    if (Clock::now() >= until) return std::string(kMask);
    if (!found) {
      from = end - Redactor::kLongestMatch;
      piece = kPiece;
      continue;
    }
    const auto at = static_cast<std::size_t>(match.data() - text.data());
    if (at + match.size() == end && end < text.size()) {
      piece = at == from ? 2 * piece : kPiece;
      from = at;
      continue;
    }
    piece = kPiece;
    from = at + std::max<std::size_t>(match.size(), 1);
    if (match.empty()) continue;
    out.append(text.substr(copied, at - copied)).append(kMask);
    copied = from;
  }
  if (copied == 0) return std::nullopt;
  return out.append(text.substr(copied));
}

bool is_fixed(const JsonString& string) {
  return string.is_own_name || std::ranges::find(kFixed, string.member) != kFixed.end();
}

}  // namespace

// What goes from one record.
class Redactor::Masks {
 public:
  Masks(const Redactor& redactor, std::span<const Secret> secrets)
      : redactor_(redactor), secrets_(forms_of(secrets)), until_(Clock::now() + redactor.budget_) {}

  // What is to stand in its place, without its escapes; nullopt: it stays.
  std::optional<std::string> masked(const JsonString& string) const {
    std::optional<std::string> changed;
    std::string plain;
    if (string.is_escaped) plain = unescape_json(string.raw);
    std::string_view text = string.is_escaped ? plain : string.raw;
    const auto take = [&](std::optional<std::string> masked) {
      if (!masked) return;
      changed = std::move(masked);
      text = *changed;
    };
    for (const std::string& secret : secrets_) take(without(text, secret));
    if (string.is_name) return changed;
    for (const auto& pattern : redactor_.patterns_) take(without(text, *pattern, until_));
    return changed;
  }

 private:
  const Redactor& redactor_;
  const std::vector<std::string> secrets_;
  const Clock::time_point until_;
};

Redactor::Redactor(const std::vector<std::string>& patterns, std::chrono::milliseconds budget)
    : budget_(budget), search_(std::make_unique<SecretSearch>()) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMostPatternMemory);
  for (const std::string& pattern : patterns) {
    auto compiled = std::make_unique<RE2>(pattern, options);
    if (compiled->ok()) patterns_.push_back(std::move(compiled));
  }
}

Redactor::~Redactor() = default;

// Most records can be left alone without a look at each of their strings: what is not in all of
// them is in none.
bool Redactor::may_hold(std::string_view record, std::span<const Secret> secrets) {
  search_->look_for(secrets);
  if (search_->have_forms()) return true;
  return may_hide_letters(record) ? search_->finds_any(unescape_json(record))
                                  : search_->finds_any(record);
}

std::optional<std::string> Redactor::redacted(std::string_view record,
                                              std::span<const Secret> secrets) {
  if (patterns_.empty() && !may_hold(record, secrets)) return std::nullopt;
  const Masks masks(*this, secrets);
  std::string out;
  std::size_t copied = 0;
  JsonStrings strings(record);
  while (const std::optional<JsonString> string = strings.next()) {
    if (is_fixed(*string)) continue;
    const std::optional<std::string> masked = masks.masked(*string);
    if (!masked) continue;
    out.append(record.substr(copied, string->at - copied));
    protocol::append_json_escaped(out, *masked);
    copied = string->at + string->raw.size();
  }
  if (copied == 0) return std::nullopt;
  return out.append(record.substr(copied));
}

}  // namespace aifd::services
