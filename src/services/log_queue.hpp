// What waits for the conversation log's writer.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "aifd/base/clock.hpp"
#include "aifd/services/conversation_log.hpp"
#include "log_names.hpp"
#include "sleeper.hpp"

namespace aifd::services {

struct AnswerHead {
  int status = 0;
  std::string content_type;
  std::string content_encoding;
};

struct AnswerEnd {
  protocol::AnswerNote note;
  WallClock::time_point at;
};

// One exchange as the writer sees it. The writer alone touches what was handed over: the beginning
// with the exchange, its head and its end with the part that says to have it.
struct LogExchange {
  ConversationStart start;
  WallClock::time_point began;
  AnswerHead head;
  AnswerEnd end;
  LineBuffer* lines = nullptr;  // where its records go; of the writer
  std::optional<protocol::AnswerRecorder> recorder;
  std::size_t held = 0;  // by the recorder, when it was last looked at
  bool full = false;     // it may keep no more
  bool cut = false;      // something of the answer is missing
};

// The next of an exchange's answer.
struct AnswerPart {
  std::string bytes;
  bool has_head = false;
  bool ends = false;
  bool cut = false;  // something before the end is missing
};

struct LogJob {
  std::shared_ptr<LogExchange> exchange;
  std::optional<AnswerPart> part;  // nullopt: it begins

  std::size_t bytes() const noexcept;
};

// Thread-safe. Nobody but the writer waits, but for wait_for_room().
class LogQueue {
 public:
  LogQueue(std::size_t most_bytes, bool waits);

  enum class Push {
    done,
    full,  // the job is as it was; where others wait, only an answer's part, at twice the bound
    closed,
  };
  Push push(LogJob& job);
  // Also where there is no room.
  Push push_always(LogJob& job);

  // Always true where nobody is to wait, and at the end.
  bool has_room() const;
  Task<Result<void>> wait_for_room(chain::Stopper& stopper);

  // For the writer: waits until there is something, or it is `until`, and then a while for more,
  // so that much is written at once.
  struct Taken {
    std::deque<LogJob> jobs;
    bool reopen = false;
    bool closed = false;  // nothing comes after these jobs
  };
  Taken take(Clock::time_point until);
  // Of what was taken, `bytes` are done with; of all that was, `held` could not be written yet.
  void release(std::size_t bytes, std::size_t held);

  void reopen() noexcept;
  void drain() noexcept;  // whoever finds no room from now on does not wait for it
  void close() noexcept;

 private:
  Push push(LogJob& job, bool always);
  bool full() const noexcept { return bytes_ + held_ >= most_bytes_; }
  bool takes(const LogJob& job) const noexcept;
  enum class Door {
    open,
    shut,     // for good
    crowded,  // the bell rings when it is time to come again
  };
  Door enter(const std::shared_ptr<Bell>& bell);
  void leave(const std::shared_ptr<Bell>& bell);

  const std::size_t most_bytes_;
  const std::size_t enough_;  // the writer does not wait for more
  const bool waits_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<LogJob> jobs_;
  std::size_t fresh_ = 0;  // bytes of jobs_
  std::size_t bytes_ = 0;  // of jobs that are not done with
  std::size_t held_ = 0;
  bool reopen_ = false;
  bool draining_ = false;
  bool closed_ = false;
  std::vector<std::shared_ptr<Bell>> waiting_;  // in the order in which they came
};

}  // namespace aifd::services
