#include "aifd/services/redis_connection.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <exception>
#include <utility>

#include "aifd/base/log.hpp"

namespace aifd::services {
namespace {

using namespace std::chrono_literals;
using boost::system::error_code;

constexpr std::chrono::milliseconds kFirstPause = 100ms;
constexpr std::chrono::milliseconds kLongestPause = 2s;
constexpr auto kSettled = 2s;                  // a connection that lasts as long is a good one
constexpr std::size_t kReadBytes = 64 * 1024;  // large replies in few passes of the loop
constexpr std::string_view kUnasked = "it sends what nobody asked for";

std::string in_ms(std::chrono::milliseconds time) {
  return std::to_string(time.count()) + " ms";
}

// What Redis says to AUTH may repeat the password: its code alone is safe to show.
std::string_view code_of(const RedisReply& reply) {
  return std::string_view(reply.text).substr(0, reply.text.find(' '));
}

// A server that is starting, or in a long script, will serve before long.
bool passes_by_itself(const RedisReply& reply) {
  return reply.is_error("LOADING") || reply.is_error("BUSY") || reply.is_error("MASTERDOWN");
}

void report(const std::exception_ptr& thrown) {
  try {
    if (thrown) std::rethrow_exception(thrown);
  } catch (const std::exception& fault) {
    log::error("a Redis connection failed inside aifd: {}", fault.what());
  }
}

}  // namespace

struct RedisConnection::Wire {
  Wire(std::unique_ptr<chain::ByteStream> s, std::size_t most_reply_bytes)
      : stream(std::move(s)), replies(most_reply_bytes) {}

  void fail(RedisTrouble why) {
    if (trouble) return;
    trouble = std::move(why);
    stream->close();
  }

