// A cache store whose records are read and written on a thread of its own.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <variant>
#include <vector>

#include "aifd/services/disk_store.hpp"
#include "cache_records.hpp"
#include "loop_gate.hpp"
#include "record_keeper.hpp"

namespace aifd::services {

// Jobs are done in the order in which they came, so that a get finds what was put before. While
// the records are away nobody waits for them.
class ThreadedStore final : public CacheStore {
 public:
  ThreadedStore(std::unique_ptr<CacheRecords> records, DiskStoreOptions options);
  ~ThreadedStore() override;

  std::optional<CacheEntryPtr> try_get(const CacheKey& key) override;  // a miss while away
  Task<CacheEntryPtr> get(const CacheKey& key) override;
  void put(const CacheKey& key, CacheEntryPtr entry) override;
  void clear() override;
  CacheStat stat() const override;

 private:
  struct Waiter;
  struct Counters {  // outlive the store where a coroutine waits
    std::atomic<std::uint64_t> hits{0}, misses{0}, away{0}, stored{0}, dropped{0};
  };
  struct Get {
    CacheKey key;
    std::shared_ptr<LoopGate> gate;
    std::shared_ptr<Waiter> waiter;
  };
  struct Put {
    CacheKey key;
    CacheEntryPtr entry;
    std::size_t bytes;
  };
  struct Clear {};
  using Job = std::variant<Get, Put, Clear>;

  bool away() const;
  bool ask(const CacheKey& key, std::shared_ptr<LoopGate> gate, std::shared_ptr<Waiter> waiter);
  void run();
  void work(std::deque<Job> jobs);
  void answer(const Get& get);
  void gather(Put put, std::vector<CacheRecord>& records, std::size_t& bytes);
  void write(std::vector<CacheRecord>& records, std::size_t& bytes);
  void publish();
  bool out_of_time() const;

  const DiskStoreOptions options_;
  const std::size_t batch_bytes_;  // written at once
  const std::shared_ptr<Counters> counters_ = std::make_shared<Counters>();
  const Clock::time_point opened_by_;  // until then callers wait for the first open too
  std::atomic<bool> opening_{true};
  std::atomic<bool> away_{false};

  mutable std::mutex mutex_;  // of the next seven
  std::condition_variable wake_;
  std::deque<Job> queue_;
  std::size_t queued_bytes_ = 0;  // of puts, until they are written
  std::size_t queued_gets_ = 0;
  bool stopping_ = false;
  Clock::time_point stop_by_ = Clock::time_point::max();
  CacheRecords::Stat records_stat_;
  std::string trouble_;

  RecordKeeper keeper_;  // the thread's
  std::thread thread_;
};

}  // namespace aifd::services
