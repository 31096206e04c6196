// One event loop's connection to a Redis server: commands of many callers, one after another.
#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>

#include "aifd/base/clock.hpp"
#include "aifd/chain/task.hpp"
#include "aifd/services/redis_reply.hpp"
#include "aifd/services/redis_server.hpp"

namespace aifd::services {

// Used on its loop's thread. Connects at once and again whenever the connection is lost, after 100
// ms to 2 s where that fails or does not last. While the server is away no caller waits: away is
// from a failed attempt, or a reply that is overdue, until a PING on a new connection is answered
// in time. A connection whose reply is overdue is closed, so that replies cannot be mixed up. Where
// an idle connection is closed by the server, or at the very first, callers wait for the new one as
// they wait for a reply.
class RedisConnection {
 public:
  RedisConnection(LoopExecutor loop, std::shared_ptr<RedisServer> server);
  RedisConnection(const RedisConnection&) = delete;
  RedisConnection& operator=(const RedisConnection&) = delete;
  ~RedisConnection();

  // Null: the server is away, or did not answer within that time since `asked` (but see
  // RedisOptions::patience); the command may have been done nevertheless. A reply that can be read
  // already counts, however late this loop is.
  Task<std::optional<RedisReply>> command(std::span<const std::string_view> arguments,
                                          std::chrono::milliseconds time,
                                          Clock::time_point asked = Clock::now());

  // Whether command() would not even try.
  bool away() const noexcept { return away_; }

  // Ends everything without resuming anybody, as the loop's own end does: called from there.
  void shutdown() noexcept;

  const RedisServer& server() const noexcept { return *server_; }

 private:
  using Timer = asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, LoopExecutor>;
  using Token = asio::use_awaitable_t<LoopExecutor>;
  using Waiter = asio::async_result<Token, void(std::optional<RedisReply>)>::handler_type;

  static constexpr Token kAwait{};

  struct Call {
    std::chrono::milliseconds time;
    Clock::time_point deadline;
    Waiter waiter;
  };
  struct Wire;  // one attempt to connect, and the connection it gives

  Task<void> run();
  Task<void> serve(Wire& wire);
  Task<void> greet(Wire& wire);
  Task<void> log_in(Wire& wire, const config::RedisUrl& url);
  Task<void> select(Wire& wire, unsigned database);
  Task<void> ping(Wire& wire);
  Task<std::optional<RedisReply>> ask(Wire& wire, std::span<const std::string_view> arguments);
  Task<bool> receive(Wire& wire);
  Task<void> pause();
  Task<void> write_out(std::shared_ptr<Wire> wire);

  void send();
  void become_ready(Wire& wire);
  void go_away(const RedisTrouble& trouble);
  void answer(Call call, std::optional<RedisReply> reply);
  void watch(Clock::time_point deadline);
  void on_time();
  void give_up(Clock::time_point at);
  Clock::time_point due(const Call& call) const noexcept;
  Clock::time_point earliest() const noexcept;
  std::chrono::milliseconds time_of_overdue(Clock::time_point at) const noexcept;

  LoopExecutor loop_;
  std::shared_ptr<RedisServer> server_;
  std::shared_ptr<Wire> wire_;  // null between two
  std::deque<Call> calls_;      // in the order of their replies
  std::string out_;             // commands of calls_ that are not written yet
  bool away_ = false;
  std::chrono::milliseconds backoff_{};

  // One timer for all deadlines. A deadline that has passed is looked at once more after a pass of
  // the loop, in which a reply that has come is read: Asio runs sockets before timers.
  std::optional<Timer> timer_;
  Clock::time_point armed_ = Clock::time_point::max();
  std::optional<Clock::time_point> looked_at_;

  std::optional<Timer> pause_;
  std::minstd_rand random_;
};

// The loop's connection to this server, made at the first call for each and kept with the loop:
// both end together. On the loop's thread, or before it runs.
RedisConnection& redis_connection(asio::io_context& loop,
                                  const std::shared_ptr<RedisServer>& server);

}  // namespace aifd::services
