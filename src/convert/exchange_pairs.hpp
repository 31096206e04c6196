// Brings the two records of each exchange together again, in bounded memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aifd/protocol/chat_record.hpp"
#include "record_store.hpp"

namespace aifd::convert {

struct LogPlace {
  std::size_t file = 0;  // its index
  std::uint64_t line = 0;
};

struct LoneRecord {
  std::string uid;
  LogPlace place;
};

// What remained without a partner.
struct LoneRecords {
  static constexpr std::size_t kMostNamed = 10;

  std::uint64_t count = 0;
  std::vector<LoneRecord> first;
};

// Used by one thread. Records with the same uid are paired first come, first served; an answer may
// come before its request.
//
// Exchanges are written in the order of their requests, as long as an answer comes within a window:
// what has come since the request is held in memory up to `window_bytes`. A request that waits for
// longer moves to the store, and its exchange is written out of order when its answer comes. At
// most `most_stored` requests, and as many answers that have come before their requests, wait
// there, in as many bytes as the store has; then the oldest is given up. So memory is bounded by
// the window and about 300 bytes for each record that may be stored, whatever the log holds, and
// the order of time holds in any log whose answers come within the window.
class ExchangePairs {
 public:
  struct Bounds {
    std::size_t window_bytes = std::size_t{16} << 20;
    std::size_t most_stored = 32'768;
  };
  // What is to be written of an exchange; empty: nothing.
  using Join = std::function<std::string(const protocol::ChatRecord&, const protocol::ChatRecord&)>;
  using Write = std::function<void(std::string_view)>;

  // The store outlives the pairs; whether it failed, its owner asks.
  ExchangePairs(Bounds bounds, RecordStore& store, Join join, Write write);

  void add(protocol::ChatRecord record, LogPlace place);
  void finish();  // called once, last

  std::uint64_t out_of_order() const noexcept { return out_of_order_; }
  const LoneRecords& lone_requests() const noexcept { return lone_requests_; }
  const LoneRecords& lone_answers() const noexcept { return lone_answers_; }

 private:
  struct Slot {
    LoneRecord who;
    std::string text;  // of the request, or once it is done what is to be written
    bool is_done = false;
  };
  struct Stored {
    LoneRecord who;
    RecordStore::Place text;
  };
  // Records that wait, by their numbers: of one kind, in the order in which they came.
  struct Waiting {
    std::uint64_t count = 0;                               // of all that have come
    std::set<std::pair<std::string, std::uint64_t>> uids;  // of those that wait, anywhere
    std::map<std::uint64_t, Stored> stored;

    std::optional<std::uint64_t> take_oldest(const std::string& uid);
  };

  void add_request(protocol::ChatRecord request, LogPlace place);
  void add_answer(const protocol::ChatRecord& answer, LogPlace place);
  void finish_late(std::uint64_t number, const protocol::ChatRecord& answer, LogPlace place);
  std::string join_early(std::uint64_t number, const protocol::ChatRecord& request, LogPlace place);
  void store(Waiting& waiting, std::uint64_t number, LoneRecord who, std::string_view text);
  void shrink_window();
  void write(std::string_view text);
  LoneRecords& lone_of(const Waiting& waiting);

  Bounds bounds_;
  RecordStore& store_;
  Join join_;
  Write write_;
  std::deque<Slot> window_;  // of the requests up to requests_.count
  std::size_t window_bytes_ = 0;
  Waiting requests_;
  Waiting answers_;
  std::uint64_t out_of_order_ = 0;
  LoneRecords lone_requests_;
  LoneRecords lone_answers_;
};

}  // namespace aifd::convert
