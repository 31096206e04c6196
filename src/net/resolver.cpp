#include "aifd/net/resolver.hpp"

#include <netdb.h>
#include <sys/socket.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <cstring>
#include <optional>

#include "aifd/chain/event.hpp"

namespace aifd::net {
namespace {

using asio::ip::address;

constexpr std::size_t kThreads = 4;  // one slow name does not hold up the others
constexpr std::size_t kMostEntries = 1024;

std::optional<address> to_address(const addrinfo& info) {
  asio::ip::tcp::endpoint endpoint;
  if (info.ai_addrlen > endpoint.capacity()) return std::nullopt;
  std::memcpy(endpoint.data(), info.ai_addr, info.ai_addrlen);
  endpoint.resize(info.ai_addrlen);
  return endpoint.address();
}

// IPv6 first, then in turn, keeping the system's order within each family.
Resolver::Addresses interleave(const Resolver::Addresses& found) {
  Resolver::Addresses v6;
  Resolver::Addresses v4;
  for (const address& a : found) (a.is_v6() ? v6 : v4).push_back(a);
  Resolver::Addresses mixed;
  for (std::size_t i = 0; i < v6.size() || i < v4.size(); ++i) {
    if (i < v6.size()) mixed.push_back(v6[i]);
    if (i < v4.size()) mixed.push_back(v4[i]);
  }
  return mixed;
}

Error not_found(const std::string& host, std::string_view why) {
  return {ErrorKind::upstream_unreachable, ErrorSource::upstream, true,
          "The upstream's name " + host + " cannot be resolved: " + std::string(why) + "."};
}

}  // namespace

Result<Resolver::Addresses> Resolver::ask_system(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* list = nullptr;
  const int failure = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
  if (failure != 0) return not_found(host, ::gai_strerror(failure));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, &::freeaddrinfo);
  Resolver::Addresses found;
  for (const addrinfo* info = list; info != nullptr; info = info->ai_next) {
    if (const std::optional<address> a = to_address(*info)) found.push_back(*a);
  }
  if (found.empty()) return not_found(host, "it has no address");
  return interleave(found);
}

// Waits on its own loop; woken from a look-up's thread.
struct Resolver::Waiter final : chain::Stoppable {
  explicit Waiter(LoopExecutor loop) : executor(loop), event(loop) {}
  void stop() noexcept override { event.set(); }

  LoopExecutor executor;
  chain::Event event;  // touched on its loop only
};

struct Resolver::Entry {
  Result<Addresses> found = Addresses{};
  Clock::time_point looked_up{};
  bool running = false;
  std::vector<std::shared_ptr<Waiter>> waiters;

  bool usable(Clock::time_point now) const {
    return found && !found->empty() && now - looked_up < kStaleFor;
  }
};

Resolver::Resolver(LookUp look_up, Now now)
    : look_up_(std::move(look_up)), now_(std::move(now)), threads_(kThreads) {}

Resolver::~Resolver() {
  threads_.stop();
}

bool Resolver::busy() const {
  const std::scoped_lock lock(mutex_);
  return running_ > 0;
}

Task<Result<Resolver::Addresses>> Resolver::resolve(std::string host, LoopExecutor executor,
                                                    chain::Stopper& stopper) {
  boost::system::error_code ec;
  const address literal = asio::ip::make_address(host, ec);
  if (!ec) co_return Addresses{literal};

  auto waiter = std::make_shared<Waiter>(executor);
  {
    const std::scoped_lock lock(mutex_);
    if (entries_.size() >= kMostEntries) {
      std::erase_if(entries_, [](const auto& item) { return !item.second.running; });
    }
    Entry& entry = entries_[host];
    const Clock::time_point now = now_();
    const bool usable = entry.usable(now);
    if (!entry.running && (!usable || now - entry.looked_up >= kFreshFor)) {
      entry.running = true;
      ++running_;
      asio::post(threads_, [this, host] { store(host, look_up_(host)); });
    }
    if (usable) co_return entry.found;
    entry.waiters.push_back(waiter);
  }
  const chain::Stopper::Guard guard(stopper, *waiter);
  co_await waiter->event.wait();
  if (stopper.stopped()) co_return *stopper.reason();
  const std::scoped_lock lock(mutex_);
  co_return entries_[host].found;
}

void Resolver::store(const std::string& host, Result<Addresses> found) {
  const std::scoped_lock lock(mutex_);
  --running_;
  Entry& entry = entries_[host];
  entry.running = false;
  const Clock::time_point now = now_();
  if (found || !entry.usable(now)) {
    entry.found = std::move(found);
    entry.looked_up = now;
  }
  for (auto& waiter : entry.waiters) {
    asio::post(waiter->executor, [waiter] { waiter->event.set(); });
  }
  entry.waiters.clear();
}

}  // namespace aifd::net
