#include "aifd/services/redis_connection.hpp"

#include <gtest/gtest.h>

#include <array>
#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstring>

#include "support/run_task.hpp"

namespace aifd::services {
namespace {

using namespace std::chrono_literals;
using boost::system::error_code;
using Reply = std::optional<RedisReply>;

// The server's end of the streams that a connection makes, one after another.
struct Script {
  std::string written;  // to the current stream
  std::string unread;
  int streams = 0;
  bool closed = false;
  bool refuses = false;  // connections
  bool hangs = false;    // and does not even refuse them
  asio::steady_timer* reader = nullptr;

  void send(std::string_view bytes) {
    unread += bytes;
    if (reader != nullptr) reader->cancel();
  }
};

class ScriptedStream final : public chain::ByteStream {
 public:
  ScriptedStream(LoopExecutor loop, Script& script)
      : script_(script), waits_(loop, asio::steady_timer::time_point::max()) {
    script_.written.clear();
    script_.unread.clear();
    ++script_.streams;
    script_.closed = false;
    script_.reader = &waits_;
  }
  ~ScriptedStream() override { script_.reader = nullptr; }

  Task<Result<void>> connect(const std::string&, std::uint16_t) override {
    while (script_.hangs && !script_.closed) co_await wait();
    if (script_.refuses) {
      co_return Error{ErrorKind::upstream_unreachable, ErrorSource::upstream, true, "refused"};
    }
    co_return Result<void>();
  }
  Task<std::size_t> read_some(std::span<char> into, error_code& ec) override {
    while (script_.unread.empty() && !script_.closed) co_await wait();
    if (script_.closed) ec = asio::error::operation_aborted;
    const std::size_t count = std::min(into.size(), script_.unread.size());
    std::memcpy(into.data(), script_.unread.data(), count);
    script_.unread.erase(0, count);
    co_return count;
  }
  Task<void> write(std::string_view bytes, error_code& ec) override {
    if (script_.closed) ec = asio::error::operation_aborted;
    script_.written += bytes;
    if (bytes == "*1\r\n$4\r\nPING\r\n") script_.unread += "+PONG\r\n";
    co_return;
  }
  void close() noexcept override {
    script_.closed = true;
    waits_.cancel();
  }

 private:
  Task<void> wait() {
    error_code ignored;
    co_await waits_.async_wait(
        asio::redirect_error(asio::use_awaitable_t<LoopExecutor>(), ignored));
  }

  Script& script_;
  asio::steady_timer waits_;
};

class RedisConnectionTest : public testing::Test {
 protected:
  RedisConnection& connect(std::chrono::milliseconds patience = 0ms) {
    RedisOptions options;
    options.budget = 1h;
    options.patience = patience;
    options.connect_budget = 1h;
    options.url.tls = true;
    options.wrap = [this](std::unique_ptr<chain::ByteStream>) {
      return std::make_unique<ScriptedStream>(loop_.get_executor(), script_);
    };
    return redis_connection(loop_, std::make_shared<RedisServer>(options));
  }

  std::unique_ptr<test::Running<Reply>> ask(RedisConnection& connection,
                                            std::chrono::milliseconds time) {
    static constexpr std::array<std::string_view, 1> kCommand{"X"};
    return std::make_unique<test::Running<Reply>>(loop_, connection.command(kCommand, time));
  }

  // Timers that are due go off in one of the passes.
  void poll() {
    for (int pass = 0; pass < 20; ++pass) {
      loop_.restart();
      loop_.poll();
    }
  }

