#include "aifd/services/shared_answer.hpp"

#include <algorithm>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/this_coro.hpp>
#include <limits>

#include "aifd/base/log.hpp"
#include "aifd/chain/reply.hpp"
#include "aifd/protocol/head_writer.hpp"
#include "aifd/protocol/media_type.hpp"
#include "shared_answer_reader.hpp"
#include "shared_answer_turn.hpp"

namespace aifd::services {
namespace {

Error all_left() {
  return {ErrorKind::client_gone, ErrorSource::client, false,
          "All clients that waited for this answer have left."};
}

SharedHead stored_head(const CacheEntry& entry) {
  SharedHead shared;
  shared.status = entry.status;
  shared.reason = chain::reason_phrase(entry.status);
  shared.fields = entry.fields;
  shared.framing = {protocol::BodyKind::length, entry.body.size()};
  shared.event_stream = entry.event_stream;
  shared.from_store = true;
  return shared;
}

// `time_to_live` comes from outside, and may be any number.
std::int64_t expiry(std::int64_t now, std::chrono::seconds time_to_live) noexcept {
  if (time_to_live.count() == 0) return 0;
  const std::int64_t most = std::numeric_limits<std::int64_t>::max() - now;
  return now + std::min<std::int64_t>(time_to_live.count(), most);
}

}  // namespace

SharedHead shared_head(const protocol::ResponseHead& head, const protocol::BodyFraming& framing,
                       const chain::Outcome& progress) {
  SharedHead shared;
  shared.status = head.status;
  shared.reason = head.reason;
  const protocol::HopByHop hop_by_hop(head.fields);
  for (const protocol::Field& field : head.fields) {
    if (hop_by_hop.contains(field.name)) continue;
    shared.fields.push_back({std::string(field.name), std::string(field.value)});
  }
  shared.framing = framing;
  shared.event_stream = protocol::iequals(protocol::media_type(head.fields), "text/event-stream");
  shared.attempts = progress.attempts;
  shared.head_received = progress.head_received;
  return shared;
}

protocol::ResponseHead head_view(const SharedHead& shared) {
  protocol::ResponseHead head;
  head.status = shared.status;
  head.reason = shared.reason;
  head.fields.reserve(shared.fields.size() + 2);
  for (const CacheField& field : shared.fields) head.fields.add(field.name, field.value);
  return head;
}

SharedAnswer::SharedAnswer(Options options, OnClosed on_closed)
    : options_(std::move(options)),
      on_closed_(std::move(on_closed)),
      most_behind_bytes_(std::max(options_.max_bytes, options_.max_behind_bytes)),
      state_(std::make_unique<State>()) {}

SharedAnswer::~SharedAnswer() = default;

std::unique_ptr<AnswerReader> SharedAnswer::read(LoopExecutor loop, chain::Stopper& stopper) {
  auto reader = std::make_unique<Reader>(shared_from_this(), loop, stopper);
  if (!reader->sit_down()) return nullptr;
  return reader;
}

void SharedAnswer::supply(CacheEntryPtr entry) {
  SharedHead head = stored_head(*entry);
  Turn turn(*this);
  if (std::exchange(turn->brought, true)) return;
  turn->head = std::move(head);
  turn->entry = std::move(entry);
  turn.finish(Result<void>());
}

void SharedAnswer::fail(Error error) {
  Turn turn(*this);
  if (std::exchange(turn->brought, true)) return;
  turn.finish(std::move(error));
}

bool SharedAnswer::is_under_way() const noexcept {
  return call_ == nullptr || call_->phase >= chain::Phase::wait_head;
}

void SharedAnswer::begin(LoopExecutor loop, chain::Stopper& stopper,
                         const chain::Outcome& progress) {
  stopper_ = &stopper;
  call_ = &progress;
  bool deserted = false;
  {
    Turn turn(*this);
    turn->brought = true;
    turn->call_loop = loop_gate(asio::query(loop, asio::execution::context));
    deserted = turn->deserted;
  }
  if (deserted) stop_call();
}

void SharedAnswer::head(const protocol::ResponseHead& head, const protocol::BodyFraming& framing,
                        const chain::Outcome& progress) {
  SharedHead shared = shared_head(head, framing, progress);
  if (options_.choose) keeping_ = options_.choose(head);
  Turn turn(*this);
  turn->head = std::move(shared);
  turn->progress = {progress.attempts, progress.phase};
  turn.wake(WaitsFor::head);
}

bool SharedAnswer::piece(std::string_view bytes) {
  Turn turn(*this);
  if (turn->deserted) return true;
  const std::uint64_t before = turn.end();
  turn->window.append(bytes);
  if (turn->recorded && keeping_ && turn->head->event_stream) {
    turn->rhythm.note(before, options_.clock());
  }
  if (turn->recorded && turn.end() > options_.max_bytes) turn.stop_recording();
  turn.wake(WaitsFor::bytes);
  if (turn->recorded) return true;
  const bool has_room = turn.make_room(before);
  turn.drop_read();
  return has_room;
}

Task<Result<void>> SharedAnswer::wait_for_room() {
  Sleeper sleeper(co_await asio::this_coro::executor);
  for (;;) {
    {
      Turn turn(*this);
      if (turn.make_room(turn.end())) co_return Result<void>();
      turn->room = sleeper.bell();
    }
    if (stopper_->stopped()) co_return *stopper_->reason();
    co_await sleeper.sleep(*stopper_);
  }
}

void SharedAnswer::end(const Result<void>& result, const chain::Outcome& progress) {
  stopper_ = nullptr;
  call_ = nullptr;
  if (result) {
    const CacheEntryPtr entry = finish_recording();
    if (entry && keeping_) keep(entry);
  }
  Turn turn(*this);
  turn->progress = {progress.attempts, progress.phase};
  turn.finish(result);
}

void SharedAnswer::end_with(SharedHead head, std::string body) {
  stopper_ = nullptr;
  auto entry = std::make_shared<CacheEntry>();
  entry->status = head.status;
  entry->fields = head.fields;
  entry->body = std::move(body);
  entry->event_stream = head.event_stream;
  entry->stored_at = options_.wall_clock();
  head.framing = {protocol::BodyKind::length, entry->body.size()};
  Turn turn(*this);
  turn->progress = {head.attempts, chain::Phase::stream};
  turn->head = std::move(head);
  turn->entry = std::move(entry);
  turn.finish(Result<void>());
}

// Readers see it from now on in place of the window, but not its end.
CacheEntryPtr SharedAnswer::finish_recording() {
  Turn turn(*this);
  if (!turn->recorded || turn->deserted || !turn->head) return nullptr;
  auto entry = std::make_shared<CacheEntry>();
  entry->status = turn->head->status;
  entry->fields = keeping_ ? keeping_->fields : turn->head->fields;
  entry->event_stream = turn->head->event_stream;
  entry->stored_at = options_.wall_clock();
  entry->expires_at =
      expiry(entry->stored_at, keeping_ ? keeping_->time_to_live : std::chrono::seconds());
  entry->rhythm = turn->rhythm.take();
  if (keeping_) turn->window.fit();
  entry->body = turn->window.take();
  turn->entry = entry;
  return entry;
}

void SharedAnswer::keep(const CacheEntryPtr& entry) const noexcept {
  try {
    if (options_.keep) options_.keep(entry);
  } catch (const std::exception& fault) {
    log::error("an answer could not be put into the cache: {}", fault.what());
  }
}

// On the call's thread.
void SharedAnswer::stop_call() noexcept {
  if (stopper_ != nullptr) stopper_->stop(all_left());
}

}  // namespace aifd::services
