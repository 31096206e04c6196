#include "threaded_store.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <map>
#include <thread>

#include "cache_samples.hpp"
#include "support/run_task.hpp"
#include "temporary_folder.hpp"

namespace aifd::services {
namespace {

// What the test sees of the records, and how it holds them up.
struct Shelf {
  std::mutex mutex;
  std::condition_variable changed;
  std::map<CacheKey, std::string> records;
  bool held = false;
  int reads = 0;  // begun
  bool broken = false;
  bool stuck = false;  // while it is being opened

  void hold(bool value) {
    const std::scoped_lock lock(mutex);
    held = value;
    changed.notify_all();
  }
  void wait_for_reads(int count) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return reads >= count; });
  }
};

class ShelfRecords final : public CacheRecords {
 public:
  explicit ShelfRecords(Shelf& shelf) : shelf_(shelf) {}
  std::string name() const override { return "a shelf"; }
  RecordProblem open() override {
    std::unique_lock lock(shelf_.mutex);
    shelf_.changed.wait(lock, [this] { return !shelf_.stuck; });
    if (shelf_.broken) return RecordTrouble{RecordTrouble::Kind::unusable, "it is broken"};
    return std::nullopt;
  }
  void close() noexcept override {}
  RecordProblem recover(std::string&) override { return std::nullopt; }
  RecordProblem read(const CacheKey& key, std::optional<std::string>& bytes) override {
    std::unique_lock lock(shelf_.mutex);
    ++shelf_.reads;
    shelf_.changed.notify_all();
    shelf_.changed.wait(lock, [this] { return !shelf_.held; });
    const auto found = shelf_.records.find(key);
    if (found != shelf_.records.end()) bytes = found->second;
    return std::nullopt;
  }
  RecordProblem write(std::span<const CacheRecord> records) override {
    const std::scoped_lock lock(shelf_.mutex);
    for (const CacheRecord& record : records) shelf_.records[record.key] = record.bytes;
    return std::nullopt;
  }
  RecordProblem erase(const CacheKey& key) override {
    const std::scoped_lock lock(shelf_.mutex);
    shelf_.records.erase(key);
    return std::nullopt;
  }
  RecordProblem clear() override {
    const std::scoped_lock lock(shelf_.mutex);
    shelf_.records.clear();
    return std::nullopt;
  }
  RecordProblem sweep(std::int64_t, std::size_t) override { return std::nullopt; }
  RecordProblem sync() override { return std::nullopt; }
  Stat stat() const override { return {}; }

 private:
  Shelf& shelf_;
};

DiskStoreOptions patient() {
  DiskStoreOptions options;
  options.budget = std::chrono::hours(1);
  return options;
}

std::unique_ptr<ThreadedStore> make_store(Shelf& shelf, DiskStoreOptions options = patient()) {
  return std::make_unique<ThreadedStore>(std::make_unique<ShelfRecords>(shelf), std::move(options));
}

CacheEntryPtr ask(CacheStore& store, unsigned number) {
  asio::io_context loop;
  const CacheKey key = cache_key(number);
  test::Running<CacheEntryPtr> running(loop, store.get(key));
  loop.run();
  return running.take();
}

TEST(ThreadedStore, FindsWhatWasPutBefore) {
  Shelf shelf;
  const auto store = make_store(shelf);
  EXPECT_EQ(ask(*store, 1), nullptr);
  store->put(cache_key(1), cache_answer("one"));
  const CacheEntryPtr entry = ask(*store, 1);
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->body, "one");
  store->clear();
  EXPECT_EQ(ask(*store, 1), nullptr);
  const CacheStat stat = store->stat();
  EXPECT_EQ(stat.hits, 1U);
  EXPECT_EQ(stat.misses, 2U);
  EXPECT_EQ(stat.stored, 1U);
  EXPECT_EQ(stat.away, 0U);
}

TEST(ThreadedStore, ForgetsWhatHasExpired) {
  Shelf shelf;
  std::atomic<std::int64_t> now{10};
  DiskStoreOptions options = patient();
  options.wall_clock = [&now] { return now.load(); };
  const auto store = make_store(shelf, options);
  store->put(cache_key(1), cache_answer("one", 20));
  EXPECT_TRUE(ask(*store, 1));
  now = 20;
  EXPECT_FALSE(ask(*store, 1));
  EXPECT_TRUE(shelf.records.empty());
}

TEST(ThreadedStore, WritesWhatIsQueuedAsItEnds) {
  Shelf shelf;
  auto store = make_store(shelf);
  for (unsigned i = 0; i < 1000; ++i) store->put(cache_key(i), cache_answer("x"));
  store.reset();
  EXPECT_EQ(shelf.records.size(), 1000U);
}

