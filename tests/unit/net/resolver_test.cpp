#include "aifd/net/resolver.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <condition_variable>
#include <optional>

namespace aifd::net {
namespace {

using Addresses = Resolver::Addresses;

asio::ip::address v4(const char* text) {
  return asio::ip::make_address(text);
}

// Look-ups that the test answers, and a clock that moves when it says so.
class Names {
 public:
  Result<Addresses> look_up() {
    const std::scoped_lock lock(mutex_);
    ++asked_;
    changed_.notify_all();
    return answer_;
  }

  void answer_with(Result<Addresses> answer) {
    const std::scoped_lock lock(mutex_);
    answer_ = std::move(answer);
  }

  // Waits for that many look-ups in all, and for the resolver to have taken the last one's answer.
  void wait_for(int count, const Resolver& resolver) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return asked_ >= count; });
    lock.unlock();
    while (resolver.busy()) std::this_thread::yield();
  }

  int asked() {
    const std::scoped_lock lock(mutex_);
    return asked_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  Result<Addresses> answer_ = Addresses{v4("192.0.2.1")};
  int asked_ = 0;
};

class ResolverTest : public ::testing::Test {
 protected:
  Result<Addresses> resolve(const std::string& host) {
    asio::io_context loop(1);
    chain::Stopper stopper;
    std::optional<Result<Addresses>> found;
    asio::co_spawn(loop, resolver_.resolve(host, loop.get_executor(), stopper),
                   [&](const std::exception_ptr&, Result<Addresses> result) {
                     found = std::move(result);
                     loop.stop();
                   });
    const auto work = asio::make_work_guard(loop);
    loop.run();
    return *found;
  }

  Names names_;
  std::atomic<Clock::duration> elapsed_{Clock::duration{}};
  Resolver resolver_{
      [this](const std::string&) { return names_.look_up(); },
      [this] { return Clock::time_point{} + std::chrono::hours(1) + elapsed_.load(); }};
};

TEST_F(ResolverTest, TakesAnAddressAsItIs) {
  EXPECT_EQ(resolve("2001:db8::1").value(), Addresses{v4("2001:db8::1")});
  EXPECT_EQ(names_.asked(), 0);
}

TEST_F(ResolverTest, AsksOnceWhileTheAnswerIsFresh) {
  EXPECT_EQ(resolve("a.example").value(), Addresses{v4("192.0.2.1")});
  elapsed_ = Resolver::kFreshFor - std::chrono::seconds(1);
  EXPECT_EQ(resolve("a.example").value(), Addresses{v4("192.0.2.1")});
  EXPECT_EQ(names_.asked(), 1);
}

TEST_F(ResolverTest, LooksUpAgainAsTimePassesAndServesTheOldAnswerMeanwhile) {
  ASSERT_TRUE(resolve("a.example"));
  names_.answer_with(Addresses{v4("192.0.2.2")});
  elapsed_ = Resolver::kFreshFor;
  EXPECT_EQ(resolve("a.example").value(), Addresses{v4("192.0.2.1")});
  names_.wait_for(2, resolver_);
  EXPECT_EQ(resolve("a.example").value(), Addresses{v4("192.0.2.2")});
}

TEST_F(ResolverTest, ServesAnOldAnswerWhileTheNameServerFailsButNotForEver) {
  ASSERT_TRUE(resolve("a.example"));
  names_.answer_with(Error{ErrorKind::upstream_unreachable, ErrorSource::upstream, true, "down"});
  elapsed_ = Resolver::kFreshFor;
  EXPECT_TRUE(resolve("a.example"));
  names_.wait_for(2, resolver_);
  EXPECT_EQ(resolve("a.example").value(), Addresses{v4("192.0.2.1")});
  names_.wait_for(3, resolver_);
  elapsed_ = Resolver::kStaleFor;
  EXPECT_EQ(resolve("a.example").error().kind, ErrorKind::upstream_unreachable);
}

TEST_F(ResolverTest, GivesUpWaitingWhenItIsStopped) {
  asio::io_context loop(1);
  chain::Stopper stopper;
  stopper.stop({ErrorKind::client_gone, ErrorSource::client, false, ""});
  std::optional<Result<Addresses>> found;
  asio::co_spawn(loop, resolver_.resolve("b.example", loop.get_executor(), stopper),
                 [&](const std::exception_ptr&, Result<Addresses> result) { found = result; });
  loop.run();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->error().kind, ErrorKind::client_gone);
  names_.wait_for(1, resolver_);  // the look-up goes on alone, and posts to the loop at its end
}

}  // namespace
}  // namespace aifd::net
