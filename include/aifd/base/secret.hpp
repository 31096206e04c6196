// A secret that no formatter can print.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace aifd {

// Holds a key, a password or a token. It has no operator<<, no formatter and no conversion to a
// string; reveal() is the one way out, so that a search for it finds every place a secret is used.
// The memory is overwritten on destruction.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  Secret(const Secret&) = default;
  Secret& operator=(const Secret&) = default;
  Secret(Secret&&) noexcept = default;
  Secret& operator=(Secret&&) noexcept = default;
  ~Secret();

  std::string_view reveal() const noexcept { return value_; }
  bool empty() const noexcept { return value_.empty(); }

  // For people: the first 3 and last 4 characters of a long secret ("sk-***abcd"), "***" of a
  // short one (under 16 characters), "" of none.
  std::string masked() const;

  friend bool operator==(const Secret&, const Secret&) = default;

 private:
  std::string value_;
};

}  // namespace aifd
