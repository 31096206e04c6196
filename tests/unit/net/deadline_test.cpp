#include "aifd/net/deadline.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace aifd::net {
namespace {

class NeverDue final : public Deadline {
 public:
  using Deadline::Deadline;

 private:
  void on_deadline() noexcept override {
    ADD_FAILURE() << "a deadline that was not set has passed";
  }
};

TEST(Ticker, SleepsWhileNoDeadlineIsThere) {
  asio::io_context loop;
  const Ticker ticker(loop);
  EXPECT_EQ(loop.poll(), 0U);
  EXPECT_TRUE(loop.stopped()) << "no timer keeps the loop awake";
}

TEST(Ticker, WakesForADeadlineAndTakesThemOutInAnyOrder) {
  asio::io_context loop;
  Ticker ticker(loop);
  auto first = std::make_unique<NeverDue>(ticker);
  auto second = std::make_unique<NeverDue>(ticker);
  auto third = std::make_unique<NeverDue>(ticker);
  second.reset();
  first.reset();
  const NeverDue fourth(ticker);
  third.reset();
  EXPECT_EQ(loop.poll(), 0U);
  EXPECT_FALSE(loop.stopped()) << "a tick is due";
}

}  // namespace
}  // namespace aifd::net