  Script script_;
  asio::io_context loop_;
};

TEST_F(RedisConnectionTest, GivesRepliesInTheirOrder) {
  RedisConnection& connection = connect();
  const auto first = ask(connection, 1h);  // before there is a connection
  poll();
  const auto second = ask(connection, 1h);
  const auto third = ask(connection, 1h);
  poll();
  EXPECT_TRUE(script_.written.ends_with("*1\r\n$1\r\nX\r\n*1\r\n$1\r\nX\r\n*1\r\n$1\r\nX\r\n"));
  script_.send(":1\r\n:2\r\n:");
  poll();
  EXPECT_EQ(first->take()->integer, 1);
  EXPECT_EQ(second->take()->integer, 2);
  EXPECT_FALSE(third->finished());
  script_.send("3\r\n");
  poll();
  EXPECT_EQ(third->take()->integer, 3);
}

TEST_F(RedisConnectionTest, ClosesWhereAReplyIsOverdueAndLetsNobodyWaitAfterwards) {
  RedisConnection& connection = connect();
  poll();
  const auto patient = ask(connection, 1h);
  const auto hasty = ask(connection, -1ms);  // behind one with more time
  poll();
  EXPECT_FALSE(hasty->take());
  EXPECT_FALSE(patient->take());
  EXPECT_TRUE(script_.closed);
  EXPECT_TRUE(connection.away());
  const auto next = ask(connection, 1h);
  poll();
  EXPECT_FALSE(next->take());
}

TEST_F(RedisConnectionTest, TakesALateReplyThatHasCome) {
  RedisConnection& connection = connect();
  poll();
  const auto asked = ask(connection, -1ms);
  script_.send(":1\r\n");
  poll();
  EXPECT_EQ(asked->take()->integer, 1);
  EXPECT_FALSE(connection.away());
}

TEST_F(RedisConnectionTest, WaitsWithPatienceWhileTheServerSends) {
  RedisConnection& connection = connect(1h);
  poll();
  const auto large = ask(connection, -1ms);
  const auto small = ask(connection, -1ms);
  script_.send("$10\r\n12345");
  poll();
  EXPECT_FALSE(large->finished());
  script_.send("67890\r\n");
  poll();
  EXPECT_EQ(large->take()->text, "1234567890");
  EXPECT_FALSE(small->finished());
  script_.send(":1\r\n");
  poll();
  EXPECT_EQ(small->take()->integer, 1);
  EXPECT_FALSE(connection.away());
}

TEST_F(RedisConnectionTest, HasAnEndOfItsPatience) {
  RedisConnection& connection = connect(1ms);
  poll();
  const auto large = ask(connection, -2ms);
  script_.send("$10\r\n12345");
  poll();
  EXPECT_FALSE(large->take());
  EXPECT_TRUE(connection.away());
}

TEST_F(RedisConnectionTest, GoesOnConnectingWhereACallerCannotWait) {
  script_.hangs = true;
  RedisConnection& connection = connect();
  const auto asked = ask(connection, -1ms);
  poll();
  EXPECT_FALSE(asked->take());
  EXPECT_TRUE(connection.away());
  EXPECT_FALSE(script_.closed);
  script_.hangs = false;
  script_.send("");
  poll();
  EXPECT_FALSE(connection.away());
  EXPECT_EQ(script_.streams, 1);
  EXPECT_EQ(script_.written, "*1\r\n$4\r\nPING\r\n");  // not the command, which is over
}

TEST_F(RedisConnectionTest, ClosesWhereRepliesCannotBeUnderstood) {
  RedisConnection& connection = connect();
  poll();
  const auto asked = ask(connection, 1h);
  script_.send("?");
  poll();
  EXPECT_FALSE(asked->take());
  EXPECT_TRUE(script_.closed);
  EXPECT_TRUE(connection.away());
}

TEST_F(RedisConnectionTest, ClosesWhereRepliesComeThatNobodyAskedFor) {
  RedisConnection& connection = connect();
  poll();
  script_.send(":1\r\n");
  poll();
  EXPECT_TRUE(script_.closed);
  EXPECT_TRUE(connection.away());
}

TEST_F(RedisConnectionTest, IsAwayWhereNobodyListens) {
  script_.refuses = true;
  RedisConnection& connection = connect();
  const auto asked = ask(connection, 1h);
  poll();
  EXPECT_FALSE(asked->take());
  EXPECT_TRUE(connection.away());
  EXPECT_EQ(script_.streams, 1);  // and the next after a pause
}

}  // namespace
}  // namespace aifd::services
