// The conversation log: what was asked and answered, on disk, written by a thread of its own.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "aifd/base/error.hpp"
#include "aifd/base/secret.hpp"
#include "aifd/base/shared_text.hpp"
#include "aifd/chain/stopper.hpp"
#include "aifd/chain/task.hpp"
#include "aifd/protocol/conversation.hpp"

namespace aifd::services {

struct ConversationLogOptions {
  std::filesystem::path folder = "Log";
  // What may wait to be written. A queue that is not full takes one thing of any size. As much
  // again may be held of answers under way; past that, whichever of them grows is cut.
  std::size_t queue_bytes = std::size_t{64} << 20;
  // LOG_OVERFLOW=wait: who begins asks for room before, and no record is dropped; but answers under
  // way are cut where twice as much is waiting.
  bool waits = false;
  std::uint64_t rotate_bytes = 50'000'000;               // 0: never
  std::size_t keep = 0;                                  // rotated files of each log; 0: all
  bool compress = false;                                 // those, with zstd
  std::vector<std::string> redact;                       // RE2 patterns, known to be valid
  std::size_t max_answer_bytes = std::size_t{32} << 20;  // see AnswerRecorder::Options
  // Given each record of the exchanges that are to be printed, redacted and without its line feed,
  // in order, on the log's thread, which must not be held up.
  std::function<void(std::string_view record, protocol::ConversationApi api)> on_record;
};

struct ConversationStart {
  protocol::ConversationApi api = protocol::ConversationApi::general;
  std::string prefix;              // of the route, as a folder's name: "openai"
  protocol::RequestNote note;      // an empty datetime: now; body_bytes is that of `body` if 0
  SharedText body;                 // as append_request_record() takes it
  bool streams_by_default = true;  // see AnswerRecorder::Options
  std::vector<Secret> secrets;     // *** in both records
  bool writes = true;              // to the disk
  bool prints = false;             // to on_record
};

class Conversation;
class LogLosses;
class LogQueue;
class LogWriter;
struct LogExchange;

// <folder>/<prefix>/<kind>/<kind>.log. Thread-safe; outlives its conversations. Whoever calls
// copies bytes and holds a lock for a moment; the log's thread does all else: puts records
// together, redacts and writes them, within 100 ms of the end of an exchange on a disk that is not
// busy. Records of one file stand in the order in which they were handed over.
//
// Where the disk does not keep up, or takes nothing (full, unwritable, stuck), LOG_OVERFLOW
// decides: what finds no room, or cannot be written, is dropped and counted; or it is kept until it
// can be written, and who begins an exchange waits for room. The daemon's log says when that
// begins and ends.
class ConversationLog {
 public:
  explicit ConversationLog(ConversationLogOptions options);
  ~ConversationLog();  // waits for the thread, however long: see stop()
  ConversationLog(const ConversationLog&) = delete;
  ConversationLog& operator=(const ConversationLog&) = delete;

  // Under LOG_OVERFLOW=drop always true, and nobody waits.
  bool has_room() const noexcept;
  // Ends with an error for the stopper's reason, or `draining`.
  Task<Result<void>> wait_for_room(chain::Stopper& stopper);

  // Exchanges without records, and single records, that were lost.
  std::uint64_t lost() const noexcept;

  // Opens all files anew (SIGUSR1).
  void reopen() noexcept;

  // From now on nobody waits for room: who finds none is refused.
  void drain() noexcept;

  // Writes what is queued, and takes nothing more. False: the disk hangs, a thread still runs,
  // and the process can only end by _exit(). May be called again.
  bool stop(std::chrono::milliseconds patience);

 private:
  friend Conversation;

  const std::unique_ptr<LogLosses> losses_;
  const std::unique_ptr<LogQueue> queue_;
  const std::unique_ptr<LogWriter> writer_;
};

// One exchange. Used on its worker's thread; begun and destroyed without end(), it has a record all
// the same (ended_by aifd).
class Conversation {
 public:
  explicit Conversation(ConversationLog& log);  // which outlives it
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;
  ~Conversation();

  // To be filled in before begin().
  ConversationStart& start() noexcept;
  // False where there is no room (never with `waits`): the exchange is counted as lost, there is
  // neither of its records, and nothing else may be called.
  bool begin();
  // Before the first piece, where there was a head.
  void head(int status, std::string_view content_type, std::string_view content_encoding);
  // Of the answer's body. The first that finds no room is lost, with all that come after it, and
  // the record says so.
  void piece(std::string_view bytes) noexcept;
  // Once, last. The note's views are of static texts; its uid, route, key and request_bytes are
  // those of the request's note and body where they are empty, its datetime is now.
  void end(protocol::AnswerNote note) noexcept;

 private:
  void hand_over(bool ends);

  LogQueue& queue_;
  LogLosses& losses_;
  const std::shared_ptr<LogExchange> exchange_;
  std::string gathered_;
  bool begun_ = false;
  bool cut_ = false;  // a piece was lost
  bool had_head_ = false;
  bool head_waits_ = false;  // to be handed over
  bool ended_ = false;
};

}  // namespace aifd::services
