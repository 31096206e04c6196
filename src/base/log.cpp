#include "aifd/base/log.hpp"

#include <spdlog/async.h>
#include <spdlog/sinks/ansicolor_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

namespace aifd::log {
namespace {

constexpr const char* kName = "aifd";
constexpr std::size_t kQueuedLines = 1024;  // which spdlog makes at once, 400 bytes each

}  // namespace

void start(bool journal) {
  auto pool = std::make_shared<spdlog::details::thread_pool>(kQueuedLines, 1);
  spdlog::details::registry::instance().set_tp(pool);
  spdlog::sink_ptr sink;
  if (journal) {
    sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  } else {
    sink = std::make_shared<spdlog::sinks::ansicolor_stderr_sink_mt>();
  }
  auto logger = std::make_shared<spdlog::async_logger>(
      kName, std::move(sink), pool, spdlog::async_overflow_policy::overrun_oldest);
  logger->set_pattern(journal ? "<6>%v" : "%Y-%m-%d %H:%M:%S.%e %^%l%$ %v");
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

void stop() {
  spdlog::shutdown();
}

spdlog::logger& logger() {
  return *spdlog::default_logger_raw();
}

}  // namespace aifd::log
