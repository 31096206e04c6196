#include "aifd/chain/relay.hpp"

#include <optional>

#include "aifd/base/text_buffer.hpp"
#include "aifd/protocol/media_type.hpp"

namespace aifd::chain {
namespace {

// The upstream's own id is what its support asks for, so it keeps the usual name.
void identify(const Exchange& exchange, protocol::ResponseHead& head) {
  static constexpr protocol::FieldName kUsual = "x-request-id";
  static constexpr protocol::FieldName kOther = "x-aifd-request-id";
  head.fields.add(head.fields.contains(kUsual) ? kOther : kUsual, exchange.request_id);
}

// A reverse proxy in front must not collect a stream before it passes it on.
void keep_streaming(protocol::ResponseHead& head) {
  if (protocol::is_event_stream(protocol::media_type(head.fields)) &&
      !head.fields.contains("X-Accel-Buffering")) {
    head.fields.add("X-Accel-Buffering", "no");
  }
}

// Where the time went until now (W3C Server Timing): "aifd;dur=0.085, upstream;dur=212.345".
void tell_time(Exchange& exchange, protocol::ResponseHead& head) {
  const Outcome& progress = exchange.progress;
  TextBuffer text;
  text.text("aifd;dur=");
  text.millis(progress.own_time(Clock::now()));
  if (progress.upstream_time() != Clock::duration{0}) {
    text.text(", upstream;dur=");
    text.millis(progress.upstream_time());
  }
  head.fields.add("Server-Timing", exchange.keep(text.view()));
}

// Takes from `rest` what may be written next.
Piece take_part(const Exchange& exchange, Piece& rest) noexcept {
  const bool whole = exchange.cutter() == nullptr || rest.bytes.empty();
  const std::size_t length = whole ? rest.bytes.size() : exchange.cutter()->cut(rest.bytes);
  const Piece part{rest.bytes.substr(0, length), rest.last && length == rest.bytes.size()};
  rest.bytes.remove_prefix(length);
  return part;
}

void start(Exchange& exchange, Reply& reply, ResponseSink& sink) {
  exchange.show_head(reply.head);
  identify(exchange, reply.head);
  keep_streaming(reply.head);
  tell_time(exchange, reply.head);
  sink.begin(reply.head, reply.framing);
}

}  // namespace

Task<Result<Reply>> edited(Exchange& exchange, Reply reply) {
  for (const auto& edit : exchange.edits()) {
    Result<Reply> changed = co_await edit->edit(exchange, std::move(reply));
    if (!changed) co_return changed.error();
    reply = std::move(*changed);
  }
  co_return reply;
}

Task<Result<void>> relay(Exchange& exchange, Reply& reply, ResponseSink& sink) {
  start(exchange, reply, sink);
  if (!reply.body) co_return co_await sink.flush();
  bool all_written = false;
  for (;;) {
    std::optional<Result<Piece>> here = reply.body->try_next();
    if (!here) {
      if (!all_written && !reply.body->ready()) {
        if (Result<void> flushed = co_await sink.flush(); !flushed) co_return flushed;
      }
      here = co_await reply.body->next();
    }
    const Result<Piece>& piece = *here;
    if (!piece) co_return piece.error();
    exchange.progress.bytes_out += piece->bytes.size();

    Piece rest = *piece;
    do {
      const Piece part = take_part(exchange, rest);
      const Clock::time_point not_before = part.bytes.empty() ? kAtOnce : exchange.show(part.bytes);
      if (not_before != kAtOnce && not_before > Clock::now()) {
        if (Result<void> flushed = co_await sink.flush(); !flushed) co_return flushed;
        if (Result<void> waited = co_await sink.wait_until(not_before); !waited) co_return waited;
      }
      const Result<bool> written = sink.write(part);
      if (!written) co_return written.error();
      if (!*written) {
        if (Result<void> flushed = co_await sink.flush(); !flushed) co_return flushed;
      }
    } while (!rest.bytes.empty());
    all_written = true;
    if (piece->last) co_return Result<void>{};
  }
}

}  // namespace aifd::chain
