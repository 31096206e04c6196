#include "aifd/app/cache_store.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

namespace aifd::app {
namespace {

namespace fs = std::filesystem;

services::CacheEntryPtr answer(std::size_t bytes) {
  auto entry = std::make_shared<services::CacheEntry>();
  entry->body = std::string(bytes, 'x');
  return entry;
}

class CacheStores : public testing::Test {
 protected:
  CacheStores() {
    std::string name = (fs::temp_directory_path() / "aifd-stores-XXXXXX").string();
    folder_ = mkdtemp(name.data());
    settings_.cache.root_path_or_url = folder_.string();
  }
  ~CacheStores() override { fs::remove_all(folder_); }

  fs::path folder_;
  config::Settings settings_;
};

TEST_F(CacheStores, AreBoundedAsTheSettingsSay) {
  settings_.cache.max_bytes = 1 << 20;
  settings_.cache.max_entry_bytes = 1 << 19;
  const auto store = make_cache_store(settings_);
  store->put({1}, answer((1 << 19) + 1));
  EXPECT_EQ(store->stat().dropped, 1U);
  for (unsigned char i = 0; i < 8; ++i) store->put({i}, answer(400'000));
  EXPECT_EQ(store->stat().entries, 2U);
  EXPECT_LE(store->stat().bytes, 1U << 20);
}

TEST_F(CacheStores, OnDiskAreInFoldersOfTheirOwn) {
  for (const auto backend : {config::CacheBackend::lmdb, config::CacheBackend::leveldb}) {
    settings_.cache.backend = backend;
    EXPECT_FALSE(fs::exists(cache_folder(settings_.cache)));
    {
      const auto store = make_cache_store(settings_);
      store->put({1}, answer(10));
      EXPECT_TRUE(services::get_and_wait(*store, {1}));
    }
    EXPECT_TRUE(fs::is_directory(cache_folder(settings_.cache)));
    const auto store = make_patient_cache_store(settings_, {});
    EXPECT_TRUE(services::get_and_wait(*store, {1}));
  }
}

TEST_F(CacheStores, ACommandIsToldWhatIsWrong) {
  settings_.cache.backend = config::CacheBackend::lmdb;
  settings_.cache.root_path_or_url = "/dev/null";
  std::string told;
  {
    const auto store =
        make_patient_cache_store(settings_, [&told](const std::string& line) { told += line; });
    EXPECT_FALSE(services::get_and_wait(*store, {}));
    EXPECT_NE(store->stat().trouble, "");
  }
  EXPECT_NE(told.find("/dev/null"), std::string::npos);
}

TEST_F(CacheStores, InMemoryAreOfNoUseToACommand) {
  EXPECT_FALSE(make_patient_cache_store(settings_, {}));
}

TEST(CacheFacts, SayWhereItIsAndHowMuchItMayTake) {
  config::Cache cache;
  EXPECT_EQ(cache_facts(cache).place, "MEMORY");
  EXPECT_EQ(cache_facts(cache).max_bytes, 256U << 20);
  cache.backend = config::CacheBackend::leveldb;
  cache.root_path_or_url = "/var/x";
  EXPECT_EQ(cache_facts(cache).place, "LevelDB in /var/x");
  cache.backend = config::CacheBackend::lmdb;
  EXPECT_EQ(cache_facts(cache).place, "LMDB in /var/x");
  EXPECT_EQ(cache_facts(cache).max_bytes, 16ULL << 30);
  cache.backend = config::CacheBackend::redis;
  cache.root_path_or_url = "redis://u:secret@h:1/2";
  EXPECT_EQ(cache_facts(cache).place, "Redis at redis://u:***@h:1/2");
  EXPECT_EQ(cache_facts(cache).max_bytes, 0U);
}

}  // namespace
}  // namespace aifd::app
