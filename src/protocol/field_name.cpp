#include "aifd/protocol/field_name.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

#include "chars.hpp"

namespace aifd::protocol {
namespace {

// The bit that tells a capital letter from a small one. With it set, the characters of a token are
// equal to a letter, a digit or "-" only if they are the same one in some case; these three have it
// set when they are small.
constexpr unsigned char kCase = 0x20;

// A name by its size and three of its letters, spread over the slots by a multiplier.
constexpr int kSlotBits = 9;
constexpr std::size_t slot_of(std::string_view name, std::uint32_t multiplier) noexcept {
  const auto letter = [name](std::size_t at) -> std::uint32_t {
    return static_cast<unsigned char>(name[at]);
  };
  constexpr std::uint32_t kCases = kCase * 0x010101U;
  const std::size_t last = name.size() - 1;
  const std::uint32_t letters = letter(0) | letter(name.size() / 2) << 8 | letter(last) << 16;
  const auto size = static_cast<std::uint32_t>(name.size());
  return ((letters | kCases | size << 24) * multiplier) >> (32 - kSlotBits);
}

struct Slots {
  std::uint32_t multiplier;
  std::array<NameId, std::size_t{1} << kSlotBits> ids;
};

// nullopt: two names would share a slot.
constexpr std::optional<Slots> spread(std::uint32_t multiplier) {
  Slots slots{multiplier, {}};
  for (std::size_t i = 0; i < kKnownNames.size(); ++i) {
    NameId& id = slots.ids[slot_of(kKnownNames[i], multiplier)];
    if (id != kUnknownName) return std::nullopt;
    id = static_cast<NameId>(i + 1);
  }
  return slots;
}

// The first multiplier fits the names as they are; where it does not any more, another is searched
// by steps of the golden ratio, which are as good as random ones. That takes compilers long: put
// the one that was found here.
consteval Slots find_slots() {
  constexpr std::uint32_t kFitting = 0x469B9515;
  constexpr std::uint32_t kGolden = 0x9E3779B1;
  for (std::uint32_t multiplier = kFitting;; multiplier += 2 * kGolden) {
    if (const std::optional<Slots> slots = spread(multiplier)) return *slots;
  }
}
constexpr Slots kSlots = find_slots();

constexpr bool is_plain(std::string_view name) {
  return std::ranges::all_of(
      name, [](char c) { return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-'; });
}
static_assert(std::ranges::all_of(kKnownNames, is_plain));

// `known` is in lower case.
template <class Word>
bool is_same_word(const char* name, const char* known) noexcept {
  constexpr Word kCases = static_cast<Word>(static_cast<Word>(~Word{0}) / 0xFF * kCase);
  Word a = 0;
  Word b = 0;
  std::memcpy(&a, name, sizeof a);
  std::memcpy(&b, known, sizeof b);
  return (a | kCases) == b;
}

// By words, of which the last may overlap another.
template <class Word>
bool is_same(const char* name, const char* known, std::size_t size) noexcept {
  const std::size_t last = size - sizeof(Word);
  for (std::size_t at = 0; at < last; at += sizeof(Word)) {
    if (!is_same_word<Word>(name + at, known + at)) return false;
  }
  return is_same_word<Word>(name + last, known + last);
}

bool is_same(std::string_view name, std::string_view known) noexcept {
  if (name.size() >= 8) return is_same<std::uint64_t>(name.data(), known.data(), name.size());
  if (name.size() >= 4) return is_same<std::uint32_t>(name.data(), known.data(), name.size());
  return is_same<std::uint8_t>(name.data(), known.data(), name.size());
}

}  // namespace

NameId find_known_name(std::string_view name) noexcept {
  if (name.empty()) return kUnknownName;
  const NameId id = kSlots.ids[slot_of(name, kSlots.multiplier)];
  if (id == kUnknownName) return kUnknownName;
  const std::string_view known = kKnownNames[id - std::size_t{1}];
  return name.size() == known.size() && is_same(name, known) ? id : kUnknownName;
}

}  // namespace aifd::protocol
