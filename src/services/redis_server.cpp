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
  if (++away_ == 1) {
    told_of_refusal_ = trouble.refused;
    tell(trouble);
  } else if (trouble.refused && !std::exchange(told_of_refusal_, true)) {
    tell(trouble);
  }
}

void RedisServer::still_away(const RedisTrouble& trouble) {
  const std::scoped_lock lock(mutex_);
  if (trouble.refused && !std::exchange(told_of_refusal_, true)) tell(trouble);
}

void RedisServer::tell(const RedisTrouble& trouble) const {
  const std::string place = options_.url.place();
  if (trouble.refused) {
    log::warn("Redis at {} refuses aifd ({}); {} until it does not", place, trouble.what,
              options_.meanwhile);
  } else {
    log::warn("Redis at {} does not answer ({}); {} until it does", place, trouble.what,
              options_.meanwhile);
  }
}

void RedisServer::came_back() {
  const std::scoped_lock lock(mutex_);
  if (--away_ == 0) log::info("Redis at {} answers again", options_.url.place());
}

void RedisServer::ended_away() {
  const std::scoped_lock lock(mutex_);
  --away_;
}

void RedisServer::refused_command(std::string_view error) {
  if (refuses_commands_.exchange(true)) return;
  log::warn("Redis at {} does not do what it is asked ({}); {} until it does", options_.url.place(),
            printable(error), options_.meanwhile);
}

void RedisServer::served_command() {
  if (!refuses_commands_.load(std::memory_order_relaxed)) return;
  if (!refuses_commands_.exchange(false)) return;
  log::info("Redis at {} does what it is asked again", options_.url.place());
}

std::string printable(std::string_view text) {
  std::string shown(text.substr(0, kMostPrinted));
  std::ranges::replace_if(
      shown, [](char c) { return c < ' ' || c > '~'; }, '?');
  return shown;
}

}  // namespace aifd::services
