#include "aifd/net/client_session.hpp"

#include <boost/asio/redirect_error.hpp>
#include <cstring>

#include "aifd/base/log.hpp"
#include "aifd/chain/faults.hpp"
#include "aifd/chain/relay.hpp"
#include "aifd/net/request_reader.hpp"
#include "aifd/net/tunnel.hpp"

namespace aifd::net {

using chain::EndedBy;
using chain::Exchange;
using chain::Phase;
using chain::Reply;

namespace {

using namespace std::chrono_literals;

constexpr auto kProbeEvery = 500ms;
constexpr auto kIdleBuffersFor = 500ms;  // then an idle connection gives its buffers back
constexpr auto kLingerFor = 2s;          // for a client that still sends while it is refused
constexpr auto kGoodbyeTakes = 500ms;    // for a TLS peer to answer our close_notify
constexpr auto kLastHeadTakes = 1s;      // for a head that has begun when the shutdown begins
constexpr std::uint64_t kDiscardBytes = 64 * 1024;  // of an unread body, to keep the connection

EndedBy ended_by(const Error& error) {
  switch (error.source) {
    case ErrorSource::client:
      return EndedBy::client;
    case ErrorSource::upstream:
      return EndedBy::upstream;
    case ErrorSource::aifd:
      return EndedBy::aifd;
  }
  return EndedBy::aifd;
}

// The one end of an exchange that a client began. Of one whose client has left it was that client
// who ended it, whatever came of the rest.
void end(Exchange& exchange, const Result<void>& sent, const ClientSink& sink) {
  chain::Outcome& progress = exchange.progress;
  if (sink.alone()) {
    if (sent && !progress.error) progress.drained = chain::Drained::whole;
    progress.phase = sink.left_in();
    exchange.finish(EndedBy::client, chain::client_gone());
  } else if (!sent) {
    exchange.finish(ended_by(sent.error()), sent.error());
  } else {
    progress.answered = true;
    exchange.finish(progress.error ? ended_by(*progress.error) : EndedBy::complete);
  }
}

}  // namespace

ClientSession::ClientSession(Socket socket, const SessionContext& context)
    : context_(context),
      executor_(context.loop.get_executor()),
      stream_(std::move(socket)),
      input_(stream_, executor_),
      patience_(*this),
      probe_(*this),
      peer_(peer_address(stream_.socket())) {}

Task<void> ClientSession::run() {
  bool keep = context_.proxy_headers == nullptr || co_await take_proxy_header();
  if (keep && context_.tls != nullptr) keep = co_await shake_hands();
  while (keep) {
    Result<std::string_view> head = co_await wait_for_head();
    if (!head && head.error().kind == ErrorKind::client_gone) break;
    keep = co_await serve(std::move(head)) && !draining_;
    input_.finish_exchange();
  }
  if (stream_.tls() != nullptr) co_await say_goodbye();
  patience_.clear();
  stream_.close();
  co_await input_.settle();
}

// A connection that has not ended its header is an idle one.
Task<bool> ClientSession::take_proxy_header() {
  waiting_ = Waiting::head;
  patience_.set_after(context_.settings.timeouts.client);
  const std::optional<IpAddress> peer =
      co_await context_.proxy_headers->read_peer(stream_.socket(), peer_);
  if (peer) peer_ = *peer;
  co_return peer.has_value();
}

Task<bool> ClientSession::shake_hands() {
  waiting_ = Waiting::head;
  patience_.set_after(context_.settings.timeouts.client);
  error_code ec;
  co_await stream_.start_tls(*context_.tls)
      .async_handshake(asio::ssl::stream_base::server, asio::redirect_error(kAwait, ec));
  co_return !ec;
}

Task<Result<std::string_view>> ClientSession::wait_for_head() {
  if (draining_ && !input_.head_begun()) {
    co_return Error{ErrorKind::client_gone, ErrorSource::aifd, false, "draining"};
  }
  late_ = false;
  const Clock::duration timeout = context_.settings.timeouts.client;
  waiting_ = timeout > kIdleBuffersFor ? Waiting::idle : Waiting::head;
  patience_.set_after(std::min<Clock::duration>(timeout, kIdleBuffersFor));
  Result<std::string_view> head = co_await input_.read_head();
  waiting_ = Waiting::no;
  patience_.clear();
  if (!head && late_) {
    co_return Error{ErrorKind::client_timeout, ErrorSource::client, false,
                    "The request did not arrive in time (CLIENT_TIMEOUT)."};
  }
  co_return head;
}

// An idle connection first gives its buffers back, then ends after CLIENT_TIMEOUT; a head that has
// begun has CLIENT_TIMEOUT to come whole.
void ClientSession::on_client_late() noexcept {
  const auto timeout = context_.settings.timeouts.client;
  switch (waiting_) {
    case Waiting::no:
      return;
    case Waiting::goodbye:
      stream_.close();
      return;
    case Waiting::idle:
      waiting_ = Waiting::head;
      if (!input_.head_begun()) input_.release_buffers_while_idle();
      patience_.set_after(timeout - kIdleBuffersFor);
      return;
    case Waiting::head:
      if (!input_.head_begun()) {
        stream_.close();
        return;
      }
      late_ = true;
      input_.cancel();
      return;
    case Waiting::body:
      if (stopper_ != nullptr) {
        stopper_->stop({ErrorKind::client_timeout, ErrorSource::client, false,
                        "The request's body did not arrive in time (CLIENT_TIMEOUT)."});
      }
      input_.cancel();
      return;
  }
}

void ClientSession::on_waiting_for_body(bool waits) noexcept {
  const Clock::time_point now = Clock::now();
  waiting_ = waits ? Waiting::body : Waiting::no;
  if (waits) {
    waits_since_ = now;
    patience_.set(now + context_.settings.timeouts.client);
  } else if (progress_ != nullptr && progress_->head_received == Clock::time_point{}) {
    progress_->awaited += now - waits_since_;
    if (progress_->asked != Clock::time_point{}) progress_->awaited_meanwhile += now - waits_since_;
  }
}

void ClientSession::on_client_gone() noexcept {
  if (stopper_ == nullptr || (sink_ != nullptr && sink_->go_on_alone())) return;
  stopper_->stop(chain::client_gone());
}

void ClientSession::on_probe() noexcept {
  if (stopper_ == nullptr || (sink_ != nullptr && sink_->alone())) return;
  if (!input_.watching() && input_.peer_has_left()) {
    on_client_gone();
    input_.cancel();
  } else {
    probe_.set_after(kProbeEvery);
  }
}

Task<bool> ClientSession::serve(Result<std::string_view> head_bytes) {
  const Clock::time_point started = Clock::now();
  const std::array<char, 32> id = new_request_id();
  const std::string_view request_id(id.data(), id.size());
  Request request = read_request(head_bytes, context_.settings.max_body_bytes);
  if (!request.refused && (draining_ || context_.lifecycle.draining)) {
    request.framing.keep_alive = false;  // answered still: it was on its way
  }

  ClientBody body(stream_, input_, context_.blocks, request.framing.body,
                  {.max_bytes = context_.settings.max_body_bytes,
                   .expects_continue = request.framing.expects_continue,
                   .on_waiting = [this](bool waits) { on_waiting_for_body(waits); },
                   .on_end = [this] { input_.watch([this] { on_client_gone(); }); }});
  const bool malformed = request.refused.has_value();
  if (!malformed && body.ended()) input_.watch([this] { on_client_gone(); });

  Exchange exchange(std::move(request.head), request.framing, std::move(request.target),
                    {peer_, peer_, stream_.tls() != nullptr}, request_id, body, started);
  exchange.refused = std::move(request.refused);
  exchange.calls = &context_.calls;
  stopper_ = &exchange.stopper;
  progress_ = &exchange.progress;
  probe_.set_after(kProbeEvery);
  ClientSink sink(stream_, executor_, exchange, context_.ticker,
                  {.client_version_minor = exchange.request.version_minor,
                   .keep_alive = exchange.framing.keep_alive && !malformed,
                   .write_timeout = context_.settings.timeouts.idle});
  sink_ = &sink;
  UpstreamExchange upstream(exchange, context_.pool, executor_, context_.settings.timeouts, [this] {
    if (!input_.watching()) input_.cancel();
  });
  const Result<void> sent = co_await answer(exchange, upstream, body, sink);
  if (upstream.uploading()) co_await upstream.end_upload();
  upstream.finish();
  stopper_ = nullptr;
  progress_ = nullptr;
  sink_ = nullptr;
  probe_.clear();
  patience_.clear();
  waiting_ = Waiting::no;
  end(exchange, sent, sink);
  if (!sent) sink.cut();
  if (!sent || sink.alone()) co_return false;
  if (sink.keeps_alive() && !exchange.stopper.stopped()) {
    if (body.ended()) co_return true;
    co_return co_await discard_rest(body);
  }
  if (malformed || !body.ended()) co_await linger();
  co_return false;
}

Task<Result<void>> ClientSession::answer(Exchange& exchange, UpstreamExchange& upstream,
                                         ClientBody& body, ClientSink& sink) {
  bool thrown = false;
  try {
    std::optional<Result<Reply>> made = reply_of(co_await context_.chain.run(exchange));
    if (!made) made = co_await upstream.send();
    Result<Reply>& reply = *made;
    if (reply && !exchange.edits().empty()) {
      reply = co_await chain::edited(exchange, std::move(*reply));
    }
    const bool for_nobody =
        sink.alone() || (!reply && reply.error().kind == ErrorKind::client_gone);
    if (!reply && for_nobody) co_return reply.error();
    if (!reply) {
      exchange.progress.error = reply.error();
      reply = chain::error_reply(exchange, reply.error());
    }
    if (reply->head.status == 101) co_return co_await switch_protocols(exchange, upstream, *reply);
    if (!body.ended() && (body.left() > kDiscardBytes || exchange.framing.expects_continue)) {
      sink.close_after();
    }
    if (draining_) sink.close_after();
    co_return co_await chain::relay(exchange, *reply, sink);
  } catch (const std::exception& fault) {
    log::error("an exchange failed inside aifd: {}", fault.what());
    thrown = true;
  }
  const Error error = chain::failed_here();
  sink.close_after();
  if (!thrown || !sink.untouched()) co_return error;
  exchange.progress.error = error;
  Reply reply = chain::error_reply(exchange, error);
  co_return co_await chain::relay(exchange, reply, sink);
}

std::optional<Result<Reply>> ClientSession::reply_of(Result<chain::Verdict> verdict) const {
  if (!verdict) {
    const std::optional<Error>& reason = stopper_->reason();
    return reason ? *reason : verdict.error();
  }
  if (auto* local = std::get_if<chain::LocalReply>(&*verdict)) return std::move(*local);
  return std::nullopt;
}

Task<Result<void>> ClientSession::switch_protocols(Exchange& exchange, UpstreamExchange& upstream,
                                                   Reply& reply) {
  exchange.show_head(reply.head);
  exchange.progress.phase = Phase::tunnel;
  const std::string protocol(reply.head.fields.get("Upgrade"));
  std::string head;
  protocol::append_response_head(head, reply.head, reply.framing, {.upgrade = protocol});
  BufferList buffers;
  buffers.add(head);
  error_code ec;
  co_await stream_.write(buffers, ec);
  if (ec) {
    co_return Error{ErrorKind::client_gone, ErrorSource::client, false, ec.message()};
  }
  probe_.clear();
  const std::unique_ptr<UpstreamConnection> connection = upstream.take_upgraded();
  const TunnelEnd end = co_await run_tunnel(stream_, input_, *connection, *stopper_, executor_,
                                            context_.settings.timeouts.idle);
  exchange.progress.bytes_out += end.bytes_down;
  if (end.ended_by == ErrorSource::aifd) {
    exchange.progress.error = Error{ErrorKind::upstream_idle_timeout, ErrorSource::aifd, false,
                                    "Both sides were silent for IDLE_TIMEOUT."};
  }
  co_return Result<void>{};
}

// A short rest of a body that nobody read is read here, so that the connection can go on.
Task<bool> ClientSession::discard_rest(ClientBody& body) {
  chain::Stopper stopper;
  stopper_ = &stopper;
  while (!body.ended()) {
    const Result<chain::Piece> piece = co_await body.next();
    if (!piece || body.left() > kDiscardBytes) break;
  }
  stopper_ = nullptr;
  patience_.clear();
  waiting_ = Waiting::no;
  co_return body.ended() && !stopper.stopped();
}

// A TLS peer can tell an end from a cut only by a close_notify (RFC 8446, 6.1).
Task<void> ClientSession::say_goodbye() {
  if (!stream_.socket().is_open() || draining_) co_return;
  input_.cancel();
  co_await input_.settle();
  waiting_ = Waiting::goodbye;
  patience_.set_after(kGoodbyeTakes);
  error_code ignored;
  co_await stream_.tls()->async_shutdown(asio::redirect_error(kAwait, ignored));
}

// Closing with unread input resets the connection, and a reset can destroy the answer before the
// client has read it. So only our side is closed at first.
Task<void> ClientSession::linger() {
  error_code ec;
  stream_.socket().shutdown(Socket::shutdown_send, ec);
  waiting_ = Waiting::body;
  patience_.set_after(draining_ ? Clock::duration(0) : Clock::duration(kLingerFor));
  const auto waste = std::make_unique<std::array<char, 16 * 1024>>();
  while (!ec) co_await input_.read_some(*waste, ec);
  waiting_ = Waiting::no;
}

void ClientSession::drain() noexcept {
  draining_ = true;
  if (waiting_ != Waiting::idle && waiting_ != Waiting::head) return;
  if (!input_.head_begun()) {
    stream_.close();
  } else {
    waiting_ = Waiting::head;
    patience_.set_after(kLastHeadTakes);
  }
}

void ClientSession::abort() noexcept {
  if (stopper_ != nullptr) {
    stopper_->stop(chain::cut_by_shutdown());
  }
  stream_.reset();
}

std::array<char, 32> ClientSession::new_request_id() {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<char, 32> id{};
  for (std::size_t half = 0; half < 2; ++half) {
    std::uint64_t bits = context_.random();
    for (std::size_t i = 0; i < 16; ++i, bits >>= 4) id[half * 16 + i] = kDigits[bits & 15];
  }
  return id;
}

}  // namespace aifd::net
