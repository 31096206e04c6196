#include "aifd/app/cache_command.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <iostream>
#include <mutex>
#include <optional>
#include <variant>

#include "aifd/app/admin_paths.hpp"
#include "aifd/app/cache_store.hpp"
#include "aifd/app/commands.hpp"
#include "aifd/net/unix_request.hpp"
#include "aifd/services/memory_store.hpp"
#include "aifd/services/wait_for.hpp"

namespace aifd::app {
namespace {

using What = CacheCommand::What;

constexpr std::chrono::seconds kTimeout{30};

ExitCode fail(const std::string& why) {
  std::cerr << "aifd: " << why << '\n';
  return kFailed;
}

std::string_view without_line_end(std::string_view text) {
  return text.substr(0, text.find_last_not_of('\n') + 1);
}

// A stored answer: for people the lines of its head end as lines do here.
void print_message(std::string_view message, bool body_only) {
  const std::size_t head_end = message.find("\r\n\r\n");
  if (head_end == std::string_view::npos) return;
  if (!body_only) {
    for (const char c : message.substr(0, head_end)) {
      if (c != '\r') std::cout << c;
    }
    std::cout << "\n\n";
  }
  std::cout << message.substr(head_end + 4);
  if (!message.ends_with('\n') && ::isatty(STDOUT_FILENO) != 0) std::cout << '\n';
}

ExitCode show(const CacheCommand& command, int status, std::string_view text) {
  if (status != 200) return fail(std::string(without_line_end(text)));
  if (command.what == What::get) {
    print_message(text, command.body_only);
  } else {
    std::cout << text;
  }
  return std::cout.flush() ? kOk : fail("standard output takes no more");
}

struct Asked {
  std::optional<ExitCode> done;  // nullopt: no daemon answered
  std::string trouble;           // with one that may be there all the same
};

Asked ask_daemon(const std::vector<std::string>& paths, const CacheCommand& command) {
  const std::string method = command.what == What::clear ? "DELETE" : "GET";
  std::string target = "/cache";
  if (command.what == What::get) target += "/" + command.key;
  if (command.what == What::stat && !command.json) target += "?as=table";
  Asked asked;
  for (const std::filesystem::path path : paths) {
    const bool in_tmp = path.parent_path() == folder_in_tmp(::geteuid());
    if (in_tmp && !is_private_folder(path.parent_path(), ::geteuid())) continue;
    const auto answer = net::ask_unix_socket(path.string(), method, target, kTimeout);
    if (!answer) {
      asked.trouble = path.string() + ": " + answer.error().detail;
    } else if (*answer) {
      asked.done = show(command, (*answer)->status, (*answer)->body);
      break;
    }
  }
  return asked;
}

std::string no_daemon(const std::vector<std::string>& paths, const config::Settings& settings) {
  if (paths.empty()) return "the admin socket is off (ADMIN_SOCKET)";
  std::string text = "no aifd with a cache is running at ";
  for (const std::string& path : paths) text += (&path == &paths.front() ? "" : ", ") + path;
  const bool by_port = settings.admin_socket.empty();
  return text + (by_port ? " (--port, ADMIN_SOCKET)" : " (ADMIN_SOCKET)");
}

// What a store tells while it is used.
class Warnings {
 public:
  std::function<void(const std::string&)> receiver() {
    return [this](const std::string& line) {
      const std::scoped_lock lock(mutex_);
      lines_.push_back(line);
    };
  }
  void print() {
    const std::scoped_lock lock(mutex_);
    for (const std::string& line : lines_) std::cerr << "aifd: warning: " << line << '\n';
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> lines_;
};

// Opened by another user, it would get files that its owner cannot read.
std::optional<uid_t> other_owner(const std::filesystem::path& folder) {
  struct stat found {};
  if (::stat(folder.c_str(), &found) != 0 || found.st_uid == ::geteuid()) return std::nullopt;
  return found.st_uid;
}

Task<admin::CacheReport> clear(services::CacheStore& store, const admin::CacheFacts& facts) {
  services::CacheClearing clearing = co_await store.clear_and_tell();
  static constexpr services::CacheKey kAny{};
  co_await store.get(kAny);  // behind the clearing, in the queue of a store on disk
  if (clearing.trouble.empty()) clearing.trouble = store.stat().trouble;
  co_return admin::report_clearing(clearing, facts);
}

Task<admin::CacheReport> report(services::CacheStore& store, const admin::CacheFacts& facts,
                                const CacheCommand& command) {
  if (command.what == What::clear) co_return co_await clear(store, facts);
  if (command.what == What::stat) {
    co_return admin::report_stat(co_await store.measure(), facts, command.json);
  }
  const services::CacheKey key = admin::parse_cache_key(command.key).value();
  const services::CacheEntryPtr entry = co_await store.get(key);
  co_return admin::report_entry(store, facts, entry);
}

// The same once the store is open, or known to be of no use.
Task<admin::CacheReport> open_and_report(services::CacheStore& store,
                                         const admin::CacheFacts& facts,
                                         const CacheCommand& command) {
  static constexpr services::CacheKey kAny{};
  co_await store.get(kAny);  // until it is open,
  co_await store.get(kAny);  // and until stat() tells what the first one came upon
  if (const std::string trouble = store.stat().trouble; !trouble.empty()) {
    co_return admin::report_clearing({std::nullopt, trouble}, facts);
  }
  co_return co_await report(store, facts, command);
}

// No store is made by asking for it: it would be of the wrong user, or in the wrong folder.
ExitCode use_nothing(const std::filesystem::path& folder, const admin::CacheFacts& facts,
                     const CacheCommand& command) {
  std::error_code ec;
  std::cerr << "aifd: " << std::filesystem::absolute(folder, ec).lexically_normal().string()
            << " is not there: nothing is kept yet\n";
  services::MemoryStore nothing({});
  const admin::CacheReport made = services::wait_for(report(nothing, facts, command));
  return show(command, made.status, made.text);
}

ExitCode use_store(const config::Settings& settings, const CacheCommand& command,
                   const std::vector<std::string>& paths) {
  admin::CacheFacts facts = cache_facts(settings.cache);
  facts.counted = false;
  const std::filesystem::path folder = cache_folder(settings.cache);
  std::error_code ec;
  if (!folder.empty() && !std::filesystem::exists(folder, ec) && !ec) {
    return use_nothing(folder, facts, command);
  }
  if (const std::optional<uid_t> owner = other_owner(folder)) {
    return fail(folder.string() + " belongs to another user, number " + std::to_string(*owner) +
                ": run this as that one, or while its aifd is running");
  }
  Warnings warnings;
  const auto store = make_patient_cache_store(settings, warnings.receiver());
  if (!store) return fail(no_daemon(paths, settings));
  const admin::CacheReport made = services::wait_for(open_and_report(*store, facts, command));
  constexpr int kUnusable = 503;  // says the same
  if (made.status != kUnusable) warnings.print();
  return show(command, made.status, made.text);
}

}  // namespace

ExitCode cache(const config::Sources& sources, const CacheCommand& command) {
  if (command.what == What::get && !admin::parse_cache_key(command.key)) {
    std::cerr << "aifd: a key has 64 hex digits; the access log tells it, as cache_key\n";
    return kUsage;
  }
  config::Settings settings;
  if (!load_or_explain(sources, settings)) return kBadConfig;
  const std::vector<std::string> paths = admin_socket_paths(
      settings.admin_socket, sources.environment, ::geteuid(), settings.listen.port);
  const Asked asked = ask_daemon(paths, command);
  if (asked.done) return *asked.done;
  // Other stores than that in memory need no daemon, and that one may be another user's.
  const bool in_memory = settings.cache.backend == config::CacheBackend::memory;
  const bool certain = in_memory || !settings.admin_socket.empty();
  if (certain && !asked.trouble.empty()) return fail(asked.trouble);
  return use_store(settings, command, paths);
}

}  // namespace aifd::app
