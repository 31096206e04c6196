#include "threaded_store.hpp"

#include <algorithm>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "aifd/base/this_thread.hpp"
#include "aifd/services/cache_entry_codec.hpp"

namespace aifd::services {
namespace {

using Timer = asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, LoopExecutor>;

constexpr std::size_t kMostQueuedGets = 4096;
constexpr std::size_t kMostQueuedJobs = 65536;
constexpr std::size_t kBatchBytes = std::size_t{8} << 20;  // written at once, at most
constexpr std::size_t kBatchRecords = 256;
constexpr std::chrono::seconds kChoresEvery{30};
constexpr std::chrono::seconds kStopWithin{1};

}  // namespace

// A coroutine that waits on its loop: touched there only, but for `left`.
struct ThreadedStore::Waiter {
  explicit Waiter(Timer& deadline) : timer(&deadline) {}

  Timer* timer;  // of the coroutine's frame; null once that is gone
  CacheEntryPtr entry;
  bool answered = false;
  std::atomic<bool> left{false};

  struct Guard {
    explicit Guard(Waiter& held) : waiter(held) {}
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;
    ~Guard() {
      waiter.timer = nullptr;
      waiter.left = true;
    }
    Waiter& waiter;
  };
};

ThreadedStore::ThreadedStore(std::unique_ptr<CacheRecords> records, DiskStoreOptions options)
    : options_(std::move(options)),
      batch_bytes_(std::min<std::uint64_t>(kBatchBytes, options_.max_bytes / 8)),
      opened_by_(Clock::now() + options_.budget),
      keeper_(std::move(records), {.wall_clock = options_.wall_clock, .warn = options_.warn}),
      thread_([this] { run(); }) {}

ThreadedStore::~ThreadedStore() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    stop_by_ = Clock::now() + kStopWithin;
  }
  wake_.notify_one();
  thread_.join();
}

std::optional<CacheEntryPtr> ThreadedStore::try_get(const CacheKey&) {
  if (!away()) return std::nullopt;
  return nullptr;
}

// A large store, or one on a slow disk, takes a while to open.
bool ThreadedStore::away() const {
  return away_ || (opening_ && Clock::now() >= opened_by_);
}

Task<CacheEntryPtr> ThreadedStore::get(const CacheKey& key) {
  const LoopExecutor loop = co_await asio::this_coro::executor;
  const std::shared_ptr<Counters> counters = counters_;
  Timer timer(loop, options_.budget);
  const auto waiter = std::make_shared<Waiter>(timer);
  const Waiter::Guard guard(*waiter);
  if (ask(key, loop_gate(asio::query(loop, asio::execution::context)), waiter)) {
    boost::system::error_code ec;  // cancelled by the answer, or else too late
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable_t<LoopExecutor>(), ec));
  }
  if (!waiter->answered) ++counters->away;
  ++(waiter->entry ? counters->hits : counters->misses);
  co_return std::move(waiter->entry);
}

bool ThreadedStore::ask(const CacheKey& key, std::shared_ptr<LoopGate> gate,
                        std::shared_ptr<Waiter> waiter) {
  if (away()) return false;
  {
    const std::scoped_lock lock(mutex_);
    if (queued_gets_ >= kMostQueuedGets) return false;
    ++queued_gets_;
    queue_.push_back(Get{key, std::move(gate), std::move(waiter)});
  }
  wake_.notify_one();
  return true;
}

void ThreadedStore::put(const CacheKey& key, CacheEntryPtr entry) {
  const std::size_t bytes = memory_bytes(*entry);
  bool queued = false;
  if (!away_ && bytes <= options_.max_entry_bytes) {
    const std::scoped_lock lock(mutex_);
    queued = bytes <= options_.max_queued_bytes &&
             queued_bytes_ <= options_.max_queued_bytes - bytes && queue_.size() < kMostQueuedJobs;
    if (queued) {
      queued_bytes_ += bytes;
      queue_.push_back(Put{key, std::move(entry), bytes});
    }
  }
  if (!queued) {
    ++counters_->dropped;
    return;
  }
  wake_.notify_one();
}

