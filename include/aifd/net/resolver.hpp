// Host names to addresses: looked up on threads of its own, kept a while, looked up again as time
// passes.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "aifd/base/clock.hpp"
#include "aifd/base/error.hpp"
#include "aifd/chain/stopper.hpp"
#include "aifd/chain/task.hpp"

namespace aifd::net {

// Shared by all workers, thread-safe. getaddrinfo cannot be cancelled, so it never runs on an event
// loop, and whoever waits for it can leave early.
class Resolver {
 public:
  using Addresses = std::vector<asio::ip::address>;

  // getaddrinfo does not tell a record's TTL, so an answer serves for this long; then the next
  // caller starts a new look-up, and the old answer serves on until it comes.
  static constexpr std::chrono::seconds kFreshFor{30};
  // An answer whose renewal fails serves for this long at most.
  static constexpr std::chrono::minutes kStaleFor{10};

  // How a name is looked up, blocking, and what time it is; tests put their own in.
  using LookUp = std::function<Result<Addresses>(const std::string& host)>;
  using Now = std::function<Clock::time_point()>;

  explicit Resolver(LookUp look_up = ask_system, Now now = &Clock::now);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // At least one address, IPv6 and IPv4 in turn (RFC 8305, section 4), or upstream_unreachable. An
  // address given as text comes back as it is.
  Task<Result<Addresses>> resolve(std::string host, LoopExecutor executor, chain::Stopper& stopper);

  // Whether a look-up is under way, which no one can end: the process need not wait for it.
  bool busy() const;

  // getaddrinfo.
  static Result<Addresses> ask_system(const std::string& host);

 private:
  struct Entry;
  struct Waiter;

  void store(const std::string& host, Result<Addresses> found);

  const LookUp look_up_;
  const Now now_;
  mutable std::mutex mutex_;
  std::map<std::string, Entry> entries_;
  std::size_t running_ = 0;
  asio::thread_pool threads_;
};

}  // namespace aifd::net
