// The conversation log's thread: makes records of what was handed over, and writes them.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "aifd/base/line_buffer.hpp"
#include "aifd/services/redactor.hpp"
#include "log_file.hpp"
#include "log_losses.hpp"
#include "log_queue.hpp"
#include "rotated_logs.hpp"

namespace aifd::services {

// Ends once the queue is closed and what was in it is written.
class LogWriter {
 public:
  LogWriter(ConversationLogOptions options, LogQueue& queue, LogLosses& losses);
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;
  ~LogWriter() { thread_.join(); }

  bool ends_within(std::chrono::milliseconds patience);

 private:
  struct Log {
    Log(std::string its_prefix, std::string_view its_kind, std::filesystem::path path,
        LogFileOptions options)
        : prefix(std::move(its_prefix)),
          kind(its_kind),
          file(std::move(path), std::move(options)) {}

    const std::string prefix;
    const std::string_view kind;
    LogFile file;
    LineBuffer pending;
    bool failing = false;
    Clock::time_point retry_at = Clock::time_point::min();
  };

  void run();
  void reopen();
  Clock::time_point wake_at() const;
  void work(std::deque<LogJob> jobs);
  void do_job(LogJob& job) noexcept;
  void begin(LogExchange& exchange, WallClock::time_point at);
  void feed(LogExchange& exchange, AnswerPart& part);
  void bound(LogExchange& exchange);
  void end(LogExchange& exchange);
  protocol::AnswerRecorder& recorder_of(LogExchange& exchange) const;
  LineBuffer& lines_of(LogExchange& exchange);
  void add_record(const ConversationStart& start, NewLine& line);
  Log& log_of(const ConversationStart& start);

  void settle(std::size_t bytes);
  void write(Log& log, Clock::time_point now);
  bool write_last();

  const ConversationLogOptions options_;
  LogQueue& queue_;
  LogLosses& losses_;
  Redactor redactor_;
  RotatedLogs rotated_;
  std::deque<Log> logs_;       // a few; one for a prefix and a kind
  std::size_t held_ = 0;       // by the recorders of all exchanges
  std::size_t unwritten_ = 0;  // bytes added to pending lines since they were written
  LineBuffer shown_;           // for the record of an exchange that is not to be written

  std::mutex mutex_;  // of ended_
  std::condition_variable at_end_;
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace aifd::services