  std::unique_ptr<chain::ByteStream> stream;
  RedisReplyReader replies;
  std::array<char, kReadBytes> buffer;
  std::string sending;
  bool writing = false;
  Clock::time_point connect_deadline;
  std::string waits_for = "a connection";  // until then
  std::optional<Clock::time_point> ready_since;
  Clock::time_point heard_at{};         // the last bytes
  std::optional<RedisTrouble> trouble;  // it is over
};

RedisConnection::RedisConnection(LoopExecutor loop, std::shared_ptr<RedisServer> server)
    : loop_(loop),
      server_(std::move(server)),
      timer_(loop),
      pause_(loop),
      random_(std::random_device()()) {
  asio::co_spawn(loop_, run(), [this](const std::exception_ptr& thrown) {
    report(thrown);
    go_away({"its connection ended", false});
  });
}

RedisConnection::~RedisConnection() = default;

// Frames that wait here, or in what is destroyed here, are destroyed by the loop afterwards.
void RedisConnection::shutdown() noexcept {
  if (std::exchange(away_, true)) server_->ended_away();
  calls_.clear();
  timer_.reset();
  pause_.reset();
  if (wire_) wire_->stream.reset();
}

Task<std::optional<RedisReply>> RedisConnection::command(
    std::span<const std::string_view> arguments, std::chrono::milliseconds time,
    Clock::time_point asked) {
  if (away_) co_return std::nullopt;
  append_redis_command(arguments, out_);
  co_return co_await asio::async_initiate<const Token, void(std::optional<RedisReply>)>(
      [this, time, deadline = asked + time](auto waiter) {
        calls_.push_back({time, deadline, std::move(waiter)});
        watch(deadline);
        send();
      },
      kAwait);
}

Task<void> RedisConnection::run() {
  for (;;) {
    const auto wire =
        std::make_shared<Wire>(server_->make_stream(loop_), server_->options().most_reply_bytes);
    wire->connect_deadline = Clock::now() + server_->options().connect_budget;
    wire_ = wire;
    watch(wire->connect_deadline);
    co_await serve(*wire);
    wire_.reset();
    const bool lasted = wire->ready_since && Clock::now() - *wire->ready_since >= kSettled;
    if (lasted) backoff_ = {};
    // Closed while nobody waited: nobody need know.
    if (!lasted || away_ || !calls_.empty()) go_away(*wire->trouble);
    if (!lasted) co_await pause();
  }
}

// Until the wire is in trouble.
Task<void> RedisConnection::serve(Wire& wire) {
  co_await greet(wire);
  if (wire.trouble) co_return;
  become_ready(wire);
  while (co_await receive(wire)) {
    while (std::optional<RedisReply> reply = wire.replies.next()) {
      if (calls_.empty()) co_return wire.fail({std::string(kUnasked)});
      Call call = std::move(calls_.front());
      calls_.pop_front();
      answer(std::move(call), std::move(reply));
    }
  }
}

Task<void> RedisConnection::greet(Wire& wire) {
  const config::RedisUrl& url = server_->options().url;
  const Result<void> connected = co_await wire.stream->connect(url.host, url.port);
  if (!connected) wire.fail({connected.error().detail});
  if (!wire.trouble && !url.password.empty()) co_await log_in(wire, url);
  if (!wire.trouble && url.database != 0) co_await select(wire, url.database);
  if (!wire.trouble) co_await ping(wire);
  if (!wire.trouble && wire.replies.next()) wire.fail({std::string(kUnasked)});
}

Task<void> RedisConnection::log_in(Wire& wire, const config::RedisUrl& url) {
  wire.waits_for = "an answer to AUTH";
  std::vector<std::string_view> arguments{"AUTH"};
  if (!url.user.empty()) arguments.push_back(url.user);
  arguments.push_back(url.password.reveal());
  const std::optional<RedisReply> reply = co_await ask(wire, arguments);
  if (!reply || reply->is_status("OK")) co_return;
  wire.fail({"it does not accept the user or password: " + printable(code_of(*reply)),
             !passes_by_itself(*reply)});
}

Task<void> RedisConnection::select(Wire& wire, unsigned database) {
  wire.waits_for = "an answer to SELECT";
  const std::string number = std::to_string(database);
  const std::array<std::string_view, 2> arguments{"SELECT", number};
  const std::optional<RedisReply> reply = co_await ask(wire, arguments);
  if (!reply || reply->is_status("OK")) co_return;
  wire.fail({"no database " + number + ": " + printable(reply->text), !passes_by_itself(*reply)});
}

// A server that is too slow now, as one that just wakes, has until the connect deadline.
Task<void> RedisConnection::ping(Wire& wire) {
  const std::chrono::milliseconds budget = server_->options().budget;
  wire.waits_for = "an answer to PING within " + in_ms(budget);
  static constexpr std::array<std::string_view, 1> kPing{"PING"};
  for (;;) {
    const Clock::time_point asked = Clock::now();
    const std::optional<RedisReply> reply = co_await ask(wire, kPing);
    if (!reply) co_return;
    if (!reply->is_status("PONG")) {
      co_return wire.fail({printable(reply->text), !passes_by_itself(*reply)});
    }
    if (Clock::now() - asked <= budget) co_return;
  }
}

// One command before others may use the wire. Null: it is in trouble.
Task<std::optional<RedisReply>> RedisConnection::ask(Wire& wire,
                                                     std::span<const std::string_view> arguments) {
  append_redis_command(arguments, wire.sending);
  error_code ec;
  co_await wire.stream->write(wire.sending, ec);
  wire.sending.clear();
  if (ec) wire.fail({ec.message()});
  while (!wire.trouble) {
    std::optional<RedisReply> reply = wire.replies.next();
    if (reply) co_return reply;
    co_await receive(wire);
  }
  co_return std::nullopt;
}

// Whether there is more to read.
Task<bool> RedisConnection::receive(Wire& wire) {
  if (wire.replies.broken()) wire.fail({"what it sends is not Redis' protocol"});
  if (wire.trouble) co_return false;
  error_code ec;
  const std::size_t count = co_await wire.stream->read_some(wire.buffer, ec);
  if (ec) wire.fail({ec.message()});
  if (wire.trouble) co_return false;
  wire.heard_at = Clock::now();
  wire.replies.feed({wire.buffer.data(), count});
  co_return true;
}

Task<void> RedisConnection::pause() {
  backoff_ = std::clamp(2 * backoff_, kFirstPause, kLongestPause);
  std::uniform_real_distribution<double> part(0.5, 1.0);
  pause_->expires_after(std::chrono::duration_cast<Clock::duration>(backoff_ * part(random_)));
  error_code ignored;
  co_await pause_->async_wait(asio::redirect_error(kAwait, ignored));
}

void RedisConnection::become_ready(Wire& wire) {
  wire.ready_since = Clock::now();
  if (std::exchange(away_, false)) server_->came_back();
  send();
}

void RedisConnection::go_away(const RedisTrouble& trouble) {
  if (std::exchange(away_, true)) {
    server_->still_away(trouble);
  } else {
    server_->went(trouble);
  }
  out_.clear();
  for (Call& call : std::exchange(calls_, {})) answer(std::move(call), std::nullopt);
}

// From the loop's queue, so that a caller may call again whatever goes on here.
void RedisConnection::answer(Call call, std::optional<RedisReply> reply) {
  asio::post(loop_, [waiter = std::move(call.waiter), reply = std::move(reply)]() mutable {
    std::move(waiter)(std::move(reply));
  });
}

void RedisConnection::send() {
  if (!wire_ || !wire_->ready_since || wire_->trouble || wire_->writing || out_.empty()) return;
  wire_->writing = true;
  asio::co_spawn(loop_, write_out(wire_), report);
}

// What gathers while a write is under way goes with the next.
Task<void> RedisConnection::write_out(std::shared_ptr<Wire> wire) {
  while (!wire->trouble && !out_.empty()) {
    wire->sending.clear();
    wire->sending.swap(out_);
    error_code ec;
    co_await wire->stream->write(wire->sending, ec);
    if (ec) wire->fail({ec.message()});
  }
  wire->writing = false;
}

void RedisConnection::watch(Clock::time_point deadline) {
  if (deadline >= armed_) return;
  armed_ = deadline;
  timer_->expires_at(deadline);
  timer_->async_wait([this](const error_code& ec) {
    if (!ec) on_time();
  });
}

void RedisConnection::on_time() {
  armed_ = Clock::time_point::max();
  const std::optional<Clock::time_point> looked_at = std::exchange(looked_at_, std::nullopt);
  if (looked_at && earliest() <= *looked_at) give_up(*looked_at);
  const Clock::time_point now = Clock::now();
  if (earliest() > now) return watch(earliest());
  looked_at_ = now;
  watch(now);
}

// Replies come in order: whatever comes is this one's or brings it nearer.
Clock::time_point RedisConnection::due(const Call& call) const noexcept {
  const RedisOptions& options = server_->options();
  const Clock::time_point silent_at = wire_ ? wire_->heard_at + options.budget : call.deadline;
  return std::clamp(silent_at, call.deadline, call.deadline + options.patience);
}

Clock::time_point RedisConnection::earliest() const noexcept {
  Clock::time_point first = Clock::time_point::max();
  for (const Call& call : calls_) first = std::min(first, due(call));
  const bool connecting = wire_ && !wire_->ready_since && !wire_->trouble;
  return connecting ? std::min(first, wire_->connect_deadline) : first;
}

// What the first call that is overdue was given.
std::chrono::milliseconds RedisConnection::time_of_overdue(Clock::time_point at) const noexcept {
  const auto call = std::ranges::find_if(calls_, [&](const Call& c) { return due(c) <= at; });
  return call == calls_.end() ? server_->options().budget : call->time;
}

// Of what is overdue since `at`. A connection that is being made goes on being made until its own
// deadline.
void RedisConnection::give_up(Clock::time_point at) {
  const RedisOptions& options = server_->options();
  if (wire_ && wire_->ready_since) {
    wire_->fail({"no reply within " + in_ms(time_of_overdue(at))});
  } else if (wire_ && wire_->connect_deadline <= at) {
    wire_->fail({"waited " + in_ms(options.connect_budget) + " for " + wire_->waits_for});
  }
  go_away(wire_ && wire_->trouble ? *wire_->trouble
                                  : RedisTrouble{"no connection within " + in_ms(options.budget)});
}

}  // namespace aifd::services
