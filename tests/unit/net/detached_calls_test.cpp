// Calls that end before there is a connection; the others are tested over sockets.
#include "aifd/net/detached_calls.hpp"

#include <gtest/gtest.h>

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <future>

#include "support/test_exchange.hpp"

namespace aifd::net {
namespace {

const Error kUnknown{ErrorKind::upstream_unreachable, ErrorSource::upstream, false,
                     "No such name."};

// Notes what it is told.
class NotingSink final : public chain::AnswerSink {
 public:
  explicit NotingSink(bool stops_at_once = false) : stops_at_once_(stops_at_once) {}

  void begin(LoopExecutor, chain::Stopper& stopper, const chain::Outcome&) override {
    journal.emplace_back("begin");
    if (stops_at_once_) {
      stopper.stop({ErrorKind::client_gone, ErrorSource::client, false, "All left."});
    }
  }
  void head(const protocol::ResponseHead&, const protocol::BodyFraming&,
            const chain::Outcome&) override {
    journal.emplace_back("head");
  }
  bool piece(std::string_view) override {
    journal.emplace_back("piece");
    return true;
  }
  Task<Result<void>> wait_for_room() override { co_return Result<void>{}; }
  void end(const Result<void>& result, const chain::Outcome& progress) override {
    journal.emplace_back(result ? "end" : "end " + std::string(error_name(result.error().kind)));
    attempts = progress.attempts;
  }
  Task<void> settle() override {
    journal.emplace_back("settle");
    co_await asio::post(asio::use_awaitable_t<LoopExecutor>());
    journal.emplace_back("settled");
  }

  std::vector<std::string> journal;
  unsigned attempts = 0;

 private:
  bool stops_at_once_;
};

class DetachedCallsTest : public testing::Test {
 protected:
  ~DetachedCallsTest() override { answered_.set_value(); }

  // The next look-up of a name waits until the test's end.
  void block_names() { blocked_ = true; }

  std::shared_ptr<NotingSink> start(bool stops_at_once = false) {
    test::TestExchange from("GET /");
    from->destination.server = {"up.example", 80, false, "up.example"};
    auto sink = std::make_shared<NotingSink>(stops_at_once);
    calls_.start(std::make_unique<chain::DetachedExchange>(*from), sink);
    return sink;
  }

  Result<Resolver::Addresses> look_up() {
    if (blocked_) end_of_test_.wait();
    return kUnknown;
  }

  std::promise<void> answered_;
  std::shared_future<void> end_of_test_ = answered_.get_future().share();
  std::atomic<bool> blocked_ = false;
  config::Settings settings_;
  Resolver resolver_{[this](const std::string&) { return look_up(); }};
  asio::io_context loop_;
  Ticker ticker_{loop_};
  UpstreamPool pool_{loop_, ticker_, settings_, resolver_, nullptr};
  int emptied_ = 0;
  DetachedCalls calls_{loop_, pool_, settings_.timeouts, [this] {
                         ++emptied_;
                         loop_.stop();
                       }};
};

using Journal = std::vector<std::string>;

TEST_F(DetachedCallsTest, BeginsBeforeItReturnsAndDoesNoMore) {
  const auto sink = start(true);
  EXPECT_EQ(sink->journal, Journal{"begin"});
  EXPECT_FALSE(calls_.empty());
  loop_.run();
}

TEST_F(DetachedCallsTest, ACallThatFailsEndsOnce) {
  const auto sink = start();
  loop_.run();
  EXPECT_EQ(sink->journal, (Journal{"begin", "end upstream_unreachable", "settle", "settled"}))
      << "the call, and the loop with it, lasts until all is done";
  EXPECT_EQ(sink->attempts, 1U);
  EXPECT_TRUE(calls_.empty());
  EXPECT_EQ(emptied_, 1);
  EXPECT_EQ(sink.use_count(), 1);
}

TEST_F(DetachedCallsTest, ACallThatNobodyWantsEndsWithoutAWord) {
  const auto sink = start(true);
  loop_.run();
  EXPECT_EQ(sink->journal, (Journal{"begin", "end client_gone", "settle", "settled"}));
  EXPECT_TRUE(calls_.empty());
}

TEST_F(DetachedCallsTest, AbortEndsAllThatRun) {
  block_names();
  const auto one = start();
  const auto other = start();
  loop_.poll();
  EXPECT_EQ(one->journal, Journal{"begin"});
  calls_.abort();
  EXPECT_FALSE(calls_.empty());
  EXPECT_EQ(emptied_, 0);
  loop_.restart();
  loop_.run();
  EXPECT_EQ(one->journal, (Journal{"begin", "end draining", "settle", "settled"}));
  EXPECT_EQ(other->journal, (Journal{"begin", "end draining", "settle", "settled"}));
  EXPECT_EQ(emptied_, 1);
}

}  // namespace
}  // namespace aifd::net
