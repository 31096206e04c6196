#include "aifd/services/redis_server.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "aifd/base/log.hpp"
#include "aifd/services/tcp_stream.hpp"

namespace aifd::services {
namespace {

constexpr std::size_t kMostPrinted = 160;

}  // namespace

RedisServer::RedisServer(RedisOptions options) : options_(std::move(options)) {
  if (options_.url.tls && !options_.wrap) {
    throw std::invalid_argument("rediss:// without a TLS stream");
  }
}

std::unique_ptr<chain::ByteStream> RedisServer::make_stream(LoopExecutor loop) const {
  auto plain = std::make_unique<TcpStream>(loop, look_ups_);
  if (options_.url.tls) return options_.wrap(std::move(plain));
  return plain;
}

void RedisServer::went(const RedisTrouble& trouble) {
  const std::scoped_lock lock(mutex_);
  why_away_ = trouble.what;
  if (++away_ == 1) {
    told_of_refusal_ = trouble.refused;
    tell(trouble);
  } else if (trouble.refused && !std::exchange(told_of_refusal_, true)) {
    tell(trouble);
  }
}

void RedisServer::still_away(const RedisTrouble& trouble) {
  const std::scoped_lock lock(mutex_);
  why_away_ = trouble.what;
  if (trouble.refused && !std::exchange(told_of_refusal_, true)) tell(trouble);
}

void RedisServer::tell(const RedisTrouble& trouble) const {
  const std::string place = options_.url.place();
  if (trouble.refused) {
    warn("Redis at " + place + " refuses aifd (" + trouble.what + "); " + options_.meanwhile +
         " until it does not");
  } else {
    warn("Redis at " + place + " does not answer (" + trouble.what + "); " + options_.meanwhile +
         " until it does");
  }
}

void RedisServer::tell_of_return(std::string_view what) const {
  if (!options_.warn) log::info("Redis at {} {} again", options_.url.place(), what);
}

void RedisServer::warn(const std::string& line) const {
  if (options_.warn) {
    options_.warn(line);
  } else {
    log::warn("{}", line);
  }
}

std::string RedisServer::trouble() const {
  const std::scoped_lock lock(mutex_);
  if (away_ > 0) return why_away_;
  if (refuses_commands_) return "it does not do what it is asked: " + why_refused_;
  return {};
}

void RedisServer::came_back() {
  const std::scoped_lock lock(mutex_);
  if (--away_ == 0) tell_of_return("answers");
}

void RedisServer::ended_away() {
  const std::scoped_lock lock(mutex_);
  --away_;
}

void RedisServer::refused_command(std::string_view error) {
  if (refuses_commands_) return;
  const std::scoped_lock lock(mutex_);
  if (refuses_commands_.exchange(true)) return;
  why_refused_ = printable(error);
  warn("Redis at " + options_.url.place() + " does not do what it is asked (" + why_refused_ +
       "); " + options_.meanwhile + " until it does");
}

void RedisServer::served_command() {
  if (!refuses_commands_.load(std::memory_order_relaxed)) return;
  if (!refuses_commands_.exchange(false)) return;
  tell_of_return("does what it is asked");
}

std::string printable(std::string_view text) {
  std::string shown(text.substr(0, kMostPrinted));
  std::ranges::replace_if(
      shown, [](char c) { return c < ' ' || c > '~'; }, '?');
  return shown;
}

}  // namespace aifd::services
