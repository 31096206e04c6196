#include "shared_callers.hpp"

#include <gtest/gtest.h>

namespace aifd::services {
namespace {

using namespace std::chrono_literals;

constexpr Clock::time_point kStart{1000h};
constexpr chain::CallerId kCaller{1};

// How often this was called for the entry, this time included.
std::uint64_t visits(SharedCallers& callers, std::uint32_t rule, bool make) {
  std::uint64_t count = 0;
  callers.visit(kCaller, rule, make, kStart, [&](CallerEntry& entry, Clock::time_point latest) {
    count = ++std::get<WindowCount>(entry.first).used;
    entry.expires = latest + 1s;
  });
  return count;
}

TEST(SharedCallers, KeepsAnEntryOnlyWhereOneIsToBeMade) {
  SharedCallers callers("tests", 100);
  EXPECT_EQ(visits(callers, 0, false), 1u);
  EXPECT_EQ(visits(callers, 0, false), 1u);
  EXPECT_EQ(callers.entries(), 0u);
  EXPECT_EQ(visits(callers, 0, true), 1u);
  EXPECT_EQ(visits(callers, 0, true), 2u);
  EXPECT_EQ(visits(callers, 0, false), 3u);
  EXPECT_EQ(visits(callers, 1, true), 1u);
  EXPECT_EQ(callers.entries(), 2u);
}

TEST(SharedCallers, GivesATimeThatDoesNotGoBack) {
  SharedCallers callers("tests", 100);
  const auto latest_at = [&](Clock::time_point now) {
    Clock::time_point seen;
    callers.visit(kCaller, 0, false, now,
                  [&](CallerEntry&, Clock::time_point latest) { seen = latest; });
    return seen;
  };
  EXPECT_EQ(latest_at(kStart), kStart);
  EXPECT_EQ(latest_at(kStart - 5s), kStart);
  EXPECT_EQ(latest_at(kStart + 5s), kStart + 5s);
}

TEST(ForEachLimit, MakesTheStatesThatAreMissingAndKeepsTheOthers) {
  CallerEntry entry;
  const auto count = [&](std::size_t limits) {
    std::vector<std::uint64_t> counts;
    for_each_limit(entry, config::RateLimits(limits), [&](RateState& state, const auto&) {
      counts.push_back(++std::get<WindowCount>(state).used);
    });
    return counts;
  };
  EXPECT_EQ(count(0), (std::vector<std::uint64_t>{}));
  EXPECT_EQ(count(1), (std::vector<std::uint64_t>{1}));
  EXPECT_EQ(count(3), (std::vector<std::uint64_t>{2, 1, 1}));
  EXPECT_EQ(count(2), (std::vector<std::uint64_t>{3, 2}));
  EXPECT_EQ(count(3), (std::vector<std::uint64_t>{4, 3, 2}));
}

}  // namespace
}  // namespace aifd::services
