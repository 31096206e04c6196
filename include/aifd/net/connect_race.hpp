// Connects to the first of several addresses that answers (Happy Eyeballs, RFC 8305, section 5).
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "aifd/base/clock.hpp"
#include "aifd/chain/event.hpp"
#include "aifd/chain/stopper.hpp"
#include "aifd/net/stream.hpp"

namespace aifd::net {

// Held by a shared_ptr: handlers of lost attempts may outlive the race.
class ConnectRace final : public chain::Stoppable,
                          public std::enable_shared_from_this<ConnectRace> {
 public:
  static constexpr std::chrono::milliseconds kStagger{250};

  ConnectRace(LoopExecutor executor, std::vector<tcp::endpoint> endpoints);

  // The connected socket, or the last attempt's error; operation_aborted where it was stopped.
  Task<Socket> run(error_code& ec);
  void stop() noexcept override;

 private:
  void start_next();
  void on_connect(std::size_t index, const error_code& ec);
  void finish(const error_code& ec);

  LoopExecutor executor_;
  std::vector<tcp::endpoint> endpoints_;
  std::vector<Socket> attempts_;
  asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, LoopExecutor> stagger_;
  std::optional<Socket> winner_;
  std::size_t running_ = 0;
  bool finished_ = false;
  error_code result_;
  chain::Event done_;
};

}  // namespace aifd::net
