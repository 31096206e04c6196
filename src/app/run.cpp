#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <optional>

#include "aifd/app/admin_server.hpp"
#include "aifd/app/chain_builder.hpp"
#include "aifd/app/commands.hpp"
#include "aifd/app/pending_features.hpp"
#include "aifd/app/shutdown.hpp"
#include "aifd/app/startup_pages.hpp"
#include "aifd/app/terminal.hpp"
#include "aifd/app/version.hpp"
#include "aifd/base/log.hpp"
#include "aifd/config/banner.hpp"
#include "aifd/net/server.hpp"

namespace aifd::app {
namespace {

// Settings, services, chain and listener of one port.
class Daemon {
 public:
  Daemon(config::Settings settings, std::unique_ptr<services::LineWriter> access_log)
      : settings_(std::move(settings)),
        services_(settings_, std::move(access_log)),
        chain_(build_chain(settings_, services_)),
        server_(settings_, chain_, services_.lifecycle) {}

  const config::Settings& settings() const noexcept { return settings_; }
  Services& services() noexcept { return services_; }
  net::Server& server() noexcept { return server_; }

  // Whether a thread hangs in the system's name look-up: joining it may take many seconds.
  bool looks_up_names() const {
    return server_.resolver_busy() ||
           (services_.shared_limiter && services_.shared_limiter->looking_up()) ||
           (services_.cache && services_.cache->looking_up());
  }

 private:
  const config::Settings settings_;
  Services services_;
  chain::Chain chain_;
  net::Server server_;
};

config::Settings demo_model_settings() {
  config::Settings settings;
  settings.listen.host = "127.0.0.1";
  settings.listen.port = 0;
  settings.benchmark_mode = true;
  const config::RateLimits pace{{25, std::chrono::seconds(1)}};
  settings.limits.tokens["/benchmark"] = {{std::nullopt, pace}};
  return settings;
}

void lead_to_demo_model(config::Settings& settings, std::uint16_t port) {
  const config::BaseUrl base{false, "127.0.0.1", port, "/benchmark"};
  settings.routes = {{base, "/", config::RouteType::openai}};
}

// For a client on this machine.
std::string client_url(std::string url) {
  for (const std::string_view any : {"//0.0.0.0:", "//[::]:"}) {
    const std::size_t at = url.find(any);
    if (at != std::string::npos) url.replace(at, any.size(), "//localhost:");
  }
  return url;
}

void print_demo_hint(const std::string& url) {
  std::cout << "Try it:\n  curl -N " << url
            << "/v1/chat/completions -H 'Content-Type: application/json' \\\n"
               "    -d '{\"model\":\"demo\",\"stream\":true,\"messages\":[{\"role\":\"user\","
               "\"content\":\"hi\"}]}'\n";
}

// Standard error is the journal when its device and inode are what JOURNAL_STREAM says
// (systemd.exec(5)).
bool is_journal() {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat info {};
  if (stream == nullptr || ::fstat(STDERR_FILENO, &info) != 0) return false;
  return std::to_string(info.st_dev) + ":" + std::to_string(info.st_ino) == stream;
}

bool listen_or_explain(net::Server& server) {
  const Result<void> listening = server.listen();
  if (!listening) std::cerr << "aifd: " << listening.error().detail << '\n';
  return listening.has_value();
}

ExitCode serve(const config::Sources& sources, config::Settings settings, const Signals& signals,
               bool demo) {
  std::optional<Daemon> model;
  if (demo) {
    model.emplace(demo_model_settings(), nullptr);
    if (!listen_or_explain(model->server())) return kCannotListen;
    lead_to_demo_model(settings, model->server().port());
  }
  std::unique_ptr<services::LineWriter> access_log;
  if (settings.logs.access != "off") {
    auto opened = services::LineWriter::open(settings.logs.access);
    if (!opened) {
      std::cerr << "aifd: " << opened.error().detail << '\n';
      return kBadConfig;
    }
    access_log = std::move(*opened);
  }
  Daemon daemon(std::move(settings), std::move(access_log));
  if (!listen_or_explain(daemon.server())) return kCannotListen;

  const std::string url = daemon.server().url();
  std::cout << config::banner(daemon.settings(), kVersion, url, wants_colour());
  std::cout << "aifd " << kVersion << " is listening on " << url << '\n';
  if (demo) print_demo_hint(client_url(url));
  std::cout << std::flush;
  for (const std::string& name : pending_features(daemon.settings())) {
    log::warn("{} is set and was checked, but this version does not act on it yet", name);
  }

  if (model) model->server().start();
  daemon.server().start();
  std::unique_ptr<AdminServer> admin = AdminServer::start(
      daemon.settings(), daemon.services(), sources.environment, daemon.server().port());
  release_startup_pages();
  signals.wait([&daemon] { daemon.services().reopen_logs(); });
  admin.reset();  // at once: from now on the port may be another daemon's
  daemon.services().drain_logs();
  drain(daemon.server(), signals, daemon.settings().timeouts.drain);
  const bool logged = daemon.services().finish_logs();
  const bool stuck = daemon.server().running() || daemon.looks_up_names() || !logged;
  if (stuck) {  // a look-up that hangs, a disk, or a thread: nothing that is worth waiting for
    log::stop();
    std::_Exit(kOk);
  }
  return kOk;
}

}  // namespace

ExitCode run(const config::Sources& sources, bool demo) {
  config::Settings settings;
  if (!load_or_explain(sources, settings)) return kBadConfig;
  if (!settings.time_zone.empty()) {
    ::setenv("TZ", settings.time_zone.c_str(), 1);
    ::tzset();
  }
  const Signals signals;  // before the first thread, which takes the mask over
  log::start(is_journal());
  const ExitCode code = serve(sources, std::move(settings), signals, demo);
  log::stop();
  return code;
}

}  // namespace aifd::app
