#include "sleeper.hpp"

#include <boost/asio/execution/context.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace aifd::services {

void Bell::ring(std::shared_ptr<Bell> bell) {
  const std::shared_ptr<LoopGate> gate = bell->gate_;
  gate->post([bell = std::move(bell)] {
    if (bell->timer_ != nullptr) bell->timer_->cancel();
  });
}

Sleeper::Sleeper(LoopExecutor loop)
    : timer_(loop, Clock::time_point::max()),
      bell_(std::make_shared<Bell>(loop_gate(asio::query(loop, asio::execution::context)))) {
  bell_->timer_ = &timer_;
}

Task<void> Sleeper::sleep(chain::Stopper& stopper) {
  const chain::Stopper::Guard guard(stopper, *this);
  if (stopper.stopped()) co_return;
  boost::system::error_code ignored;  // it is always cancelled
  co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable_t<LoopExecutor>(), ignored));
}

}  // namespace aifd::services
