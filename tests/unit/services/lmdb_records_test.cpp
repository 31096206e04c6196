#include "lmdb_records.hpp"

#include <gtest/gtest.h>

#include <sys/resource.h>
#include <sys/stat.h>
#include <csignal>
#include <map>
#include <random>

#include "lmdb_check.hpp"
#include "record_keeper.hpp"
#include "record_samples.hpp"
#include "temporary_folder.hpp"

namespace aifd::services {
namespace {

constexpr std::uint64_t kMaxBytes = std::uint64_t{64} << 20;

class LmdbFolder : public testing::Test {
 protected:
  std::unique_ptr<LmdbRecords> open(std::uint64_t max_bytes = kMaxBytes) {
    auto records = std::make_unique<LmdbRecords>(root(), max_bytes);
    const RecordProblem problem = records->open();
    EXPECT_FALSE(problem) << problem->what;
    return records;
  }
  void fill(unsigned count) {
    const auto records = open();
    for (unsigned i = 0; i < count; ++i) EXPECT_TRUE(put(*records, record_of(i, body_for(i))));
    for (unsigned i = 0; i < count; i += 3) EXPECT_FALSE(records->erase(cache_key(i)));
  }
  std::unique_ptr<RecordKeeper> keep() {
    RecordKeeper::Options options;
    options.clock = [this] { return now_; };
    options.warn = [this](const std::string& line) { lines_.push_back(line); };
    return std::make_unique<RecordKeeper>(std::make_unique<LmdbRecords>(root(), kMaxBytes),
                                          std::move(options));
  }
  // Whatever is in the file: never a wrong byte, and fit for use after.
  void expect_usable(unsigned count, const std::string& about) {
    const auto keeper = keep();
    for (unsigned i = 0; i < count; ++i) {
      const CacheEntryPtr entry = keeper->find(cache_key(i));
      ASSERT_TRUE(!entry || entry->body == body_for(i)) << about;
    }
    for (unsigned i = 0; i < 40; ++i) {
      const CacheRecord record = record_of(1000 + i, body_for(i));
      ASSERT_TRUE(keeper->store(std::span(&record, 1))) << about;
      ASSERT_TRUE(keeper->find(cache_key(1000 + i))) << about;
    }
    ASSERT_LE(lines_.size(), 1U) << about;
    lines_.clear();
  }

  std::filesystem::path root() const { return folder_.path() / "cache"; }
  std::filesystem::path file() const { return root() / "lmdb" / "data.mdb"; }

