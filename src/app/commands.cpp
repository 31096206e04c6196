#include "aifd/app/commands.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iostream>

#include "aifd/config/describe.hpp"
#include "aifd/net/health_probe.hpp"

namespace aifd::app {
namespace {

constexpr std::chrono::seconds kHealthTimeout{5};

// Written beside and renamed, so that there is never half a file.
bool write_whole(const std::filesystem::path& path, const std::string& text) {
  const std::string beside = path.string() + ".new";
  const int file = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return false;
  const bool written = ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const bool closed = ::close(file) == 0;
  if (written && closed && ::rename(beside.c_str(), path.c_str()) == 0) return true;
  const int failure = errno;
  ::unlink(beside.c_str());
  errno = failure;
  return false;
}

// Where a client on this machine reaches a listener.
std::string own_url(const config::Settings& settings) {
  std::string host = settings.listen.host;
  if (host == "0.0.0.0") host = "127.0.0.1";
  if (host == "::") host = "::1";
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  const bool tls = !settings.listen.tls_certificate_file.empty();
  return (tls ? "https://" : "http://") + host + ":" + std::to_string(settings.listen.port);
}

}  // namespace

bool load_or_explain(const config::Sources& sources, config::Settings& settings) {
  auto loaded = config::load(sources);
  if (const auto* errors = std::get_if<config::ConfigErrors>(&loaded)) {
    std::cerr << "aifd: the configuration has " << errors->size()
              << (errors->size() == 1 ? " error:\n" : " errors:\n");
    for (const std::string& error : *errors) std::cerr << "  " << error << '\n';
    return false;
  }
  auto& good = std::get<config::Loaded>(loaded);
  for (const std::string& warning : good.warnings)
    std::cerr << "aifd: warning: " << warning << '\n';
  settings = std::move(good.settings);
  return true;
}

ExitCode check(const config::Sources& sources) {
  config::Settings settings;
  if (!load_or_explain(sources, settings)) return kBadConfig;
  std::cout << config::describe(settings);
  return kOk;
}

ExitCode gen_config(const std::string& directory, bool force) {
  const std::filesystem::path path = std::filesystem::path(directory) / ".env";
  std::error_code ec;
  if (!std::filesystem::is_directory(directory, ec)) {
    std::cerr << "aifd: " << directory << " is not a directory\n";
    return kUsage;
  }
  if (!force && std::filesystem::exists(path, ec)) {
    std::cerr << "aifd: " << path.string() << " exists already; --force replaces it\n";
    return kUsage;
  }
  if (!write_whole(path, config::env_template())) {
    std::cerr << "aifd: " << path.string() << " cannot be written: " << std::strerror(errno)
              << '\n';
    return kFailed;
  }
  std::cout << "Wrote " << path.string() << ". Edit it, then: aifd check && aifd run\n";
  return kOk;
}

ExitCode health(const config::Sources& sources, std::string url) {
  config::Settings settings;
  if (url.empty()) {
    if (!load_or_explain(sources, settings)) return kBadConfig;
    url = own_url(settings);
  }
  const Result<int> status = net::probe_health(url, settings.proxy_protocol, kHealthTimeout);
  if (!status) {
    std::cerr << "aifd: " << url << ": " << status.error().detail << '\n';
    return status.error().kind == ErrorKind::bad_request ? kUsage : kFailed;
  }
  if (*status != 200) {
    std::cerr << "aifd: " << url << " answers " << *status << '\n';
    return kFailed;
  }
  std::cout << "OK\n";
  return kOk;
}

}  // namespace aifd::app
