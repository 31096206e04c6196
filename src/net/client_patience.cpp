#include "aifd/net/client_patience.hpp"

#include <algorithm>

namespace aifd::net {
namespace {

using namespace std::chrono_literals;

constexpr auto kIdleBuffersFor = 500ms;  // then an idle connection gives its buffers back
constexpr auto kGoodbyeTakes = 500ms;
constexpr auto kLastHeadTakes = 1s;  // for a head that has begun when the shutdown begins

}  // namespace

ClientPatience::ClientPatience(Ticker& ticker, Stream& stream, ClientInput& input,
                               Clock::duration timeout)
    : Deadline(ticker), stream_(stream), input_(input), timeout_(timeout) {}

void ClientPatience::expect_opening() noexcept {
  expected_ = Expected::head;
  set_after(timeout_);
}

void ClientPatience::expect_head() noexcept {
  late_ = false;
  expected_ = timeout_ > kIdleBuffersFor ? Expected::idle : Expected::head;
  set_after(std::min<Clock::duration>(timeout_, kIdleBuffersFor));
}

void ClientPatience::expect_body(Clock::time_point now, chain::Stopper* exchange) noexcept {
  expected_ = Expected::body;
  exchange_ = exchange;
  set(now + timeout_);
}

void ClientPatience::expect_end(Clock::duration most) noexcept {
  expected_ = Expected::body;
  exchange_ = nullptr;
  set_after(most);
}

void ClientPatience::expect_goodbye() noexcept {
  expected_ = Expected::goodbye;
  set_after(kGoodbyeTakes);
}

void ClientPatience::expect_nothing() noexcept {
  expected_ = Expected::nothing;
  clear();
}

void ClientPatience::drain() noexcept {
  if (expected_ != Expected::idle && expected_ != Expected::head) return;
  if (!input_.head_begun()) {
    stream_.close();
  } else {
    expected_ = Expected::head;
    set_after(kLastHeadTakes);
  }
}

void ClientPatience::on_deadline() noexcept {
  switch (expected_) {
    case Expected::nothing:
      return;
    case Expected::goodbye:
      stream_.close();
      return;
    case Expected::idle:
      expected_ = Expected::head;
      if (!input_.head_begun()) input_.release_buffers_while_idle();
      set_after(timeout_ - kIdleBuffersFor);
      return;
    case Expected::head:
      if (!input_.head_begun()) {
        stream_.close();
        return;
      }
      late_ = true;
      input_.cancel();
      return;
    case Expected::body:
      if (exchange_ != nullptr) {
        exchange_->stop({ErrorKind::client_timeout, ErrorSource::client, false,
                         "The request's body did not arrive in time (CLIENT_TIMEOUT)."});
      }
      input_.cancel();
      return;
  }
}

}  // namespace aifd::net
