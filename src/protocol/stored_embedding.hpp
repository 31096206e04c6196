// One input's answer as a cache keeps it; the layout is in embedding_answer.hpp.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "embedding_numbers.hpp"

namespace aifd::protocol {

// Views into what it was read from or is to be written from; all of it compact JSON but `bytes`.
struct StoredEmbedding {
  PackedNumbers::Type type = PackedNumbers::Type::float32;
  std::string_view model;           // a string
  std::string_view usage;           // an object of counts
  std::string_view answer_members;  // an object of those that are not known
  std::string_view item_members;    // likewise
  std::string_view bytes;           // the numbers

  std::size_t dimensions() const noexcept { return bytes.size() / size_of(type); }
};

// In bytes. What is longer is not kept.
inline constexpr std::size_t kMostModelBytes = 256;
inline constexpr std::size_t kMostUnknownBytes = 1000;

// Whether aifd knows the member, so that it is never among the unknown ones.
bool is_known_of_answer(std::string_view name) noexcept;
bool is_known_of_item(std::string_view name) noexcept;

std::string write_stored(const StoredEmbedding& embedding);

// nullopt where write_stored() did not or would not have written it.
std::optional<StoredEmbedding> read_stored(std::string_view stored);

}  // namespace aifd::protocol
