// What outlives a request and is shared by all workers.
#pragma once

#include <memory>

#include "aifd/base/lifecycle.hpp"
#include "aifd/config/settings.hpp"
#include "aifd/services/aside.hpp"
#include "aifd/services/cache_store.hpp"
#include "aifd/services/conversation_log.hpp"
#include "aifd/services/flights.hpp"
#include "aifd/services/key_ring.hpp"
#include "aifd/services/line_writer.hpp"
#include "aifd/services/memory_limiter.hpp"
#include "aifd/services/redis_limiter.hpp"
#include "aifd/services/route_table.hpp"
#include "aifd/services/token_quota.hpp"

namespace aifd::app {

struct Services {
  Lifecycle lifecycle;
  services::RouteTable routes;
  services::KeyRing keys;
  services::MemoryLimiter limiter;
  std::unique_ptr<services::RedisLimiter> shared_limiter;  // null: this process counts alone
  services::TokenQuota token_quota;
  std::unique_ptr<services::CacheStore> cache;  // null: off
  services::Flights flights;
  services::Aside aside;                             // behind the cache, which its work puts into
  std::unique_ptr<services::LineWriter> access_log;  // null: off
  std::unique_ptr<services::LineWriter> console;     // where the access log is not on it already
  std::unique_ptr<services::ConversationLog> conversations;  // null: off

  // `access_log` as opened by LineWriter::open.
  Services(const config::Settings& settings, std::unique_ptr<services::LineWriter> access_lines);

  // Nobody waits for the disk any more: what waits, or comes, is refused.
  void drain_logs() noexcept;

  // Once no exchange is left. False: a disk hangs, and only _exit() can end the process.
  bool finish_logs();

  // Opens the files of the logs anew, after they were renamed.
  void reopen_logs() noexcept;
};

}  // namespace aifd::app