TEST(ThreadedStore, DropsWhatIsTooMuch) {
  Shelf shelf;
  shelf.hold(true);
  DiskStoreOptions options = patient();
  options.max_queued_bytes = 10'000;
  options.max_entry_bytes = 5'000;
  const auto store = make_store(shelf, options);
  asio::io_context loop;
  const CacheKey key = cache_key(1);
  test::Running<CacheEntryPtr> running(loop, store->get(key));
  loop.poll();
  shelf.wait_for_reads(1);  // the thread is stuck now
  store->put(cache_key(1), cache_answer(std::string(6'000, 'x')));
  EXPECT_EQ(store->stat().dropped, 1U);
  for (unsigned i = 0; i < 5; ++i) store->put(cache_key(i), cache_answer(std::string(4'000, 'x')));
  EXPECT_EQ(store->stat().dropped, 4U);
  shelf.hold(false);
  loop.run();
  EXPECT_FALSE(running.take());
  EXPECT_TRUE(ask(*store, 1));
  EXPECT_FALSE(ask(*store, 2));
}

TEST(ThreadedStore, DoesNotLetACallerWaitForLong) {
  Shelf shelf;
  shelf.hold(true);
  DiskStoreOptions options = patient();
  options.budget = std::chrono::milliseconds(1);
  const auto store = make_store(shelf, options);
  EXPECT_FALSE(ask(*store, 1));
  EXPECT_FALSE(ask(*store, 2));
  EXPECT_EQ(store->stat().away, 2U);
  shelf.hold(false);
}

TEST(ThreadedStore, IsAPromptMissWhileItsRecordsAreAway) {
  Shelf shelf;
  shelf.broken = true;
  const auto store = make_store(shelf);
  EXPECT_FALSE(ask(*store, 1));  // also waits for the first try to open them
  store->clear();
  while (!store->try_get(cache_key(1))) std::this_thread::yield();
  EXPECT_EQ(*store->try_get(cache_key(1)), nullptr);
  EXPECT_FALSE(ask(*store, 1));
  store->put(cache_key(1), cache_answer("x"));
  EXPECT_EQ(store->stat().dropped, 1U);
}

TEST(ThreadedStore, SaysWhyItsRecordsAreAway) {
  Shelf shelf;
  DiskStoreOptions options = patient();
  std::vector<std::string> told;
  options.warn = [&told](const std::string& line) { told.push_back(line); };
  shelf.broken = true;
  {
    const auto store = make_store(shelf, options);
    EXPECT_FALSE(get_and_wait(*store, cache_key(1)));
    EXPECT_EQ(store->stat().trouble, "it is broken");
  }
  EXPECT_EQ(told.size(), 1U);
  shelf.broken = false;
  const auto store = make_store(shelf, options);
  EXPECT_FALSE(get_and_wait(*store, cache_key(1)));
  EXPECT_EQ(store->stat().trouble, "");
}

TEST(ThreadedStore, IsAPromptMissWhileItOpensForLong) {
  Shelf shelf;
  shelf.stuck = true;
  DiskStoreOptions options = patient();
  options.budget = std::chrono::milliseconds(0);
  const auto store = make_store(shelf, options);
  EXPECT_EQ(store->try_get(cache_key(1)), std::optional<CacheEntryPtr>(nullptr));
  EXPECT_FALSE(ask(*store, 1));
  store->put(cache_key(1), cache_answer("x"));
  {
    const std::scoped_lock lock(shelf.mutex);
    shelf.stuck = false;
    shelf.changed.notify_all();
  }
  while (store->stat().stored == 0) std::this_thread::yield();
}

TEST(ThreadedStore, OutlivesALoopThatWaitsForIt) {
  Shelf shelf;
  shelf.hold(true);
  const auto store = make_store(shelf);
  const CacheKey key = cache_key(1);
  {
    asio::io_context loop;
    test::Running<CacheEntryPtr> running(loop, store->get(key));
    loop.poll();
    shelf.wait_for_reads(1);
  }
  shelf.hold(false);
  EXPECT_FALSE(ask(*store, 1));
}

TEST(ThreadedStore, EndsWhileALoopWaitsForIt) {
  Shelf shelf;
  auto store = make_store(shelf);
  asio::io_context loop;
  const CacheKey key = cache_key(1);
  test::Running<CacheEntryPtr> running(loop, store->get(key));
  loop.poll();
  store.reset();
  loop.run();
  EXPECT_FALSE(running.take());
}

TEST(ThreadedStore, MayAnswerLoopsThatAreJustEnding) {
  Shelf shelf;
  const auto store = make_store(shelf);
  store->put(cache_key(1), cache_answer("one"));
  const auto work = [&store] {
    const CacheKey key = cache_key(1);
    for (int i = 0; i < 300; ++i) {
      asio::io_context loop;
      std::vector<std::unique_ptr<test::Running<CacheEntryPtr>>> running;
      for (int n = 0; n < 5; ++n) {
        running.push_back(std::make_unique<test::Running<CacheEntryPtr>>(loop, store->get(key)));
      }
      for (int n = 0; n < i % 4; ++n) loop.poll();
    }
  };
  std::thread other(work);
  work();
  other.join();
  EXPECT_TRUE(ask(*store, 1));
}

TEST(DiskStores, CountWhatIsLeftOnceClearIsDone) {
  const TemporaryFolder folder;
  DiskStoreOptions options = patient();
  options.root = folder.path() / "cache";
  for (const auto make : {make_lmdb_store, make_leveldb_store}) {
    const auto store = make(options);
    store->put(cache_key(1), cache_answer("one"));
    EXPECT_TRUE(get_and_wait(*store, cache_key(1)));
    store->clear();
    EXPECT_FALSE(get_and_wait(*store, cache_key(1)));
    EXPECT_EQ(store->stat().entries.value_or(0), 0U);
  }
}

TEST(DiskStores, KeepAnswersOverARestart) {
  const TemporaryFolder folder;
  DiskStoreOptions options = patient();
  options.root = folder.path() / "cache";
  for (const auto make : {make_lmdb_store, make_leveldb_store}) {
    auto store = make(options);
    auto entry = std::make_shared<CacheEntry>(cache_sample());
    entry->expires_at = 0;
    store->put(cache_key(1), entry);
    const CacheEntryPtr found = ask(*store, 1);
    ASSERT_TRUE(found);
    EXPECT_EQ(*found, *entry);
    store.reset();
    store = make(options);
    const CacheEntryPtr again = ask(*store, 1);
    ASSERT_TRUE(again);
    EXPECT_EQ(*again, *entry);
  }
}

}  // namespace
}  // namespace aifd::services
