#include "aifd/net/upstream_pool.hpp"

#include <algorithm>
#include <charconv>

#include "aifd/net/outbound_proxy.hpp"

namespace aifd::net {
namespace {

constexpr std::chrono::seconds kSweepEvery{1};

// Keep-Alive: timeout=5, max=100. A second is kept back for what is on its way.
std::chrono::seconds rest_time(bool tls, std::string_view keep_alive) {
  std::chrono::seconds rest = tls ? UpstreamPool::kTlsRest : UpstreamPool::kPlainRest;
  protocol::for_each_token(keep_alive, [&rest](std::string_view token) {
    constexpr std::string_view kName = "timeout=";
    if (token.size() <= kName.size() || !protocol::iequals(token.substr(0, kName.size()), kName)) {
      return;
    }
    token.remove_prefix(kName.size());
    unsigned seconds = 0;
    const auto [end, ec] = std::from_chars(token.data(), token.data() + token.size(), seconds);
    if (ec == std::errc{} && end == token.data() + token.size()) {
      rest = std::clamp(std::chrono::seconds(seconds) - std::chrono::seconds(1),
                        std::chrono::seconds(0), UpstreamPool::kTlsRest);
    }
  });
  return rest;
}

}  // namespace

UpstreamPool::UpstreamPool(asio::io_context& loop, Ticker& ticker, const config::Settings& settings,
                           Resolver& resolver, asio::ssl::context* tls)
    : Deadline(ticker),
      executor_(loop.get_executor()),
      ticker_(ticker),
      settings_(settings),
      resolver_(resolver),
      tls_(tls) {}

ServerPool& UpstreamPool::server(const chain::UpstreamServer& wanted) {
  for (const auto& server : servers_) {  // a handful: the routes' upstreams
    if (server->port == wanted.port && server->tls == wanted.tls && server->host == wanted.host) {
      return *server;
    }
  }
  auto made = std::make_unique<ServerPool>();
  made->tls = wanted.tls;
  made->host = wanted.host;
  made->port = wanted.port;
  made->proxy = proxy_for(settings_, wanted.host, wanted.tls);
  return *servers_.emplace_back(std::move(made));
}

std::unique_ptr<UpstreamConnection> UpstreamPool::take_idle(ServerPool& server) {
  const Clock::time_point now = server.idle.empty() ? Clock::time_point{} : Clock::now();
  while (!server.idle.empty()) {
    ServerPool::Idle idle = std::move(server.idle.back());
    server.idle.pop_back();
    if (idle.until > now && !idle.connection->stream().has_input_or_ended()) {
      return std::move(idle.connection);
    }
  }
  return nullptr;
}

void UpstreamPool::put_back(ServerPool& server, std::unique_ptr<UpstreamConnection> connection,
                            std::string_view keep_alive) {
  connection->rest();
  const std::chrono::seconds rest = rest_time(server.tls, keep_alive);
  if (server.idle.size() >= kMostIdle || rest <= std::chrono::seconds(0)) return;
  const Clock::time_point now = Clock::now();
  server.idle.push_back({std::move(connection), now + rest});
  set(now + kSweepEvery);
}

void UpstreamPool::on_deadline() noexcept {
  const Clock::time_point now = Clock::now();
  bool any = false;
  for (const auto& server : servers_) {
    std::erase_if(server->idle, [now](const ServerPool::Idle& idle) { return idle.until <= now; });
    for (const ServerPool::Idle& idle : server->idle) idle.connection->release_buffer();
    any = any || !server->idle.empty();
  }
  if (any) set(now + kSweepEvery);
}

void UpstreamPool::close_idle() noexcept {
  for (const auto& server : servers_) server->idle.clear();
}

}  // namespace aifd::net