  TemporaryFolder folder_;
  Clock::time_point now_ = Clock::time_point() + std::chrono::hours(1);
  std::vector<std::string> lines_;
};

TEST_F(LmdbFolder, GivesBackWhatWasWrittenAlsoAfterARestart) {
  {
    const auto records = open();
    EXPECT_EQ(body_of(*records, 1), std::nullopt);
    EXPECT_TRUE(put(*records, record_of(1, "one")));
    EXPECT_TRUE(put(*records, record_of(2, std::string(3'000'000, 'x'))));
    EXPECT_EQ(body_of(*records, 1), "one");
    EXPECT_EQ(records->stat().entries, 2U);
  }
  const auto records = open();
  EXPECT_EQ(body_of(*records, 1), "one");
  EXPECT_EQ(body_of(*records, 2), std::string(3'000'000, 'x'));
}

TEST_F(LmdbFolder, ReplacesErasesAndClears) {
  const auto records = open();
  EXPECT_TRUE(put(*records, record_of(1, "one", 0, 5)));
  EXPECT_TRUE(put(*records, record_of(1, "uno", 0, 9)));
  EXPECT_TRUE(put(*records, record_of(2, "two")));
  EXPECT_EQ(body_of(*records, 1), "uno");
  EXPECT_EQ(records->stat().entries, 2U);
  EXPECT_FALSE(records->erase(cache_key(1)));
  EXPECT_FALSE(records->erase(cache_key(7)));
  EXPECT_EQ(body_of(*records, 1), std::nullopt);
  EXPECT_EQ(records->stat().entries, 1U);
  EXPECT_FALSE(records->clear());
  EXPECT_EQ(body_of(*records, 2), std::nullopt);
  EXPECT_TRUE(put(*records, record_of(2, "two")));
  EXPECT_EQ(body_of(*records, 2), "two");
}

TEST_F(LmdbFolder, IsForItsOwnerAlone) {
  open();
  const auto mode = [](const std::filesystem::path& path) {
    struct stat info {};
    EXPECT_EQ(::stat(path.c_str(), &info), 0);
    return info.st_mode & 0777;
  };
  EXPECT_EQ(mode(root()), 0700U);
  EXPECT_EQ(mode(root() / "lmdb"), 0700U);
  EXPECT_EQ(mode(root() / "lmdb.lock"), 0600U);
  EXPECT_EQ(mode(file()), 0600U);
}

TEST_F(LmdbFolder, SweepsWhatHasExpired) {
  const auto records = open();
  for (unsigned i = 0; i < 20; ++i) {
    EXPECT_TRUE(put(*records, record_of(i, "x", i % 2 == 0 ? 100 : 0)));
  }
  EXPECT_FALSE(records->sweep(99, 100));
  EXPECT_EQ(records->stat().entries, 20U);
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(records->sweep(100, 7));
  EXPECT_EQ(records->stat().entries, 10U);
  EXPECT_EQ(body_of(*records, 1), "x");
  EXPECT_EQ(body_of(*records, 2), std::nullopt);
}

TEST_F(LmdbFolder, LetsTheOldestGoWhereItIsFull) {
  constexpr std::uint64_t kSmall = std::uint64_t{2} << 20;
  const auto records = open(kSmall);
  for (unsigned i = 0; i < 300; ++i) {
    ASSERT_TRUE(put(*records, record_of(i, std::string(20'000 + i * 7919 % 50'000, 'x'), 0, i)));
    ASSERT_LE(records->stat().bytes, kSmall + (64U << 10));
  }
  EXPECT_FALSE(body_of(*records, 0));
  EXPECT_TRUE(body_of(*records, 299));
  EXPECT_TRUE(body_of(*records, 280));
  EXPECT_GT(records->stat().evicted, 200U);
  EXPECT_FALSE(put(*records, record_of(1, std::string(kSmall, 'x'))));
  EXPECT_TRUE(body_of(*records, 299));
  EXPECT_LE(std::filesystem::file_size(file()), kSmall + kSmall / 4 + (16U << 20));
}

TEST_F(LmdbFolder, FindsNoDamageWhereThereIsNone) {
  std::mt19937 random(1);
  for (int round = 0; round < 20; ++round) {
    const auto records = open(std::uint64_t{4} << 20);
    for (int i = 0; i < 60; ++i) {
      const unsigned number = random() % 200;
      std::vector<CacheRecord> batch;
      for (unsigned n = 0; n < 1 + random() % 5; ++n) {
        batch.push_back(record_of(number + n, std::string(random() % 60'000, 'x'), 0, i));
      }
      ASSERT_FALSE(records->write(batch));
      ASSERT_FALSE(records->erase(cache_key(random() % 200)));
      ASSERT_EQ(find_lmdb_damage(file()), "");
    }
  }
}

TEST_F(LmdbFolder, SurvivesAKilledWriter) {
  for (int round = 0; round < 5; ++round) {
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      LmdbRecords records(root(), kMaxBytes);
      if (records.open()) ::_exit(1);
      for (unsigned i = 0;; ++i) {
        put(records, record_of(i % 500, body_for(i % 500)));
        if (i == 20) static_cast<void>(!::write(ready[1], "x", 1));
      }
    }
    char byte = 0;
    ASSERT_EQ(::read(ready[0], &byte, 1), 1);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    ::close(ready[0]);
    ::close(ready[1]);
    ASSERT_EQ(find_lmdb_damage(file()), "");
    const auto records = open();
    for (unsigned i = 0; i < 20; ++i) ASSERT_EQ(body_of(*records, i), body_for(i));
  }
}

TEST_F(LmdbFolder, BeginsAnewAfterEveryTruncation) {
  fill(200);
  const std::string whole = read_bytes(file());
  for (std::size_t size = 0; size < whole.size(); size += size < 9000 ? 509 : 20011) {
    write_bytes(file(), std::string_view(whole).substr(0, size));
    expect_usable(200, "cut to " + std::to_string(size));
  }
  EXPECT_EQ(count_named(root(), "lmdb.damaged-"), 1U);
}

TEST_F(LmdbFolder, NeverGivesAWrongByteForFlippedBits) {
  fill(200);
  const std::string whole = read_bytes(file());
  std::mt19937 random(7);
  for (int round = 0; round < 400; ++round) {
    std::string bytes = whole;
    // Half of them where the tree is: at the start of a page.
    const std::size_t page = random() % (bytes.size() / 4096);
    const std::size_t at = page * 4096 + random() % (round % 2 == 0 ? 4096 : 160);
    bytes[at] ^= static_cast<char>(1U << random() % 8);
    write_bytes(file(), bytes);
    ASSERT_NO_FATAL_FAILURE(expect_usable(200, "flipped at " + std::to_string(at)));
  }
}

TEST_F(LmdbFolder, NeverGivesAWrongByteForOverwrittenPages) {
  fill(200);
  const std::string whole = read_bytes(file());
  const std::size_t pages = whole.size() / 4096;
  std::mt19937 random(8);
  for (int round = 0; round < 200; ++round) {
    std::string bytes = whole;
    const std::string other = round % 3 == 0 ? std::string(4096, static_cast<char>(round))
                                             : whole.substr(random() % pages * 4096, 4096);
    bytes.replace(random() % pages * 4096, 4096, other);
    write_bytes(file(), bytes);
    ASSERT_NO_FATAL_FAILURE(expect_usable(200, "round " + std::to_string(round)));
  }
}

TEST_F(LmdbFolder, TakesWhatIsNoDatabaseForDamage) {
  for (const std::string& bytes : {std::string(100'000, '\0'), std::string("hello"),
                                   std::string(8192, '\xff'), std::string(1'000'000, 'x')}) {
    open().reset();
    write_bytes(file(), bytes);
    expect_usable(1, "garbage");
  }
}

TEST_F(LmdbFolder, LeavesAloneWhatIsNotAFile) {
  open().reset();
  std::filesystem::remove(file());
  ASSERT_EQ(::mkfifo(file().c_str(), 0600), 0);
  const auto keeper = keep();
  EXPECT_FALSE(keeper->ready());
  EXPECT_TRUE(std::filesystem::is_fifo(file()));
  std::filesystem::remove(file());
  now_ += RecordKeeper::kRetryAfter;
  EXPECT_TRUE(keeper->ready());
}

TEST_F(LmdbFolder, SurvivesAFileThatIsCutWhileItIsOpen) {
  fill(200);
  const auto keeper = keep();
  ASSERT_TRUE(keeper->find(cache_key(1)));
  std::filesystem::resize_file(file(), 8192);
  EXPECT_FALSE(keeper->find(cache_key(1)));
  EXPECT_EQ(lines_.size(), 1U);
  const CacheRecord record = record_of(1, "one");
  EXPECT_TRUE(keeper->store(std::span(&record, 1)));
  EXPECT_TRUE(keeper->find(cache_key(1)));
}

TEST_F(LmdbFolder, IsOfOneProcessAtATime) {
  auto first = open();
  const int told = in_child([this] {
    LmdbRecords second(root(), kMaxBytes);
    const RecordProblem problem = second.open();
    return problem && problem->kind == RecordTrouble::Kind::locked ? 0 : 1;
  });
  EXPECT_EQ(told, 0);
  const auto keeper = keep();
  EXPECT_FALSE(keeper->ready());
  EXPECT_FALSE(keeper->ready());
  EXPECT_EQ(lines_.size(), 1U);
  first.reset();
  EXPECT_FALSE(keeper->ready());
  now_ += RecordKeeper::kRetryAfter;
  EXPECT_TRUE(keeper->ready());
  EXPECT_EQ(lines_.size(), 2U);  // it is back
}

// As somebody whom the folder's mode concerns, which root is not.
TEST_F(LmdbFolder, IsAwayWhereItMayNotWrite) {
  ::chmod(folder_.path().c_str(), 0555);
  const int told = in_child([this] {
    if (::geteuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) return 2;
    const auto keeper = keep();
    const CacheRecord record = record_of(1, "one");
    if (keeper->ready() || keeper->store(std::span(&record, 1))) return 3;
    if (keeper->find(cache_key(1))) return 4;
    return lines_.size() == 1 ? 0 : 5;
  });
  EXPECT_EQ(told, 0);
  ::chmod(folder_.path().c_str(), 0755);
}

TEST_F(LmdbFolder, GoesOnReadingOnAFullDisk) {
  fill(20);
  const int told = in_child([this] {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{std::filesystem::file_size(file()), RLIM_INFINITY};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 2;
    const auto keeper = keep();
    for (unsigned i = 0; i < 5; ++i) {
      const CacheRecord record = record_of(100 + i, std::string(1'000'000, 'x'));
      if (keeper->store(std::span(&record, 1))) return 3;
      const CacheEntryPtr entry = keeper->find(cache_key(1));
      if (!entry || entry->body != body_for(1)) return 4;
    }
    return lines_.size() == 1 ? 0 : 5;
  });
  EXPECT_EQ(told, 0);
  const auto records = open();
  EXPECT_EQ(body_of(*records, 1), body_for(1));
}

// The file cannot grow, so the oldest make room in it.
TEST_F(LmdbFolder, LetsTheOldestGoOnAFullDisk) {
  fill(300);
  const int told = in_child([this] {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{std::filesystem::file_size(file()), RLIM_INFINITY};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 2;
    const auto keeper = keep();
    int stored = 0;
    for (unsigned i = 0; i < 200; ++i) {
      const CacheRecord record = record_of(1000 + i, std::string(9'000, 'x'), 0, 10 + i);
      if (!keeper->store(std::span(&record, 1))) continue;
      ++stored;
      if (!keeper->find(cache_key(1000 + i))) return 3;
    }
    if (lines_.size() > 1) return 4;
    return stored > 150 ? 0 : 100 + stored;
  });
  EXPECT_EQ(told, 0);
  EXPECT_EQ(find_lmdb_damage(file()), "");
}

}  // namespace
}  // namespace aifd::services
