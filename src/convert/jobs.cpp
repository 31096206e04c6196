#include "jobs.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "aifd/protocol/conversation.hpp"
#include "log_files.hpp"

namespace aifd::convert {
namespace {

namespace fs = std::filesystem;
using Jobs = std::variant<std::vector<Job>, Failure>;

fs::path target_name(const std::string& name, const Command& command) {
  return "chat_" + name + (command.format == "json" ? ".json" : ".jsonl");
}

// Log/openai/chat -> Log/chat_openai.json, and old/logs -> old/chat_logs.json.
fs::path target_beside(const fs::path& folder, const Command& command) {
  std::error_code ec;
  fs::path place = folder;
  if (!place.has_parent_path() || !place.parent_path().has_parent_path()) {
    const fs::path whole = fs::absolute(folder, ec);
    if (!ec) place = whole;
  }
  if (place.filename() == "chat" && place.parent_path().has_filename()) place = place.parent_path();
  return place.parent_path() / target_name(place.filename().string(), command);
}

// "a/./b/" is "a/b", so that its parts can be told; "." is the working directory's own path.
fs::path tidy(const std::string& folder) {
  fs::path path = fs::path(folder).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  std::error_code ec;
  if (path == "." || path.filename() == ".." || path.empty()) {
    return fs::absolute(folder, ec).lexically_normal();
  }
  return path;
}

// A single target cannot hold several logs.
Jobs with_target(std::vector<Job> jobs, const Command& command, const std::string& many) {
  if (command.target.empty()) return jobs;
  if (jobs.size() != 1) return Failure{Ending::usage, many};
  jobs.front().target = command.target;
  return jobs;
}

}  // namespace

Jobs jobs_of_routes(const config::Settings& settings, const Command& command) {
  std::set<std::string> prefixes;
  for (const config::Route& route : settings.routes) {
    if (route.type == config::RouteType::openai)
      prefixes.insert(protocol::log_prefix(route.prefix));
  }
  if (prefixes.empty()) {
    return Failure{Ending::failed,
                   "no route in FORWARD_CONFIG is of type openai; "
                   "--log-folder tells where logs are"};
  }
  std::vector<Job> jobs;
  jobs.reserve(prefixes.size());
  const fs::path folder(settings.logs.folder);
  for (const std::string& prefix : prefixes) {
    jobs.push_back({folder / prefix / "chat", folder / target_name(prefix, command)});
  }
  return with_target(std::move(jobs), command,
                     "--target needs --log-folder where there is more than one route");
}

Jobs jobs_of_folder(const Command& command) {
  const fs::path folder = tidy(command.log_folder);
  std::error_code ec;
  if (!fs::is_directory(folder, ec)) {
    return Failure{Ending::usage, command.log_folder + " is not a directory"};
  }
  std::vector<Job> jobs;
  if (has_logs(folder)) {
    jobs.push_back({folder, target_beside(folder, command)});
  } else if (has_logs(folder / "chat")) {
    jobs.push_back({folder / "chat", target_beside(folder / "chat", command)});
  } else {
    std::set<fs::path> inner;
    for (fs::directory_iterator entry(folder, ec), end; !ec && entry != end; entry.increment(ec)) {
      if (has_logs(entry->path() / "chat")) inner.insert(entry->path());
    }
    for (const fs::path& path : inner) {
      jobs.push_back({path / "chat", folder / target_name(path.filename().string(), command)});
    }
  }
  if (jobs.empty()) {
    return Failure{Ending::failed, "there are no logs (*.log, *.log.gz, *.log.zst) in " +
                                       folder.string() + " or in a <prefix>/chat below it"};
  }
  return with_target(std::move(jobs), command,
                     folder.string() + " has several logs: --target needs one of them");
}

}  // namespace aifd::convert
