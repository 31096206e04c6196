#include "log_losses.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace aifd::services {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Lost = LogLosses::Lost;
using Lines = std::vector<std::string>;

constexpr const char* kBegun = "the conversation log is in trouble: no room";

class LogLossesTest : public testing::Test {
 protected:
  Clock::time_point now_{seconds(1000)};
  Lines lines_;
  LogLosses losses_{{.clock = [this] { return now_; },
                     .warn = [this](const std::string& line) { lines_.push_back(line); }}};
};

TEST_F(LogLossesTest, HaveNothingToSayWhereNothingIsLost) {
  losses_.fine();
  losses_.finish(true);
  EXPECT_EQ(lines_, Lines{});
  EXPECT_EQ(losses_.fine_at(), Clock::time_point::max());
}

TEST_F(LogLossesTest, AreSaidWhenTheyBeginAndOnceNothingWasLostForAWhile) {
  losses_.add(Lost::exchange, 1, "no room");
  EXPECT_EQ(lines_, Lines{kBegun});
  losses_.add(Lost::record, 2, "another reason");
  losses_.add(Lost::answer, 3, "no room");
  EXPECT_EQ(losses_.fine_at(), now_ + seconds(1));
  now_ += milliseconds(999);
  losses_.fine();
  EXPECT_EQ(lines_, Lines{kBegun});
  now_ += milliseconds(1);
  losses_.fine();
  losses_.fine();
  EXPECT_EQ(lines_, (Lines{kBegun,
                           "the conversation log is written again; lost were 1 exchanges, "
                           "2 records and parts of 3 answers"}));
  EXPECT_EQ(losses_.lost(), 3U);
}

TEST_F(LogLossesTest, AreNoneWhereItOnlyHadToWait) {
  losses_.add(Lost::nothing, 0, "no room");
  losses_.finish(true);
  EXPECT_EQ(lines_, (Lines{kBegun, "the conversation log is written again; nothing was lost"}));
}

TEST_F(LogLossesTest, AreNotOverWhereTheEndCannotBeWritten) {
  losses_.add(Lost::record, 2, "no room");
  losses_.finish(false);
  EXPECT_EQ(lines_, (Lines{kBegun,
                           "the conversation log ends in trouble; lost were 0 exchanges, "
                           "2 records and parts of 0 answers"}));
}

TEST_F(LogLossesTest, BeginAnewAfterTheirEnd) {
  losses_.add(Lost::exchange, 5, "no room");
  losses_.finish(true);
  losses_.add(Lost::exchange, 1, "no room");
  losses_.finish(true);
  EXPECT_EQ(lines_.size(), 4U);
  EXPECT_NE(lines_.back().find("lost were 1 exchanges"), std::string::npos);
  EXPECT_EQ(losses_.lost(), 6U);
}

}  // namespace
}  // namespace aifd::services
