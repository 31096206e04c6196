#include "embedding_usage.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <numeric>

#include "chars.hpp"
#include "json_text.hpp"

namespace aifd::protocol {
namespace {

std::optional<std::uint64_t> count_of(std::string_view value) {
  constexpr std::size_t kMostDigits = 9;
  if (value.size() > kMostDigits || !std::ranges::all_of(value, is_digit)) return std::nullopt;
  std::uint64_t count = 0;
  std::from_chars(value.data(), value.data() + value.size(), count);
  return count;
}

std::uint64_t weight_of(std::size_t size) {
  constexpr std::size_t kMost = std::size_t{1} << 30;
  return std::clamp<std::size_t>(size, 1, kMost);
}

}  // namespace

std::optional<std::vector<NamedCount>> read_counts(std::string_view usage) {
  const auto object = JsonObject::read(usage);
  if (!object) return std::nullopt;
  constexpr std::size_t kMostNameBytes = 64;
  std::vector<NamedCount> counts;
  for (const JsonItem& member : object->members()) {
    const auto count = count_of(member.value);
    if (count && member.key.size() <= kMostNameBytes)
      counts.push_back({.name = member.key, .count = *count});
  }
  if (counts.size() > kMostCounts) return std::nullopt;
  return counts;
}

bool add_counts(std::vector<NamedCount>& sum, std::span<const NamedCount> counts) {
  for (const NamedCount& more : counts) {
    const auto found = std::ranges::find(sum, more.name, &NamedCount::name);
    if (found != sum.end()) {
      found->count += more.count;
    } else if (sum.size() < kMostCounts) {
      sum.push_back(more);
    } else {
      return false;
    }
  }
  return true;
}

std::string written_counts(std::span<const NamedCount> counts) {
  std::string text = "{";
  for (const NamedCount& count : counts) {
    append_member(text, count.name, std::to_string(count.count));
  }
  return text += '}';
}

std::vector<std::uint64_t> share_out(std::uint64_t total, std::span<const std::size_t> sizes) {
  std::uint64_t whole = 0;
  for (const std::size_t size : sizes) whole += weight_of(size);
  std::vector<std::uint64_t> shares;
  std::vector<std::uint64_t> lost;
  for (const std::size_t size : sizes) {
    shares.push_back(total * weight_of(size) / whole);
    lost.push_back(total * weight_of(size) % whole);
  }
  std::vector<std::size_t> order(sizes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::greater{}, [&](std::size_t i) { return lost[i]; });
  const std::uint64_t left = total - std::reduce(shares.begin(), shares.end());
  for (std::size_t i = 0; i < left; ++i) ++shares[order[i]];
  return shares;
}

}  // namespace aifd::protocol