void ThreadedStore::clear() {
  {
    const std::scoped_lock lock(mutex_);
    queue_.push_back(Clear{});
  }
  wake_.notify_one();
}

CacheStat ThreadedStore::stat() const {
  CacheStat stat;
  stat.hits = counters_->hits;
  stat.misses = counters_->misses;
  stat.away = counters_->away;
  stat.stored = counters_->stored;
  stat.dropped = counters_->dropped;
  const std::scoped_lock lock(mutex_);
  stat.entries = records_stat_.entries;
  stat.bytes = records_stat_.bytes;
  stat.evicted = records_stat_.evicted;
  stat.trouble = trouble_;
  return stat;
}

void ThreadedStore::run() {
  name_this_thread("aifd-cache");
  keeper_.ready();
  publish();
  opening_ = false;
  Clock::time_point chores_at = Clock::now() + kChoresEvery;
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait_until(lock, chores_at, [this] { return stopping_ || !queue_.empty(); });
    if (stopping_ && queue_.empty()) return;
    std::deque<Job> jobs;
    jobs.swap(queue_);
    lock.unlock();
    work(std::move(jobs));
    if (Clock::now() >= chores_at) {
      keeper_.do_chores();
      chores_at = Clock::now() + kChoresEvery;
    }
    publish();
    lock.lock();
  }
}

void ThreadedStore::publish() {
  const bool ready = keeper_.ready();
  const CacheRecords::Stat stat = keeper_.stat();
  {
    const std::scoped_lock lock(mutex_);
    records_stat_ = stat;
    trouble_ = keeper_.trouble();
  }
  away_ = !ready;  // last, so that whom it sends away can see why
}

// Puts that follow one another are written together.
void ThreadedStore::work(std::deque<Job> jobs) {
  std::vector<CacheRecord> records;
  std::size_t bytes = 0;
  for (; !jobs.empty(); jobs.pop_front()) {
    if (Put* put = std::get_if<Put>(&jobs.front())) {
      gather(std::move(*put), records, bytes);
      continue;
    }
    write(records, bytes);
    if (const Get* get = std::get_if<Get>(&jobs.front())) {
      answer(*get);
    } else {
      keeper_.clear();
      publish();  // before what waits behind it is answered
    }
  }
  write(records, bytes);
}

void ThreadedStore::answer(const Get& get) {
  CacheEntryPtr entry;
  if (!get.waiter->left && !out_of_time()) entry = keeper_.find(get.key);
  get.gate->post([waiter = get.waiter, entry = std::move(entry)]() mutable {
    waiter->entry = std::move(entry);
    waiter->answered = true;
    if (waiter->timer) waiter->timer->cancel();
  });
  const std::scoped_lock lock(mutex_);
  --queued_gets_;
}

void ThreadedStore::gather(Put put, std::vector<CacheRecord>& records, std::size_t& bytes) {
  records.push_back({put.key, encode_cache_entry(put.key, *put.entry), put.entry->stored_at});
  bytes += put.bytes;
  if (records.size() >= kBatchRecords || bytes >= batch_bytes_) write(records, bytes);
}

void ThreadedStore::write(std::vector<CacheRecord>& records, std::size_t& bytes) {
  if (records.empty()) return;
  const bool stored = !out_of_time() && keeper_.store(records);
  (stored ? counters_->stored : counters_->dropped) += records.size();
  records.clear();
  const std::scoped_lock lock(mutex_);
  queued_bytes_ -= std::exchange(bytes, 0);
}

bool ThreadedStore::out_of_time() const {
  const std::scoped_lock lock(mutex_);
  return stopping_ && Clock::now() >= stop_by_;
}

}  // namespace aifd::services
