// A search for secrets in texts that most often have none.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "aifd/base/secret.hpp"

namespace aifd::services {

// Long secrets it looks for all at once, at a few of the text's bytes. What it needs for that it
// keeps, since one text after the other is to be without the same secrets.
class SecretSearch {
 public:
  SecretSearch() = default;
  SecretSearch(const SecretSearch&) = delete;
  SecretSearch& operator=(const SecretSearch&) = delete;

  // From now on these are looked for, but for those that Redactor leaves.
  void look_for(std::span<const Secret> secrets);

  // Whether some of them may stand in a text otherwise than they are, in JSON within a string.
  bool have_forms() const noexcept { return have_forms_; }

  // Whether one of them stands there as it is.
  bool finds_any(std::string_view text) const;

 private:
  static constexpr std::size_t kPieceBytes = 4;
  static constexpr std::size_t kMostStep = 32;
  static constexpr unsigned kPlaceBits = 12;

  static std::size_t place_of(const char* piece) noexcept {
    constexpr std::uint32_t kSpread = 0x9E3779B1;  // 2^32 by the golden ratio
    std::uint32_t number = 0;
    std::memcpy(&number, piece, kPieceBytes);
    return number * kSpread >> (32 - kPlaceBits);
  }

  void know_pieces();
  std::size_t next_place(std::string_view text, std::size_t at) const noexcept;
  bool finds_any_long(std::string_view text) const;

  std::vector<Secret> secrets_;
  std::vector<std::string_view> short_;
  std::vector<std::string_view> long_;
  bool have_forms_ = false;
  // Every long secret has so many pieces at its beginning, one of which is where a text that has
  // it is looked at, so far apart. Hardly any other piece has a place that is known.
  std::size_t step_ = kMostStep;
  std::array<bool, 1 << kPlaceBits> is_known_{};
};

}  // namespace aifd::services
