// Counts of tokens, and their shares.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aifd::protocol {

struct NamedCount {
  std::string_view name;
  std::uint64_t count = 0;
};

// At most this many of one answer.
inline constexpr std::size_t kMostCounts = 8;

// The members of a "usage" (compact JSON) that are whole numbers below a billion, with names of
// at most 64 bytes. nullopt where it is no object with plain names, or has over kMostCounts of
// them.
std::optional<std::vector<NamedCount>> read_counts(std::string_view usage);

// False where there would be over kMostCounts names.
bool add_counts(std::vector<NamedCount>& sum, std::span<const NamedCount> counts);

// As an object.
std::string written_counts(std::span<const NamedCount> counts);

// `total` in as many shares as there are sizes, in proportion to them and of the sum `total`: each
// rounded down, and one more for those that lost most by it, the earlier ones first. Sizes count as
// at least 1 and at most 1 GiB; `total` is below a billion; there is a size.
std::vector<std::uint64_t> share_out(std::uint64_t total, std::span<const std::size_t> sizes);

}  // namespace aifd::protocol
