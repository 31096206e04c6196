#include "aifd/net/upstream_exchange.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <random>

#include "aifd/net/outbound_proxy.hpp"
#include "aifd/net/retry.hpp"
#include "aifd/net/upstream_body.hpp"
#include "aifd/protocol/head_writer.hpp"

namespace aifd::net {

using chain::Phase;
using chain::Piece;
using chain::Reply;
using protocol::BodyKind;
using protocol::ResponseHead;

namespace {

class StoppableTimer final : public chain::Stoppable {
 public:
  explicit StoppableTimer(LoopExecutor executor) : timer_(executor) {}

  Task<void> wait(std::chrono::milliseconds delay) {
    timer_.expires_after(delay);
    error_code ignored;  // stopped: the caller looks at the reason
    co_await timer_.async_wait(asio::redirect_error(kAwait, ignored));
  }
  void stop() noexcept override { timer_.cancel(); }

 private:
  asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, LoopExecutor> timer_;
};

bool asked_for(const protocol::RequestHead& request, std::string_view protocol) {
  return !protocol.empty() && protocol::has_token(request.fields, "Upgrade", protocol);
}

double jitter() {
  thread_local std::minstd_rand engine{std::random_device{}()};
  return std::uniform_real_distribution<double>(0.0, 1.0)(engine);
}

}  // namespace

UpstreamExchange::UpstreamExchange(chain::Exchange& exchange, UpstreamPool& pool,
                                   LoopExecutor executor, const config::Timeouts& timeouts,
                                   std::function<void()> stop_client_read)
    : exchange_(exchange),
      stopper_(exchange.stopper),
      pool_(pool),
      executor_(executor),
      timeouts_(timeouts),
      stop_client_read_(std::move(stop_client_read)),
      upload_ended_(executor) {}

Task<Result<Reply>> UpstreamExchange::send() {
  server_ = &pool_.server(exchange_.destination.server);
  exchange_.progress.asked = Clock::now();
  asks_upgrade_ = exchange_.framing.wants_upgrade && exchange_.destination.may_upgrade;
  for (;;) {
    ++exchange_.progress.attempts;
    Result<ResponseHead> head = co_await attempt();
    if (head) co_return make_reply(std::move(*head));

    const bool answer_begun = connection_ && connection_->received_any();
    const bool reused = connection_ && connection_->reused();
    if (uploading()) co_await end_upload();
    drop_connection();
    if (stopper_.stopped()) co_return *stopper_.reason();
    if (is_for_nobody()) co_return head.error();
    const FailedAttempt failed{exchange_.progress.attempts, exchange_.body.rewind(), answer_begun};
    if (!may_retry(head.error(), failed, exchange_.request)) co_return head.error();
    if (reused) continue;  // the server let a resting connection go: no reason to wait
    if (Result<void> waited = co_await wait_before_retry(); !waited) co_return waited.error();
    if (is_for_nobody()) co_return head.error();
  }
}

Task<Result<void>> UpstreamExchange::wait_before_retry() {
  StoppableTimer timer(executor_);
  const chain::Stopper::Guard guard(stopper_, timer);
  co_await timer.wait(backoff(exchange_.progress.attempts, jitter()));
  if (stopper_.stopped()) co_return *stopper_.reason();
  co_return Result<void>{};
}

Task<Result<ResponseHead>> UpstreamExchange::attempt() {
  exchange_.progress.phase = Phase::connect;
  upload_ = Upload::none;
  upload_stopped_ = false;
  connection_ = pool_.take_idle(*server_);
  if (!connection_) {
    auto connected = co_await pool_.connect(*server_, stopper_);
    if (!connected) co_return connected.error();
    connection_ = std::move(*connected);
  }
  connection_->serve(&stopper_);
  guard_.emplace(stopper_, *connection_);
  exchange_.progress.phase = Phase::upload;
  connection_->expect_within(timeouts_.first_byte, ErrorKind::upstream_first_byte_timeout);
  BufferList rest;
  const Result<bool> whole = begin_upload(rest);
  Result<void> begun;
  if (!whole) begun = whole.error();
  if (begun && !rest.empty()) begun = co_await connection_->write_rest(rest);
  if (begun) continue_upload(*whole);
  // An upstream may answer and close before it has read the request: then its answer counts.
  if (!begun && (begun.error().source == ErrorSource::client || begun.error().retryable)) {
    co_return begun.error();
  }
  Result<ResponseHead> head = co_await connection_->read_head();
  if (!head && !begun) co_return begun.error();
  if (head) connection_->expect_nothing();
  co_return head;
}

void UpstreamExchange::write_head() {
  const chain::Destination& to = exchange_.destination;
  protocol::Fields extra = to.extra;
  std::string target =
      protocol::join_target(to.base_path, exchange_.route.prefix, exchange_.target);
  std::string authorization;
  if (server_->proxy != nullptr && !server_->tls) {
    target.insert(0, "http://" + std::string(to.server.authority));
    authorization = proxy_authorization(*server_->proxy);
    if (!authorization.empty()) extra.add("Proxy-Authorization", authorization);
  }
  framing_ = exchange_.body.framing();
  head_.clear();
  protocol::append_request_head(
      head_, {exchange_.request.method, target, to.server.authority}, exchange_.request.fields,
      framing_, asks_upgrade_ ? exchange_.request.fields.get("Upgrade") : "", extra);
}

// The first bytes of the body share the head's write; what follows without a wait goes at once.
Result<bool> UpstreamExchange::begin_upload(BufferList& rest) {
  write_head();
  rest.add(head_);
  bool whole = framing_.kind == BodyKind::none;
  bool must_wait = false;
  do {
    if (!whole) {
      const std::optional<Result<Piece>> piece = exchange_.body.try_next();
      must_wait = !piece;
      if (piece && !*piece) return piece->error();
      if (piece) add_piece(rest, **piece);
      whole = piece && (*piece)->last;
    }
    if (Result<void> written = connection_->try_write(rest); !written) return written.error();
  } while (rest.empty() && !whole && !must_wait);
  return whole;
}

// A body that is not here whole goes up beside the wait for the answer, which may come before its
// end.
void UpstreamExchange::continue_upload(bool whole) {
  if (whole) {
    upload_ = Upload::done;
    exchange_.progress.phase = Phase::wait_head;
  } else {
    start_upload_rest();
  }
}

void UpstreamExchange::start_upload_rest() {
  upload_ = Upload::running;
  asio::co_spawn(executor_, upload_rest(),
                 [this](const std::exception_ptr& thrown, const Result<void>& result) {
                   on_upload_end(thrown ? Error{ErrorKind::internal, ErrorSource::aifd, false,
                                                "The upload failed inside aifd."}
                                        : result);
                 });
}

void UpstreamExchange::on_upload_end(const Result<void>& result) {
  upload_ = result ? Upload::done : Upload::failed;
  if (result && exchange_.progress.phase == Phase::upload) {
    exchange_.progress.phase = Phase::wait_head;
  }
  // What the upstream did to the upload shows in its answer, or in the lack of one.
  if (!result && !upload_stopped_ && result.error().source != ErrorSource::upstream) {
    stopper_.stop(result.error());
  }
  upload_ended_.set();
}

Task<Result<void>> UpstreamExchange::upload_rest() {
  for (;;) {
    // While the client is waited for, it is the client that may be late.
    if (exchange_.progress.phase == Phase::upload) connection_->expect_nothing();
    const Result<Piece> piece = co_await exchange_.body.next();
    if (!piece) co_return piece.error();
    if (exchange_.progress.phase == Phase::upload) {
      connection_->expect_within(timeouts_.first_byte, ErrorKind::upstream_first_byte_timeout);
    }
    BufferList buffers;
    add_piece(buffers, *piece);
    const Result<void> written = co_await connection_->write(buffers);
    if (!written) co_return written.error();
    if (piece->last) co_return Result<void>{};
  }
}

Task<void> UpstreamExchange::end_upload() {
  upload_stopped_ = true;
  connection_->stop();
  stop_client_read_();
  while (upload_ == Upload::running) co_await upload_ended_.wait();
}

void UpstreamExchange::add_piece(BufferList& buffers, const Piece& piece) {
  if (framing_.kind != BodyKind::chunked) {
    buffers.add(piece.bytes);
  } else if (!piece.bytes.empty()) {
    buffers.add(protocol::chunk_header(piece.bytes.size(), chunk_header_));
    buffers.add(piece.bytes);
    buffers.add(piece.last ? protocol::kChunkEndAndLast : protocol::kChunkEnd);
  } else if (piece.last) {
    buffers.add(protocol::kLastChunk);
  }
}

Result<Reply> UpstreamExchange::make_reply(ResponseHead head) {
  exchange_.progress.head_received = Clock::now();
  exchange_.progress.phase = Phase::stream;
  std::string().swap(head_);  // sent; a stream may take long
  Reply reply;
  if (head.status == 101) {
    if (!asks_upgrade_ || !asked_for(exchange_.request, head.fields.get("Upgrade"))) {
      return Error{ErrorKind::upstream_malformed, ErrorSource::upstream, false,
                   "The upstream switched to a protocol that it was not asked for."};
    }
    reply.head = std::move(head);
    return reply;
  }
  const Result<protocol::ResponseFraming> framing =
      protocol::check_response(head, exchange_.request.method);
  if (!framing) return framing.error();
  reusable_ = framing->keep_alive && framing->body.kind != BodyKind::until_close;
  keep_alive_ = head.fields.get("Keep-Alive");
  reply.framing = framing->body;
  reply.head = std::move(head);
  if (framing->body.kind == BodyKind::none) {
    answer_whole_ = true;
  } else {
    reply.body =
        std::make_unique<UpstreamBody>(*connection_, framing->body, timeouts_.idle, answer_whole_);
  }
  return reply;
}

void UpstreamExchange::finish() {
  if (connection_ && reusable_ && answer_whole_ && uploaded() && !stopper_.stopped() &&
      connection_->buffered().empty()) {
    guard_.reset();
    pool_.put_back(*server_, std::move(connection_), keep_alive_);
  }
  drop_connection();
}

std::unique_ptr<UpstreamConnection> UpstreamExchange::take_upgraded() {
  guard_.reset();
  return std::move(connection_);
}

void UpstreamExchange::drop_connection() noexcept {
  guard_.reset();
  connection_.reset();
}

}  // namespace aifd::net
