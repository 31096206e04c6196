#include "aifd/app/services.hpp"

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>

#include "aifd/app/cache_store.hpp"
#include "aifd/app/redis_tls.hpp"
#include "aifd/app/terminal.hpp"
#include "aifd/base/log.hpp"
#include "aifd/middleware/benchmark.hpp"
#include "aifd/services/chat_printer.hpp"

namespace aifd::app {
namespace {

constexpr std::chrono::seconds kLogPatience{5};  // for a slow disk, at the end

std::unique_ptr<services::RedisLimiter> make_shared_limiter(const config::Limits& limits) {
  const bool limited = !limits.requests.empty() || !limits.global.empty();
  if (!limited || limits.backend_url.empty()) return nullptr;
  const config::RedisUrl url = config::parse_redis_url(limits.backend_url.reveal()).value();
  return std::make_unique<services::RedisLimiter>(url, limits.strategy, limits.backend_timeout,
                                                  redis_tls(url));
}

// For PRINT_CHAT, unless the access log writes to the console: one writer, so that nothing is torn.
std::unique_ptr<services::LineWriter> make_console(const config::Logs& logs) {
  if (!logs.print_chat || logs.access == "stdout") return nullptr;
  return std::move(services::LineWriter::open("stdout")).value();
}

// Why no file can be made in a folder that may have to be made itself; 0: it can, as far as one can
// tell.
int trouble_of_folder(std::filesystem::path folder) {
  folder = std::filesystem::absolute(folder);
  for (;;) {
    if (::access(folder.c_str(), F_OK) == 0 || errno != ENOENT || folder == folder.parent_path()) {
      break;
    }
    folder = folder.parent_path();
  }
  std::error_code ignored;
  if (!std::filesystem::is_directory(folder, ignored)) return ENOTDIR;
  return ::access(folder.c_str(), W_OK | X_OK) == 0 ? 0 : errno;
}

// Told at the start, not with the first conversation; it may be mended meanwhile.
void warn_of_log_folder(const config::Logs& logs) {
  const int trouble = logs.openai || logs.general ? trouble_of_folder(logs.folder) : 0;
  if (trouble == 0) return;
  log::warn("conversations cannot be written to {} (LOG_FOLDER) as it is now: {}", logs.folder,
            std::strerror(trouble));
}

// The console outlives the log.
std::unique_ptr<services::ConversationLog> make_conversation_log(const config::Settings& settings,
                                                                 services::LineWriter* console) {
  const config::Logs& logs = settings.logs;
  if (!logs.conversations()) return nullptr;
  warn_of_log_folder(logs);
  services::ConversationLogOptions options;
  options.folder = logs.folder;
  options.queue_bytes = logs.queue_bytes;
  options.waits = logs.overflow == config::LogOverflow::wait;
  options.rotate_bytes = logs.rotate_bytes;
  options.keep = logs.keep;
  options.compress = logs.compress;
  options.redact = logs.redact;
  options.max_answer_bytes = settings.max_buffered_body_bytes;
  if (logs.print_chat && console != nullptr) {
    const services::ChatPrinter printer([console](std::string_view block) { console->add(block); },
                                        wants_colour());
    options.on_record = [printer](std::string_view record, protocol::ConversationApi) {
      printer.print(record);
    };
  }
  return std::make_unique<services::ConversationLog>(std::move(options));
}

}  // namespace

Services::Services(const config::Settings& settings,
                   std::unique_ptr<services::LineWriter> access_lines)
    : routes(settings.routes,
             settings.benchmark_mode ? middleware::Benchmark::kPrefix : std::string_view()),
      keys(settings.forward_keys, settings.api_keys),
      limiter(settings.limits.strategy),
      shared_limiter(make_shared_limiter(settings.limits)),
      cache(settings.cache.on() ? make_cache_store(settings) : nullptr),
      access_log(std::move(access_lines)),
      console(make_console(settings.logs)),
      conversations(make_conversation_log(settings, console ? console.get() : access_log.get())) {}

void Services::drain_logs() noexcept {
  if (conversations) conversations->drain();
}

bool Services::finish_logs() {
  return !conversations || conversations->stop(kLogPatience);
}

void Services::reopen_logs() noexcept {
  if (access_log) access_log->reopen();
  if (conversations) conversations->reopen();
}

}  // namespace aifd::app
