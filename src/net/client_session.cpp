#include "aifd/net/client_session.hpp"

#include <bit>
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
constexpr auto kLingerFor = 2s;  // for a client that still sends while it is refused
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

// Hexadecimal ones, each in a byte; in which order is of no matter to what is random.
std::uint64_t eight_digits(std::uint32_t bits) noexcept {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  std::uint64_t digits = bits;
  digits = (digits | digits << 16) & 0x0000ffff0000ffff;
  digits = (digits | digits << 8) & 0x00ff00ff00ff00ff;
  digits = (digits | digits << 4) & 0x0f0f0f0f0f0f0f0f;
  const std::uint64_t letters = (digits + kOnes * 6) >> 4 & kOnes;
  return digits + kOnes * '0' + letters * ('a' - '9' - 1);
}

// nullopt: the links let it pass.
std::optional<Result<Reply>> reply_of(const Exchange& exchange, Result<chain::Verdict> verdict) {
  if (!verdict) {
    const std::optional<Error>& reason = exchange.stopper.reason();
    return reason ? *reason : verdict.error();
  }
  if (auto* local = std::get_if<chain::LocalReply>(&*verdict)) return std::move(*local);
  return std::nullopt;
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
      stream_(std::move(socket)),
      input_(stream_, context.loop.get_executor()),
      patience_(context.ticker, stream_, input_, context.settings.timeouts.client),
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
  patience_.expect_nothing();
  stream_.close();
  co_await input_.settle();
}

// A connection that has not ended its header is an idle one.
Task<bool> ClientSession::take_proxy_header() {
  patience_.expect_opening();
  const std::optional<IpAddress> peer =
      co_await context_.proxy_headers->read_peer(stream_.socket(), peer_);
  if (peer) peer_ = *peer;
  co_return peer.has_value();
}

Task<bool> ClientSession::shake_hands() {
  patience_.expect_opening();
  error_code ec;
  co_await stream_.start_tls(*context_.tls)
      .async_handshake(asio::ssl::stream_base::server, asio::redirect_error(kAwait, ec));
  co_return !ec;
}

Task<Result<std::string_view>> ClientSession::wait_for_head() {
  if (draining_ && !input_.head_begun()) {
    co_return Error{ErrorKind::client_gone, ErrorSource::aifd, false, "draining"};
  }
  patience_.expect_head();
  Result<std::string_view> head = co_await input_.read_head();
  patience_.expect_nothing();
  if (!head && patience_.was_late()) {
    co_return Error{ErrorKind::client_timeout, ErrorSource::client, false,
                    "The request did not arrive in time (CLIENT_TIMEOUT)."};
  }
  co_return head;
}

void ClientSession::on_waiting_for_body(bool waits) noexcept {
  const Clock::time_point now = Clock::now();
  if (waits) {
    waits_since_ = now;
    patience_.expect_body(now, under_way_ == nullptr ? nullptr : &under_way_->stopper);
    return;
  }
  patience_.expect_nothing();
  chain::Outcome* const progress = under_way_ == nullptr ? nullptr : under_way_->progress;
  if (progress != nullptr && progress->head_received == Clock::time_point{}) {
    progress->awaited += now - waits_since_;
    if (progress->asked != Clock::time_point{}) progress->awaited_meanwhile += now - waits_since_;
  }
}

void ClientSession::on_client_gone() noexcept {
  if (under_way_ == nullptr) return;
  if (under_way_->sink != nullptr && under_way_->sink->go_on_alone()) return;
  under_way_->stopper.stop(chain::client_gone());
}

void ClientSession::on_probe() noexcept {
  if (under_way_ == nullptr) return;
  if (under_way_->sink != nullptr && under_way_->sink->alone()) return;
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
  ClientSink sink(stream_, context_.loop.get_executor(), exchange, context_.ticker,
                  {.client_version_minor = exchange.request.version_minor,
                   .keep_alive = exchange.framing.keep_alive && !malformed,
                   .write_timeout = context_.settings.timeouts.idle});
  UnderWay under_way{exchange.stopper, &exchange.progress, &sink};
  under_way_ = &under_way;
  probe_.set(started + kProbeEvery);
  UpstreamExchange upstream(exchange, context_.pool, context_.loop.get_executor(),
                            context_.settings.timeouts, [this] {
                              if (!input_.watching()) input_.cancel();
                            });
  const Result<void> sent = co_await answer(exchange, upstream, body, sink);
  if (upstream.uploading()) co_await upstream.end_upload();
  upstream.finish();
  under_way_ = nullptr;
  probe_.clear();
  patience_.expect_nothing();
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
    std::size_t next = 0;
    std::optional<Result<chain::Verdict>> verdict = context_.chain.try_run(exchange, next);
    if (!verdict) verdict = co_await context_.chain.run(exchange, next);
    std::optional<Result<Reply>> made = reply_of(exchange, *std::move(verdict));
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
  const TunnelEnd end =
      co_await run_tunnel(stream_, input_, *connection, exchange.stopper,
                          context_.loop.get_executor(), context_.settings.timeouts.idle);
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
  UnderWay under_way{stopper};
  under_way_ = &under_way;
  while (!body.ended()) {
    const Result<chain::Piece> piece = co_await body.next();
    if (!piece || body.left() > kDiscardBytes) break;
  }
  under_way_ = nullptr;
  patience_.expect_nothing();
  co_return body.ended() && !stopper.stopped();
}

// A TLS peer can tell an end from a cut only by a close_notify (RFC 8446, 6.1).
Task<void> ClientSession::say_goodbye() {
  if (!stream_.socket().is_open() || draining_) co_return;
  input_.cancel();
  co_await input_.settle();
  patience_.expect_goodbye();
  error_code ignored;
  co_await stream_.tls()->async_shutdown(asio::redirect_error(kAwait, ignored));
}

// Closing with unread input resets the connection, and a reset can destroy the answer before the
// client has read it. So only our side is closed at first.
Task<void> ClientSession::linger() {
  error_code ec;
  stream_.socket().shutdown(Socket::shutdown_send, ec);
  patience_.expect_end(draining_ ? Clock::duration(0) : Clock::duration(kLingerFor));
  const auto waste = std::make_unique<std::array<char, 16 * 1024>>();
  while (!ec) co_await input_.read_some(*waste, ec);
  patience_.expect_nothing();
}

void ClientSession::drain() noexcept {
  draining_ = true;
  patience_.drain();
}

void ClientSession::abort() noexcept {
  if (under_way_ != nullptr) under_way_->stopper.stop(chain::cut_by_shutdown());
  stream_.reset();
}

std::array<char, 32> ClientSession::new_request_id() {
  std::array<std::uint64_t, 4> digits;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    const std::uint64_t bits = context_.random();
    digits[i] = eight_digits(static_cast<std::uint32_t>(bits));
    digits[i + 1] = eight_digits(static_cast<std::uint32_t>(bits >> 32));
  }
  return std::bit_cast<std::array<char, 32>>(digits);
}

}  // namespace aifd::net
