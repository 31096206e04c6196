#include "leveldb_records.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <random>

#include "record_keeper.hpp"
#include "record_samples.hpp"
#include "temporary_folder.hpp"

namespace aifd::services {
namespace {

constexpr std::uint64_t kMaxBytes = std::uint64_t{64} << 20;

class LevelDbFolder : public testing::Test {
 protected:
  std::unique_ptr<LevelDbRecords> open(std::uint64_t max_bytes = kMaxBytes) {
    auto records = std::make_unique<LevelDbRecords>(root(), max_bytes);
    const RecordProblem problem = records->open();
    EXPECT_FALSE(problem) << problem->what;
    return records;
  }
  // Some of it ends up in a table, some in the log.
  void fill(unsigned count) {
    for (unsigned part = 0; part < 2; ++part) {
      const auto records = open();
      for (unsigned i = part; i < count; i += 2) {
        EXPECT_TRUE(put(*records, record_of(i, body_for(i))));
      }
    }
  }
  std::unique_ptr<RecordKeeper> keep() {
    RecordKeeper::Options options;
    options.clock = [this] { return now_; };
    options.warn = [this](const std::string& line) { lines_.push_back(line); };
    return std::make_unique<RecordKeeper>(std::make_unique<LevelDbRecords>(root(), kMaxBytes),
                                          std::move(options));
  }
  // Whatever is in the files: never a wrong byte, and fit for use after.
  void expect_usable(unsigned count, const std::string& about) {
    const auto keeper = keep();
    for (unsigned i = 0; i < count; ++i) {
      const CacheEntryPtr entry = keeper->find(cache_key(i));
      ASSERT_TRUE(!entry || entry->body == body_for(i)) << about;
    }
    for (unsigned i = 0; i < 10; ++i) {
      const CacheRecord record = record_of(1000 + i, body_for(i));
      ASSERT_TRUE(keeper->store(std::span(&record, 1))) << about;
      ASSERT_TRUE(keeper->find(cache_key(1000 + i))) << about;
    }
    ASSERT_LE(lines_.size(), 1U) << about << lines_.back();
    lines_.clear();
  }
  // Does something to each file of a whole store in turn, and looks what comes of it.
  template <class Change>
  void damage_each_file(int rounds, Change change) {
    namespace fs = std::filesystem;
    fill(60);
    const fs::path whole = folder_.path() / "whole";
    fs::copy(store(), whole);
    for (int round = 0; round < rounds; ++round) {
      for (const auto& entry : fs::directory_iterator(whole)) {
        fs::remove_all(root());
        fs::create_directory(root());
        fs::copy(whole, store());
        const fs::path file = store() / entry.path().filename();
        std::string bytes = read_bytes(file);
        change(bytes);
        write_bytes(file, bytes);
        const std::string about = file.filename().string() + ", round " + std::to_string(round);
        ASSERT_NO_FATAL_FAILURE(expect_usable(60, about));
      }
    }
  }

  std::filesystem::path root() const { return folder_.path() / "cache"; }
  std::filesystem::path store() const { return root() / "leveldb"; }
  std::filesystem::path table() const {
    for (const auto& entry : std::filesystem::directory_iterator(store())) {
      if (entry.path().extension() == ".ldb") return entry.path();
    }
    throw std::runtime_error("no table");
  }

