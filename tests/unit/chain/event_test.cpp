#include "aifd/chain/event.hpp"

#include <gtest/gtest.h>

#include "support/run_task.hpp"

namespace aifd::chain {
namespace {

using test::Running;

class EventTest : public testing::Test {
 protected:
  // What has become due by now, without waiting for more.
  void run_ready() {
    loop_.restart();
    loop_.poll();
  }

  asio::io_context loop_;
  Event event_{loop_.get_executor()};
};

TEST_F(EventTest, LetsAWaiterPassThatComesAfterIt) {
  event_.set();
  Running<void> waiting(loop_, event_.wait());
  run_ready();
  EXPECT_TRUE(waiting.finished());
}

TEST_F(EventTest, WakesAWaiterThatCameBeforeItFromTheLoop) {
  Running<void> waiting(loop_, event_.wait());
  run_ready();
  EXPECT_FALSE(waiting.finished());
  event_.set();
  EXPECT_FALSE(waiting.finished()) << "whoever sets it goes on first";
  run_ready();
  EXPECT_TRUE(waiting.finished());
}

TEST_F(EventTest, WakesAWaiterAtOnceFromAHandler) {
  Running<void> waiting(loop_, event_.wait());
  run_ready();
  bool woken = false;
  asio::post(loop_, [&] {
    event_.set_from_handler();
    woken = true;
  });
  run_ready();
  EXPECT_TRUE(woken);
  EXPECT_TRUE(waiting.finished());
}

TEST_F(EventTest, ResetsItselfWithEachWait) {
  event_.set();
  event_.set();
  EXPECT_NO_THROW(test::run_task(loop_, event_.wait()));
  Running<void> second(loop_, event_.wait());
  run_ready();
  EXPECT_FALSE(second.finished()) << "two sets are one";
  event_.set();
  run_ready();
  EXPECT_TRUE(second.finished());
}

TEST_F(EventTest, CountsASetThatWokeSomebodyForNobodyElse) {
  Running<void> first(loop_, event_.wait());
  run_ready();
  event_.set();
  run_ready();
  ASSERT_TRUE(first.finished());
  Running<void> second(loop_, event_.wait());
  run_ready();
  EXPECT_FALSE(second.finished());
  event_.set();
  run_ready();
}

TEST_F(EventTest, ForgetsASetWhenCleared) {
  event_.set();
  event_.clear();
  Running<void> waiting(loop_, event_.wait());
  run_ready();
  EXPECT_FALSE(waiting.finished());
  event_.set();
  run_ready();
}

TEST(Event, ThatEndsTakesTheFrameOfItsWaiterAlongThroughTheLoop) {
  struct Guard {
    bool& gone;
    ~Guard() { gone = true; }
  };
  bool gone = false;
  asio::io_context loop;
  auto event = std::make_unique<Event>(loop.get_executor());
  const auto wait = [](Event& waited, bool& flag) -> Task<void> {
    const Guard guard{flag};
    co_await waited.wait();
  };
  Running<void> waiting(loop, wait(*event, gone));
  loop.poll();
  EXPECT_FALSE(gone);
  event.reset();
  loop.restart();
  loop.poll();
  EXPECT_TRUE(gone);
  EXPECT_FALSE(waiting.finished());
}

}  // namespace
}  // namespace aifd::chain
