#include "aifd/chain/stopper.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace aifd::chain {
namespace {

const Error kGone{ErrorKind::client_gone, ErrorSource::client, false, ""};
const Error kLate{ErrorKind::client_timeout, ErrorSource::client, false, ""};

class Waiting final : public Stoppable {
 public:
  Waiting(std::string name, std::string& journal) : name_(std::move(name)), journal_(journal) {}
  void stop() noexcept override { journal_ += name_; }

 private:
  std::string name_;
  std::string& journal_;
};

class StopperTest : public testing::Test {
 protected:
  std::string journal_;
  Stopper stopper_;
  Waiting a_{"a", journal_};
  Waiting b_{"b", journal_};
};

TEST_F(StopperTest, HasNoReasonAtFirst) {
  EXPECT_FALSE(stopper_.stopped());
  EXPECT_FALSE(stopper_.reason());
}

TEST_F(StopperTest, KeepsTheFirstReasonAndStopsEveryoneOnce) {
  const Stopper::Guard guard_a(stopper_, a_);
  const Stopper::Guard guard_b(stopper_, b_);
  stopper_.stop(kGone);
  stopper_.stop(kLate);
  EXPECT_TRUE(stopper_.stopped());
  EXPECT_EQ(stopper_.reason()->kind, ErrorKind::client_gone);
  EXPECT_EQ(journal_, "ba") << "the last that came first";
}

TEST_F(StopperTest, LeavesAloneWhoHasFinished) {
  { const Stopper::Guard guard_a(stopper_, a_); }
  const Stopper::Guard guard_b(stopper_, b_);
  stopper_.stop(kGone);
  EXPECT_EQ(journal_, "b");
}

TEST_F(StopperTest, StopsAtOnceWhoComesTooLate) {
  stopper_.stop(kGone);
  const Stopper::Guard guard_a(stopper_, a_);
  EXPECT_EQ(journal_, "a");
}

TEST_F(StopperTest, TakesGuardsThatEndInAnyOrder) {
  auto guard_a = std::make_unique<Stopper::Guard>(stopper_, a_);
  const Stopper::Guard guard_b(stopper_, b_);
  guard_a.reset();
  stopper_.stop(kGone);
  EXPECT_EQ(journal_, "b");
}

}  // namespace
}  // namespace aifd::chain
