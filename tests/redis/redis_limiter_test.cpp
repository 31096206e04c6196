// The limiter against a server that works, sleeps, dies, and talks nonsense.
#include "aifd/services/redis_limiter.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <thread>

#include "aifd/services/redis_connection.hpp"
#include "log.hpp"
#include "loop.hpp"
#include "redis_process.hpp"

namespace aifd::services {
namespace {

using config::RateLimitStrategy;
using namespace std::chrono_literals;
using Decision = std::optional<LimitDecision>;

constexpr chain::CallerId kCaller{1, 2, 3};
constexpr auto kPatient = 1min;  // a budget that no machine is too slow for

LimitRule rule_of(std::uint64_t count) {
  return {0, "/v1", {{count, 1h}}};
}

class RedisLimiterTest : public testing::Test {
 protected:
  std::unique_ptr<RedisLimiter> limiter(std::chrono::milliseconds budget,
                                        std::optional<config::RedisUrl> url = std::nullopt) {
    return std::make_unique<RedisLimiter>(url ? *url : redis_.url(),
                                          RateLimitStrategy::fixed_window, budget);
  }

  // Hits until one is counted, as the requests of a daemon would.
  Decision hit_until_counted(RedisLimiter& limiter, const LimitRule& rule) {
    Decision decision;
    loop_.run_until([&] {
      decision = loop_.run(limiter.hit(kCaller, rule));
      return decision.has_value();
    });
    return decision;
  }

  // A hit that does not wait for anything.
  test::Loop::Pending<Decision> hit_at_once(RedisLimiter& limiter, const LimitRule& rule) {
    auto pending = loop_.start(limiter.hit(kCaller, rule));
    loop_.poll();
    return pending;
  }

