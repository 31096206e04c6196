#include "aifd/services/conversation_log.hpp"

#include <utility>

#include "log_losses.hpp"
#include "log_queue.hpp"
#include "log_writer.hpp"

namespace aifd::services {
namespace {

using Lost = LogLosses::Lost;

constexpr std::size_t kHandOverAt = 4 * 1024;
constexpr std::string_view kFull = "the disk does not keep up, LOG_QUEUE_BYTES are waiting for it";
constexpr std::string_view kClosed = "it was closed before the end of an exchange";

}  // namespace

ConversationLog::ConversationLog(ConversationLogOptions options)
    : losses_(std::make_unique<LogLosses>()),
      queue_(std::make_unique<LogQueue>(options.queue_bytes, options.waits)),
      writer_(std::make_unique<LogWriter>(std::move(options), *queue_, *losses_)) {}

ConversationLog::~ConversationLog() {
  queue_->close();
}

bool ConversationLog::has_room() const noexcept {
  return queue_->has_room();
}

Task<Result<void>> ConversationLog::wait_for_room(chain::Stopper& stopper) {
  if (!has_room()) losses_->add(Lost::nothing, 0, kFull);
  return queue_->wait_for_room(stopper);
}

std::uint64_t ConversationLog::lost() const noexcept {
  return losses_->lost();
}

void ConversationLog::reopen() noexcept {
  queue_->reopen();
}

void ConversationLog::drain() noexcept {
  queue_->drain();
}

bool ConversationLog::stop(std::chrono::milliseconds patience) {
  queue_->close();
  return writer_->ends_within(patience);
}

Conversation::Conversation(ConversationLog& log)
    : queue_(*log.queue_), losses_(*log.losses_), exchange_(std::make_shared<LogExchange>()) {}

Conversation::~Conversation() {
  if (!begun_ || ended_) return;
  protocol::AnswerNote note;
  note.ended_by = "aifd";
  note.phase = had_head_ ? "stream" : "links";
  note.error = error_name(ErrorKind::internal);
  end(std::move(note));
}

ConversationStart& Conversation::start() noexcept {
  return exchange_->start;
}

bool Conversation::begin() {
  exchange_->began = WallClock::now();
  LogJob job{exchange_, std::nullopt};
  const LogQueue::Push pushed = queue_.push(job);
  begun_ = pushed == LogQueue::Push::done;
  if (!begun_) losses_.add(Lost::exchange, 1, pushed == LogQueue::Push::full ? kFull : kClosed);
  return begun_;
}

void Conversation::head(int status, std::string_view content_type,
                        std::string_view content_encoding) {
  had_head_ = head_waits_ = true;
  exchange_->head = {status, std::string(content_type), std::string(content_encoding)};
}

void Conversation::piece(std::string_view bytes) noexcept {
  if (cut_) return;
  gathered_ += bytes;
  if (gathered_.size() >= kHandOverAt) hand_over(false);
}

void Conversation::end(protocol::AnswerNote note) noexcept {
  if (std::exchange(ended_, true)) return;
  exchange_->end = {std::move(note), WallClock::now()};
  hand_over(true);
}

// Without room the bytes are lost, and a head waits for the end, which is always taken.
void Conversation::hand_over(bool ends) {
  LogJob job{exchange_, AnswerPart{std::exchange(gathered_, {}), head_waits_, ends, cut_}};
  AnswerPart& part = *job.part;
  LogQueue::Push pushed = queue_.push(job);
  if (pushed == LogQueue::Push::full) {
    if (!part.bytes.empty()) {
      part.bytes = {};
      part.cut = cut_ = true;
      losses_.add(Lost::answer, 1, kFull);
    }
    if (ends) pushed = queue_.push_always(job);
  }
  if (pushed != LogQueue::Push::full) head_waits_ = false;
  if (ends && pushed == LogQueue::Push::closed) losses_.add(Lost::record, 1, kClosed);
}

}  // namespace aifd::services