  TemporaryFolder folder_;
  Clock::time_point now_ = Clock::time_point() + std::chrono::hours(1);
  std::vector<std::string> lines_;
};

TEST_F(LevelDbFolder, GivesBackWhatWasWrittenAlsoAfterARestart) {
  {
    const auto records = open();
    EXPECT_EQ(body_of(*records, 1), std::nullopt);
    EXPECT_TRUE(put(*records, record_of(1, "one")));
    EXPECT_TRUE(put(*records, record_of(1, "uno")));
    EXPECT_TRUE(put(*records, record_of(2, std::string(3'000'000, 'x'))));
    EXPECT_TRUE(put(*records, record_of(3, "three")));
    EXPECT_FALSE(records->erase(cache_key(3)));
    EXPECT_EQ(body_of(*records, 1), "uno");
  }
  const auto records = open();
  EXPECT_EQ(body_of(*records, 1), "uno");
  EXPECT_EQ(body_of(*records, 2), std::string(3'000'000, 'x'));
  EXPECT_EQ(body_of(*records, 3), std::nullopt);
  EXPECT_FALSE(records->clear());
  EXPECT_EQ(body_of(*records, 1), std::nullopt);
  EXPECT_TRUE(put(*records, record_of(1, "one")));
  EXPECT_EQ(body_of(*records, 1), "one");
}

TEST_F(LevelDbFolder, IsForItsOwnerAlone) {
  open();
  struct stat info {};
  ASSERT_EQ(::stat(store().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700U);
}

TEST_F(LevelDbFolder, SweepsWhatHasExpired) {
  const auto records = open();
  for (unsigned i = 0; i < 20; ++i) {
    EXPECT_TRUE(put(*records, record_of(i, "x", i % 2 == 0 ? 100 : 0)));
  }
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(records->sweep(99, 7));
  EXPECT_EQ(body_of(*records, 2), "x");
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(records->sweep(100, 7));
  for (unsigned i = 0; i < 20; ++i) EXPECT_EQ(body_of(*records, i).has_value(), i % 2 == 1) << i;
}

TEST_F(LevelDbFolder, LetsSomeGoWhereItIsFull) {
  constexpr std::uint64_t kSmall = std::uint64_t{8} << 20;
  std::mt19937 random(3);
  const auto records = open(kSmall);
  for (unsigned i = 0; i < 400; ++i) {
    std::string body(40'000, ' ');
    for (char& c : body) c = static_cast<char>(random());
    ASSERT_TRUE(put(*records, record_of(i, body)));
    ASSERT_LE(records->stat().bytes, 2 * kSmall);
  }
  EXPECT_GT(records->stat().evicted, 0U);  // how many depends on when tables are merged
  EXPECT_FALSE(put(*records, record_of(1, std::string(2 * kSmall, 'x'))));
}

TEST_F(LevelDbFolder, SurvivesAKilledWriter) {
  for (int round = 0; round < 5; ++round) {
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      LevelDbRecords records(root(), kMaxBytes);
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
    const auto records = open();
    for (unsigned i = 0; i < 20; ++i) ASSERT_EQ(body_of(*records, i), body_for(i));
  }
}

TEST_F(LevelDbFolder, NeverGivesAWrongByteOfCutFiles) {
  std::mt19937 random(5);
  damage_each_file(12, [&](std::string& bytes) { bytes.resize(random() % (bytes.size() + 1)); });
}

TEST_F(LevelDbFolder, NeverGivesAWrongByteForFlippedBits) {
  std::mt19937 random(6);
  damage_each_file(10, [&](std::string& bytes) {
    if (!bytes.empty()) bytes[random() % bytes.size()] ^= static_cast<char>(1U << random() % 8);
  });
}

TEST_F(LevelDbFolder, NeverGivesAWrongByteForGarbage) {
  std::mt19937 random(7);
  damage_each_file(3, [&](std::string& bytes) {
    for (char& c : bytes) c = static_cast<char>(random());
  });
}

TEST_F(LevelDbFolder, IsNotEndedByATableThatAsksForAllMemory) {
  fill(60);
  std::string bytes = read_bytes(table());
  // The footer: four numbers, of which the last is the size of the index; here all are of 2^63 - 1.
  const std::string number = std::string(8, '\xff') + '\x7f';
  for (std::size_t i = 0; i < 4; ++i) bytes.replace(bytes.size() - 48 + i * 9, 9, number);
  write_bytes(table(), bytes);
  expect_usable(60, "footer");
  EXPECT_EQ(count_named(root(), "leveldb.damaged-"), 1U);
}

TEST_F(LevelDbFolder, MendsItselfOnce) {
  fill(60);
  std::string bytes = read_bytes(table());
  bytes[100] ^= 1;
  write_bytes(table(), bytes);
  expect_usable(60, "a flipped bit in a block");
  EXPECT_EQ(count_named(root(), "leveldb.damaged-"), 0U);
}

TEST_F(LevelDbFolder, SurvivesAFileThatIsCutWhileItIsOpen) {
  fill(60);
  const auto keeper = keep();
  for (unsigned i = 0; i < 60; ++i) ASSERT_TRUE(keeper->find(cache_key(i)));
  std::filesystem::resize_file(table(), 1000);
  for (unsigned i = 0; i < 60; ++i) {
    const CacheEntryPtr entry = keeper->find(cache_key(i));
    ASSERT_TRUE(!entry || entry->body == body_for(i));
  }
  const CacheRecord record = record_of(1, body_for(1));
  EXPECT_TRUE(keeper->store(std::span(&record, 1)));
  EXPECT_TRUE(keeper->find(cache_key(1)));
  EXPECT_LE(lines_.size(), 1U);
}

TEST_F(LevelDbFolder, IsOfOneProcessAtATime) {
  auto first = open();
  const int told = in_child([this] {
    LevelDbRecords second(root(), kMaxBytes);
    const RecordProblem problem = second.open();
    return problem && problem->kind == RecordTrouble::Kind::locked ? 0 : 1;
  });
  EXPECT_EQ(told, 0);
  const auto keeper = keep();
  EXPECT_FALSE(keeper->ready());
  EXPECT_FALSE(keeper->ready());
  EXPECT_EQ(lines_.size(), 1U);
  first.reset();
  now_ += RecordKeeper::kRetryAfter;
  EXPECT_TRUE(keeper->ready());
}

// As somebody whom the folder's mode concerns, which root is not.
TEST_F(LevelDbFolder, IsAwayWhereItMayNotWrite) {
  ::chmod(folder_.path().c_str(), 0555);
  const int told = in_child([this] {
    if (::geteuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) return 2;
    const auto keeper = keep();
    if (keeper->ready() || keeper->find(cache_key(1))) return 3;
    return lines_.size() == 1 ? 0 : 5;
  });
  EXPECT_EQ(told, 0);
  ::chmod(folder_.path().c_str(), 0755);
}

TEST_F(LevelDbFolder, GoesOnReadingOnAFullDisk) {
  fill(20);
  const int told = in_child([this] {
    std::signal(SIGXFSZ, SIG_IGN);
    const auto keeper = keep();
    if (!keeper->ready()) return 2;
    const rlimit limit{100'000, RLIM_INFINITY};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 2;
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

}  // namespace
}  // namespace aifd::services