  test::RedisProcess redis_;
  test::Log log_;
  test::Loop loop_;
};

TEST_F(RedisLimiterTest, CountsForAll) {
  const auto limiter = this->limiter(kPatient);
  limiter->start_on(loop_.executor());
  const LimitRule rule = rule_of(2);
  EXPECT_EQ(loop_.run(limiter->hit(kCaller, rule))->remaining, 1U);
  test::Loop other;
  EXPECT_EQ(other.run(limiter->hit(kCaller, rule))->remaining, 0U);
  EXPECT_FALSE(loop_.run(limiter->hit(kCaller, rule))->admitted);
  EXPECT_TRUE(loop_.run(limiter->hit({9}, rule))->admitted);
  EXPECT_TRUE(loop_.run(limiter->hit(kCaller, {1, "/v2", {{1, 1h}}}))->admitted);
  EXPECT_EQ(log_.text(), "");
}

TEST_F(RedisLimiterTest, AdmitsExactlyTheLimitOfManyAtOnce) {
  for (const RateLimitStrategy strategy :
       {RateLimitStrategy::fixed_window, RateLimitStrategy::moving_window,
        RateLimitStrategy::fixed_window_elastic_expiry, RateLimitStrategy::sliding_window_counter,
        RateLimitStrategy::gcra}) {
    RedisLimiter first(redis_.url(), strategy, kPatient);
    RedisLimiter second(redis_.url(), strategy, kPatient);
    const LimitRule rule = rule_of(20);
    std::atomic<int> admitted = 0;
    std::atomic<int> refused = 0;
    const auto serve = [&](RedisLimiter& limiter) {
      test::Loop loop;
      limiter.start_on(loop.executor());
      std::vector<test::Loop::Pending<Decision>> hits;
      for (int i = 0; i < 16; ++i) hits.push_back(loop.start(limiter.hit(kCaller, rule)));
      for (const auto& hit : hits) {
        loop.run_until([&] { return hit->has_value(); });
        if (**hit) ++((**hit)->admitted ? admitted : refused);
      }
    };
    std::vector<std::thread> threads;
    for (RedisLimiter* limiter : {&first, &second, &first, &second}) {
      threads.emplace_back([&serve, limiter] { serve(*limiter); });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(admitted, 20);
    EXPECT_EQ(refused, 44);
  }
}

TEST_F(RedisLimiterTest, SendsTheScriptOnceMoreWhenTheServerForgotIt) {
  const auto limiter = this->limiter(kPatient);
  const LimitRule rule = rule_of(9);
  EXPECT_EQ(loop_.run(limiter->hit(kCaller, rule))->remaining, 8U);
  redis_.ask({"SCRIPT", "FLUSH"});
  EXPECT_EQ(loop_.run(limiter->hit(kCaller, rule))->remaining, 7U);
  EXPECT_EQ(loop_.run(limiter->hit(kCaller, rule))->remaining, 6U);
}

TEST_F(RedisLimiterTest, LogsInAndSelectsTheDatabase) {
  test::RedisProcess locked("p w\r\n%");
  config::RedisUrl url = locked.url();
  url.user = "default";
  url.database = 3;
  const auto limiter = this->limiter(kPatient, url);
  EXPECT_TRUE(loop_.run(limiter->hit(kCaller, rule_of(1)))->admitted);
  EXPECT_EQ(locked.ask({"DBSIZE"}).integer, 0);
}

TEST_F(RedisLimiterTest, SaysThatThePasswordIsWrongAndNeverWhichItWas) {
  test::RedisProcess locked("right");
  config::RedisUrl url = locked.url();
  url.user = "somebody";
  url.password = Secret("wrong-password");
  const auto limiter = this->limiter(kPatient, url);
  EXPECT_FALSE(loop_.run(limiter->hit(kCaller, rule_of(1))));
  EXPECT_TRUE(hit_at_once(*limiter, rule_of(1))->has_value());
  EXPECT_EQ(log_.count("Redis at 127.0.0.1:"), 1U);
  EXPECT_EQ(log_.count("refuses aifd (it does not accept the user or password: WRONGPASS); limits "
                       "are counted by this daemon alone until it does not"),
            1U)
      << log_.text();
  EXPECT_EQ(log_.count("wrong-password") + log_.count("somebody"), 0U);
}

TEST_F(RedisLimiterTest, SaysThatAPasswordIsWanted) {
  test::RedisProcess locked("right");
  config::RedisUrl url = locked.url();
  url.password = Secret();
  const auto limiter = this->limiter(kPatient, url);
  EXPECT_FALSE(loop_.run(limiter->hit(kCaller, rule_of(1))));
  EXPECT_EQ(log_.count("NOAUTH"), 1U) << log_.text();
}

TEST_F(RedisLimiterTest, SaysWhenCommandsAreRefusedAndWhenTheyAreNoMore) {
  const auto limiter = this->limiter(kPatient);
  EXPECT_TRUE(loop_.run(limiter->hit(kCaller, rule_of(9))));
  redis_.ask({"CONFIG", "SET", "min-replicas-to-write", "1"});
  EXPECT_FALSE(loop_.run(limiter->hit(kCaller, rule_of(9))));
  EXPECT_FALSE(loop_.run(limiter->hit(kCaller, rule_of(9))));
  EXPECT_EQ(log_.count("does not do what it is asked (NOREPLICAS"), 1U) << log_.text();
  redis_.ask({"CONFIG", "SET", "min-replicas-to-write", "0"});
  EXPECT_EQ(loop_.run(limiter->hit(kCaller, rule_of(9)))->remaining, 7U);
  EXPECT_EQ(log_.count("does what it is asked again"), 1U) << log_.text();
}

TEST_F(RedisLimiterTest, AFrozenServerCostsOneBudgetAndIsUsedAgainOnceItWakes) {
  const auto limiter = this->limiter(100ms);
  const LimitRule rule = rule_of(1000);
  hit_until_counted(*limiter, rule);
  test::Loop other;
  redis_.freeze();
  const std::size_t before = log_.count("does not answer");
  const auto started = Clock::now();
  EXPECT_FALSE(loop_.run(limiter->hit(kCaller, rule)));
  EXPECT_GE(Clock::now() - started, 100ms);
  for (int i = 0; i < 3; ++i) {
    const auto pending = hit_at_once(*limiter, rule);
    ASSERT_TRUE(pending->has_value());
    EXPECT_FALSE(**pending);
  }
  EXPECT_FALSE(other.run(limiter->hit(kCaller, rule)));  // another loop's, and no more to the log
  EXPECT_EQ(log_.count("does not answer (no reply within 100 ms); limits are counted by this "
                       "daemon alone until it does\n"),
            before + 1)
      << log_.text();
  EXPECT_EQ(log_.count("answers again"), before);
  redis_.wake();
  EXPECT_TRUE(hit_until_counted(*limiter, rule));
}

TEST_F(RedisLimiterTest, AServerThatDiedIsUsedAgainOnceItIsBack) {
  const auto limiter = this->limiter(kPatient);
  const LimitRule rule = rule_of(1000);
  hit_until_counted(*limiter, rule);
  redis_.kill();
  loop_.run_until([&] { return log_.count("does not answer") == 1; });
  EXPECT_FALSE(**hit_at_once(*limiter, rule));
  redis_.start();
  EXPECT_EQ(hit_until_counted(*limiter, rule)->remaining, 999U);
  EXPECT_EQ(log_.count("does not answer"), 1U) << log_.text();
  EXPECT_EQ(log_.count("answers again"), 1U) << log_.text();
}

TEST_F(RedisLimiterTest, ARequestOnItsWayWhenTheServerDiesIsNotKept) {
  const auto limiter = this->limiter(kPatient);
  const LimitRule rule = rule_of(9);
  hit_until_counted(*limiter, rule);
  redis_.freeze();
  const auto pending = hit_at_once(*limiter, rule);
  EXPECT_FALSE(pending->has_value());
  redis_.kill();
  loop_.run_until([&] { return pending->has_value(); });
  EXPECT_FALSE(**pending);
}

TEST_F(RedisLimiterTest, AReplyThatHasComeCountsHoweverLateTheLoopIs) {
  const auto limiter = this->limiter(1s);
  const LimitRule rule = rule_of(9);
  hit_until_counted(*limiter, rule);
  const auto pending = hit_at_once(*limiter, rule);
  for (int i = 0; i < 3; ++i) redis_.ask({"PING"});  // after these it has answered the hit too
  std::this_thread::sleep_for(1100ms);               // the loop is stuck past the deadline
  loop_.run_until([&] { return pending->has_value(); });
  ASSERT_TRUE(**pending);
  EXPECT_TRUE((**pending)->admitted);
}

TEST_F(RedisLimiterTest, NobodyListening) {
  config::RedisUrl url = redis_.url();
  url.port = test::free_port();
  const auto limiter = this->limiter(kPatient, url);
  EXPECT_FALSE(loop_.run(limiter->hit(kCaller, rule_of(1))));
  EXPECT_TRUE(hit_at_once(*limiter, rule_of(1))->has_value());
  EXPECT_EQ(log_.count("does not answer (Connection refused)"), 1U) << log_.text();
}

TEST_F(RedisLimiterTest, FindsAServerByName) {
  config::RedisUrl url = redis_.url();
  url.host = "localhost";  // perhaps ::1 as well, where nobody listens
  const auto limiter = this->limiter(kPatient, url);
  EXPECT_TRUE(loop_.run(limiter->hit(kCaller, rule_of(1))));
  EXPECT_FALSE(limiter->looking_up());
}

// Answers the first bytes of each connection with something else.
class Nonsense {
 public:
  explicit Nonsense(std::string answer) : answer_(std::move(answer)) {
    thread_ = std::thread([this] { serve(); });
  }
  ~Nonsense() {
    stopping_ = true;
    boost::system::error_code ignored;
    asio::ip::tcp::socket(context_).connect(acceptor_.local_endpoint(), ignored);
    thread_.join();
  }
  config::RedisUrl url() const {
    config::RedisUrl url;
    url.host = "127.0.0.1";
    url.port = acceptor_.local_endpoint().port();
    return url;
  }

 private:
  void serve() {
    while (!stopping_) {
      boost::system::error_code ec;
      asio::ip::tcp::socket peer = acceptor_.accept();
      std::array<char, 1024> buffer;
      if (stopping_ || peer.read_some(asio::buffer(buffer), ec) == 0) continue;
      asio::write(peer, asio::buffer(answer_), ec);
      while (!ec) peer.read_some(asio::buffer(buffer), ec);
    }
  }

  const std::string answer_;
  std::atomic<bool> stopping_ = false;
  asio::io_context context_;
  asio::ip::tcp::acceptor acceptor_{context_, {asio::ip::address_v4::loopback(), 0}};
  std::thread thread_;
};

TEST_F(RedisLimiterTest, SurvivesNonsense) {
  const std::string endless(2 << 20, 'x');
  for (const std::string& answer :
       {std::string("HTTP/1.1 400 Bad Request\r\n\r\n"), std::string("*2147483647\r\n"),
        std::string("$99999999999999\r\n"), "+" + endless, "$1500000\r\n" + endless,
        std::string("*4000\r\n*4000\r\n"), std::string(":1\r\n"), std::string("+PONG\r\n+PONG\r\n"),
        std::string(1000, '\0')}) {
    test::Log log;
    {
      const Nonsense server(answer);
      test::Loop loop;
      const auto limiter = this->limiter(kPatient, server.url());
      EXPECT_FALSE(loop.run(limiter->hit(kCaller, rule_of(1)))) << answer.substr(0, 40);
    }
    EXPECT_EQ(log.count("Redis at 127.0.0.1:"), 1U) << answer.substr(0, 40) << log.text();
  }
}

TEST_F(RedisLimiterTest, ALoopMayEndWhateverWaits) {
  const auto limiter = this->limiter(kPatient);
  const LimitRule rule = rule_of(9);
  test::Loop::Pending<Decision> pending;
  {
    test::Loop waits_for_reply;
    waits_for_reply.run(limiter->hit(kCaller, rule));
    redis_.freeze();
    pending = waits_for_reply.start(limiter->hit(kCaller, rule));
    waits_for_reply.poll();
  }
  EXPECT_FALSE(pending->has_value());
  {
    test::Loop waits_for_greeting;
    pending = waits_for_greeting.start(limiter->hit(kCaller, rule));
    waits_for_greeting.poll();
  }
  {
    test::Loop never_ran;
    limiter->start_on(never_ran.executor());
  }
  test::Loop outlives_the_limiter;
  this->limiter(kPatient)->start_on(outlives_the_limiter.executor());
  outlives_the_limiter.poll();
  redis_.wake();
}

TEST(RedisLimiterOptions, RefuseTlsWithoutTls) {
  config::RedisUrl url;
  url.tls = true;
  EXPECT_THROW(RedisLimiter(url, RateLimitStrategy::gcra, kPatient), std::invalid_argument);
}

}  // namespace
}  // namespace aifd::services
