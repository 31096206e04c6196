#include "secret_search.hpp"

#include <algorithm>

#include "aifd/base/find_text.hpp"
#include "aifd/base/words.hpp"
#include "aifd/services/redactor.hpp"

namespace aifd::services {
namespace {

constexpr std::size_t kLeastLong = 16;  // of less a look at all of the text is as cheap

// Whether it has only one form.
bool is_plain(std::string_view text) {
  return text.size() == find_marked(text, 0, [](Bytes bytes) {
           return mark_below(bytes, 0x20) | mark_equal(bytes, '"') | mark_equal(bytes, '\\') |
                  mark_equal(bytes, '/') | mark_equal(bytes, '\x7F') | mark_not_ascii(bytes);
         });
}

bool has(std::string_view text, std::string_view secret) {
  return find_text(text, secret) != std::string_view::npos;
}

}  // namespace

void SecretSearch::look_for(std::span<const Secret> secrets) {
  if (std::ranges::equal(secrets, secrets_)) return;
  secrets_.assign(secrets.begin(), secrets.end());
  short_.clear();
  long_.clear();
  have_forms_ = false;
  for (const Secret& secret : secrets_) {
    const std::string_view text = secret.reveal();
    if (text.size() < Redactor::kLeastSecret) continue;
    have_forms_ = have_forms_ || !is_plain(text);
    (text.size() < kLeastLong ? short_ : long_).push_back(text);
  }
  know_pieces();
}

void SecretSearch::know_pieces() {
  step_ = kMostStep;
  for (const std::string_view secret : long_) {
    step_ = std::min(step_, secret.size() - kPieceBytes + 1);
  }
  is_known_ = {};
  for (const std::string_view secret : long_) {
    for (std::size_t i = 0; i < step_; ++i) is_known_[place_of(secret.data() + i)] = true;
  }
}

bool SecretSearch::finds_any(std::string_view text) const {
  for (const std::string_view secret : short_) {
    if (has(text, secret)) return true;
  }
  return !long_.empty() && finds_any_long(text);
}

// The next place from there on that is to be looked at closely, or the text's size.
std::size_t SecretSearch::next_place(std::string_view text, std::size_t at) const noexcept {
  const std::size_t end = text.size() - std::min(text.size(), kPieceBytes - 1);
  while (at < end && !is_known_[place_of(text.data() + at)]) at += step_;
  return at < end ? at : text.size();
}

bool SecretSearch::finds_any_long(std::string_view text) const {
  std::size_t at = next_place(text, step_ - 1);
  for (; at < text.size(); at = next_place(text, at + step_)) {
    const std::string_view rest = text.substr(at + 1 - step_);
    for (const std::string_view secret : long_) {
      if (has(rest.substr(0, step_ - 1 + secret.size()), secret)) return true;
    }
  }
  return false;
}

}  // namespace aifd::services
