#include "log_writer.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "aifd/base/this_thread.hpp"

namespace aifd::services {
namespace {

using Lost = LogLosses::Lost;

constexpr std::size_t kWriteAt = std::size_t{128} << 10;  // bytes of lines: still in a cache
constexpr std::size_t kSettleAt = std::size_t{4} << 20;   // bytes of jobs
constexpr std::size_t kMostKept = std::size_t{4} << 20;   // of a buffer that is empty
constexpr std::chrono::milliseconds kRetryAfter{250};     // lines that must not be lost
constexpr const char* kTooMuchHeld = "answers that have not ended hold more than LOG_QUEUE_BYTES";

}  // namespace

LogWriter::LogWriter(ConversationLogOptions options, LogQueue& queue, LogLosses& losses)
    : options_(std::move(options)),
      queue_(queue),
      losses_(losses),
      redactor_(options_.redact),
      rotated_({.keep = options_.keep, .compress = options_.compress}),
      thread_([this] { run(); }) {}

bool LogWriter::ends_within(std::chrono::milliseconds patience) {
  const Clock::time_point until = Clock::now() + patience;
  {
    std::unique_lock lock(mutex_);
    if (!at_end_.wait_until(lock, until, [this] { return ended_; })) return false;
  }
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
  return rotated_.ends_within(std::max(left, std::chrono::milliseconds(0)));
}

void LogWriter::run() {
  name_this_thread("aifd-chat-log");
  let_others_go_first();
  for (bool closed = false; !closed;) {
    LogQueue::Taken taken = queue_.take(wake_at());
    closed = taken.closed;
    if (taken.reopen) reopen();
    work(std::move(taken.jobs));
  }
  losses_.finish(write_last());
  const std::scoped_lock lock(mutex_);
  ended_ = true;
  at_end_.notify_all();
}

void LogWriter::reopen() {
  for (Log& log : logs_) {
    log.file.reopen(Clock::now());
    log.retry_at = Clock::time_point::min();
  }
}

Clock::time_point LogWriter::wake_at() const {
  Clock::time_point at = losses_.fine_at();
  for (const Log& log : logs_) {
    if (log.failing) at = Clock::time_point::max();  // there is no end to be told of
  }
  for (const Log& log : logs_) {
    if (!log.pending.empty()) at = std::min(at, log.retry_at);
  }
  return at;
}

void LogWriter::work(std::deque<LogJob> jobs) {
  std::size_t bytes = 0;
  for (; !jobs.empty(); jobs.pop_front()) {
    bytes += jobs.front().bytes();
    do_job(jobs.front());
    if (unwritten_ >= kWriteAt || bytes >= kSettleAt) settle(std::exchange(bytes, 0));
  }
  settle(bytes);
}

// What cannot be put together, for want of memory, is lost; the thread goes on.
void LogWriter::do_job(LogJob& job) noexcept {
  LogExchange& exchange = *job.exchange;
  try {
    if (!job.part) return begin(exchange, exchange.began);
    feed(exchange, *job.part);
  } catch (const std::exception& error) {
    exchange.cut = true;
    if (!job.part) losses_.add(Lost::record, 1, error.what());
  }
  if (!job.part || !job.part->ends) return;
  try {
    end(exchange);
  } catch (const std::exception& error) {
    losses_.add(Lost::record, 1, error.what());
  }
  exchange.recorder.reset();
  held_ -= std::exchange(exchange.held, 0);
}

void LogWriter::begin(LogExchange& exchange, WallClock::time_point at) {
  ConversationStart& start = exchange.start;
  if (start.note.datetime.empty()) start.note.datetime = local_datetime(at);
  if (start.note.body_bytes == 0) start.note.body_bytes = start.body.size();
  const SharedText body = std::exchange(start.body, {});
  NewLine line(lines_of(exchange));
  protocol::append_request_record(line.lines(), start.api, start.note, body.view());
  add_record(start, line);
}

void LogWriter::feed(LogExchange& exchange, AnswerPart& part) {
  if (part.has_head) {
    const AnswerHead& head = exchange.head;
    recorder_of(exchange).head(head.status, head.content_type, head.content_encoding);
  }
  exchange.cut = exchange.cut || part.cut;
  if (exchange.cut || part.bytes.empty()) return;
  recorder_of(exchange).feed(std::move(part.bytes));
  if (!part.ends) bound(exchange);
}

// All answers under way may hold so much together: who wants more then has to do with what it has.
void LogWriter::bound(LogExchange& exchange) {
  const std::size_t held = exchange.recorder->held_bytes();
  const bool grows = held > exchange.held;
  held_ += held - exchange.held;
  exchange.held = held;
  if (!grows || held_ <= options_.queue_bytes || std::exchange(exchange.full, true)) return;
  exchange.recorder->cut();
  losses_.add(Lost::answer, 1, kTooMuchHeld);
}

void LogWriter::end(LogExchange& exchange) {
  const protocol::RequestNote& asked = exchange.start.note;
  protocol::AnswerNote& note = exchange.end.note;
  if (note.uid.empty()) note.uid = asked.uid;
  if (note.datetime.empty()) note.datetime = local_datetime(exchange.end.at);
  if (note.route.empty()) note.route = asked.route;
  if (note.key.empty()) note.key = asked.key;
  if (note.request_bytes == 0) note.request_bytes = asked.body_bytes;
  note.bytes_lost = note.bytes_lost || exchange.cut;
  NewLine line(lines_of(exchange));
  recorder_of(exchange).append_record(line.lines(), note);
  add_record(exchange.start, line);
}

protocol::AnswerRecorder& LogWriter::recorder_of(LogExchange& exchange) const {
  if (!exchange.recorder) {
    exchange.recorder.emplace(exchange.start.api,
                              protocol::AnswerRecorder::Options{exchange.start.streams_by_default,
                                                                options_.max_answer_bytes});
  }
  return *exchange.recorder;
}

LineBuffer& LogWriter::lines_of(LogExchange& exchange) {
  if (exchange.lines == nullptr) {
    exchange.lines = exchange.start.writes ? &log_of(exchange.start).pending : &shown_;
  }
  return *exchange.lines;
}

void LogWriter::add_record(const ConversationStart& start, NewLine& line) {
  const std::optional<std::string> redacted = redactor_.redacted(line.text(), start.secrets);
  if (redacted) line.replace(*redacted);
  if (start.prints && options_.on_record) options_.on_record(line.text(), start.api);
  if (start.writes) unwritten_ += line.keep();
}

LogWriter::Log& LogWriter::log_of(const ConversationStart& start) {
  const std::string_view kind = protocol::log_kind(start.api);
  for (Log& log : logs_) {
    if (log.prefix == start.prefix && log.kind == kind) return log;
  }
  LogFileOptions options;
  options.rotate_bytes = options_.rotate_bytes;
  options.tidy = [this](const std::filesystem::path& path) { rotated_.tidy(path); };
  std::filesystem::path path = options_.folder / start.prefix / kind / (std::string(kind) + ".log");
  return logs_.emplace_back(start.prefix, kind, std::move(path), std::move(options));
}

// Writes the lines that were made of jobs of so many bytes, and makes room for others.
void LogWriter::settle(std::size_t bytes) {
  const Clock::time_point now = Clock::now();
  std::size_t held = 0;
  bool fine = true;
  for (Log& log : logs_) {
    if (!log.pending.empty() && now >= log.retry_at) write(log, now);
    held += log.pending.size();
    fine = fine && !log.failing;
  }
  unwritten_ = 0;
  shown_.release(kMostKept);
  queue_.release(bytes, held);
  if (fine) losses_.fine();
}

void LogWriter::write(Log& log, Clock::time_point now) {
  const std::size_t written = log.file.append(log.pending.view(), now);
  log.failing = written < log.pending.size();
  log.pending.drop(written);
  if (log.failing && options_.waits) {
    log.retry_at = now + kRetryAfter;
    losses_.add(Lost::nothing, 0, log.file.trouble());
    return;
  }
  if (log.failing) {
    const auto lines = std::ranges::count(log.pending.view(), '\n');
    losses_.add(Lost::record, static_cast<std::uint64_t>(lines), log.file.trouble());
    log.pending.cut(0);
  }
  log.pending.release(kMostKept);
}

// Whether all that is left could be written, and what came before it.
bool LogWriter::write_last() {
  const Clock::time_point now = Clock::now();
  bool fine = true;
  for (Log& log : logs_) {
    if (log.pending.empty()) {
      fine = fine && !log.failing;
      continue;
    }
    log.file.reopen(now);
    const std::size_t written = log.file.append(log.pending.view(), now);
    const auto lines = std::ranges::count(log.pending.view().substr(written), '\n');
    if (lines == 0) continue;
    fine = false;
    losses_.add(Lost::record, static_cast<std::uint64_t>(lines), log.file.trouble());
  }
  return fine;
}

}  // namespace aifd::services
