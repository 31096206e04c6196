// The cache link with a store that takes its time, or fails.
#include <gtest/gtest.h>

#include "aifd/chain/event.hpp"
#include "cache_callers.hpp"

namespace aifd::middleware {
namespace {

using services::CacheEntryPtr;
using services::CacheKey;

// A store that can only answer later, when the test says so; or throws.
class SlowStore final : public services::CacheStore {
 public:
  explicit SlowStore(asio::io_context& loop) : sleeper_(loop.get_executor()) {}

  Task<CacheEntryPtr> get(const CacheKey&) override {
    ++gets;
    if (!slow) co_return answer;
    co_await sleeper_.wait();
    if (throws) throw std::runtime_error("a fault");
    co_return answer;
  }
  void put(const CacheKey&, CacheEntryPtr entry) override {
    if (throws) throw std::runtime_error("a fault");
    answer = std::move(entry);
  }
  void clear() override { answer.reset(); }
  services::CacheStat stat() const override { return {}; }
  void wake() { sleeper_.set(); }

  CacheEntryPtr answer;
  bool slow = false;
  bool throws = false;
  int gets = 0;

 private:
  chain::Event sleeper_;
};

class SlowStoreTest : public testing::Test {
 protected:
  SlowStoreTest() { world_.store = std::make_unique<SlowStore>(world_.loop); }
  SlowStore& store() { return static_cast<SlowStore&>(*world_.store); }

  CacheWorld world_;

  static CacheEntryPtr entry() {
    auto kept = std::make_shared<services::CacheEntry>();
    kept->fields = {{"Content-Type", "application/json"}};
    kept->body = kJsonAnswer;
    kept->stored_at = services::wall_clock_seconds() - 10;
    return kept;
  }
};

TEST_F(SlowStoreTest, TheLeaderLooksIntoTheStoreForAll) {
  store().slow = true;
  Caller leader(world_, kChatPost, ask());
  Caller same(world_, kChatPost, ask());
  Caller other_form(world_, kChatPost, ask_stream());
  Caller young(world_, kChatPost + "\nCache-Control: max-age=5", ask());
  EXPECT_FALSE(leader.answered());
  EXPECT_EQ(store().gets, 1);
  store().answer = entry();
  store().slow = false;
  store().wake();
  for (Caller* caller : {&leader, &same, &other_form}) {
    ASSERT_TRUE(caller->answered());
    EXPECT_EQ(caller->field("x-aifd-cache"), "hit");
    EXPECT_GE(std::stoi(caller->field("Age")), 10);
  }
  EXPECT_EQ(same.text(), kJsonAnswer);
  EXPECT_NE(other_form.text().find("data: [DONE]"), std::string::npos);
  EXPECT_FALSE(young.answered());
  EXPECT_EQ(world_.calls.size(), 1U);  // of the one for whom it is too old
  EXPECT_EQ(young.cache(), "miss");
}

TEST_F(SlowStoreTest, ALeaderThatLeavesMeanwhileStillCallsForTheOthers) {
  store().slow = true;
  Caller leader(world_, kChatPost, ask());
  Caller follower(world_, kChatPost, ask());
  leader->stopper.stop({ErrorKind::client_gone, ErrorSource::client, false, "It left."});
  store().wake();
  leader.leave();
  ASSERT_EQ(world_.calls.size(), 1U);
  EXPECT_FALSE(world_.calls[0].stopped());
  world_.calls[0].answer(kJsonAnswer);
  EXPECT_EQ(follower.text(), kJsonAnswer);
}

TEST_F(SlowStoreTest, AStoreThatThrowsLeavesNobodyWaiting) {
  store().slow = true;
  store().throws = true;
  auto leader = std::make_unique<Caller>(world_, kChatPost, ask());
  Caller follower(world_, kChatPost, ask());
  store().wake();
  ASSERT_TRUE(leader->answered());
  EXPECT_THROW(leader->refused(), std::runtime_error);
  ASSERT_TRUE(follower.answered());
  EXPECT_EQ(follower.refused(), ErrorKind::internal);
  EXPECT_EQ(world_.flights.size(), 0U);
}

TEST_F(SlowStoreTest, AnAnswerThatCannotBePutAwayIsAnAnswerStill) {
  store().throws = true;
  Caller leader(world_, kChatPost, ask());
  Caller follower(world_, kChatPost, ask());
  world_.calls[0].answer(kJsonAnswer);
  EXPECT_EQ(leader.text(), kJsonAnswer);
  EXPECT_EQ(follower.text(), kJsonAnswer);
}

}  // namespace
}  // namespace aifd::middleware
