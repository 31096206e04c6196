#include "log_file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <vector>

#include "logged_lines.hpp"
#include "temporary_folder.hpp"

namespace aifd::services {
namespace {

namespace fs = std::filesystem;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

class LogFileTest : public testing::Test {
 protected:
  LogFile make(std::uint64_t rotate_bytes = 0) {
    return {path_,
            {.rotate_bytes = rotate_bytes,
             .tidy = [this](const fs::path& path) { tidied_.push_back(path); },
             .wall_clock = [this] { return wall_; }}};
  }

  fs::path rotated(int microsecond) const {
    return path_.parent_path() / rotated_name("chat", wall_ + microseconds(microsecond));
  }
  std::size_t files() const { return count_named(path_.parent_path(), "chat"); }

  TemporaryFolder folder_;
  const fs::path path_ = folder_.path() / "openai" / "chat" / "chat.log";
  Clock::time_point now_{seconds(1000)};
  WallClock::time_point wall_{seconds(1'700'000'000)};
  std::vector<fs::path> tidied_;
};

mode_t mode_of(const fs::path& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? info.st_mode & 0777U : 0;
}

TEST_F(LogFileTest, IsMadeWithTheFirstLineForItsOwnerAlone) {
  LogFile log = make();
  EXPECT_FALSE(fs::exists(path_.parent_path()));
  EXPECT_EQ(log.append("one\ntwo\n", now_), 8U);
  EXPECT_EQ(log.append("three\n", now_), 6U);
  EXPECT_EQ(read_bytes(path_), "one\ntwo\nthree\n");
  EXPECT_EQ(mode_of(path_), 0600U);
  EXPECT_EQ(mode_of(path_.parent_path()), 0700U);
  EXPECT_EQ(mode_of(path_.parent_path().parent_path()), 0700U);
  EXPECT_EQ(tidied_, std::vector{path_}) << "once, when it was opened";
}

TEST_F(LogFileTest, IsAppendedTo) {
  fs::create_directories(path_.parent_path());
  write_bytes(path_, "before\n");
  make().append("after\n", now_);
  EXPECT_EQ(read_bytes(path_), "before\nafter\n");
}

TEST_F(LogFileTest, ClosesOffATornLastLine) {
  fs::create_directories(path_.parent_path());
  write_bytes(path_, "whole\n{\"tor");
  make().append("next\n", now_);
  EXPECT_EQ(read_bytes(path_), "whole\n{\"tor\nnext\n");
}

TEST_F(LogFileTest, IsRotatedBeforeItWouldPassItsSize) {
  LogFile log = make(10);
  EXPECT_EQ(log.append("1234\n5678\n", now_), 10U);
  EXPECT_EQ(files(), 1U);
  EXPECT_EQ(log.append("next\n", now_), 5U);
  EXPECT_EQ(read_bytes(rotated(0)), "1234\n5678\n");
  EXPECT_EQ(read_bytes(path_), "next\n");
  EXPECT_EQ(mode_of(path_), 0600U);
  EXPECT_EQ(tidied_.size(), 2U);
}

TEST_F(LogFileTest, SplitsABatchAmongFilesAtLineEnds) {
  LogFile log = make(10);
  EXPECT_EQ(log.append("1\n22\n333\n4444\n55555\n666666666\n7\n", now_), 32U);
  EXPECT_EQ(read_bytes(rotated(0)), "1\n22\n333\n");
  EXPECT_EQ(read_bytes(rotated(1)), "4444\n") << "the name was taken: the next";
  EXPECT_EQ(read_bytes(rotated(2)), "55555\n");
  EXPECT_EQ(read_bytes(rotated(3)), "666666666\n");
  EXPECT_EQ(read_bytes(path_), "7\n");
}

TEST_F(LogFileTest, HasALineThatIsTooLongForAnyFileInOneOfItsOwn) {
  LogFile log = make(10);
  log.append("a\n123456789012345\nb\n", now_);
  EXPECT_EQ(read_bytes(rotated(0)), "a\n");
  EXPECT_EQ(read_bytes(rotated(1)), "123456789012345\n");
  EXPECT_EQ(read_bytes(path_), "b\n");
}

TEST_F(LogFileTest, TakesNoNameThatACompressedFileHas) {
  LogFile log = make(10);
  log.append("12345678\n", now_);
  write_bytes(rotated(0).string() + ".zst", "packed");
  log.append("next\n", now_);
  EXPECT_TRUE(fs::exists(rotated(1)));
  EXPECT_FALSE(fs::exists(rotated(0)));
}

TEST_F(LogFileTest, CountsWhatItFoundInTheFile) {
  fs::create_directories(path_.parent_path());
  write_bytes(path_, "12345678\n");
  make(10).append("next\n", now_);
  EXPECT_EQ(read_bytes(rotated(0)), "12345678\n");
}

TEST_F(LogFileTest, NoticesWithinASecondThatItWasRenamed) {
  LogFile log = make();
  log.append("one\n", now_);
  const fs::path moved = path_.parent_path() / "moved";
  fs::rename(path_, moved);
  now_ += milliseconds(999);
  log.append("two\n", now_);
  EXPECT_EQ(read_bytes(moved), "one\ntwo\n");
  now_ += milliseconds(1);
  log.append("three\n", now_);
  EXPECT_EQ(read_bytes(moved), "one\ntwo\n");
  EXPECT_EQ(read_bytes(path_), "three\n");
}

TEST_F(LogFileTest, NoticesAtOnceThatItWasRemoved) {
  LogFile log = make();
  log.append("one\n", now_);
  fs::remove_all(path_.parent_path());
  EXPECT_EQ(log.append("two\n", now_), 4U);
  EXPECT_EQ(read_bytes(path_), "two\n");
}

TEST_F(LogFileTest, ReopenedWritesToItsPathAtOnce) {
  LogFile log = make();
  log.append("one\n", now_);
  fs::rename(path_, path_.parent_path() / "moved");
  log.reopen(now_);
  EXPECT_TRUE(fs::exists(path_));
  log.append("two\n", now_);
  EXPECT_EQ(read_bytes(path_), "two\n");
}

TEST_F(LogFileTest, DoesNotRenameWhatSomebodyElsePutThere) {
  LogFile log = make(10);
  log.append("12345678\n", now_);
  fs::rename(path_, path_.parent_path() / "moved");
  write_bytes(path_, "new\n");
  log.append("next\n", now_);
  EXPECT_EQ(read_bytes(path_), "new\nnext\n");
  EXPECT_EQ(files(), 1U);
}

TEST_F(LogFileTest, IsLockedAgainstBeingPackedUntilItIsRotated) {
  LogFile log = make(10);
  log.append("12345678\n", now_);
  const int first = ::open(path_.c_str(), O_RDONLY);
  EXPECT_NE(::flock(first, LOCK_EX | LOCK_NB), 0);
  log.append("next\n", now_);
  EXPECT_EQ(::flock(first, LOCK_EX | LOCK_NB), 0);
  ::close(first);
}

TEST_F(LogFileTest, DoesNotWriteToWhatIsBeingPacked) {
  fs::create_directories(path_.parent_path());
  write_bytes(path_, "line\n");
  const int packer = ::open(path_.c_str(), O_RDONLY);
  ASSERT_EQ(::flock(packer, LOCK_EX), 0);
  LogFile log = make();
  EXPECT_EQ(log.append("late\n", now_), 0U);
  fs::rename(path_, rotated(0));
  EXPECT_EQ(log.append("late\n", now_ + seconds(1)), 5U);
  EXPECT_EQ(read_bytes(path_), "late\n");
  ::close(packer);
}

TEST_F(LogFileTest, ReopenedInVainTriesAgainAtOnce) {
  LogFile log = make();
  log.append("one\n", now_);
  fs::remove_all(folder_.path() / "openai");
  write_bytes(folder_.path() / "openai", "a file in the way");
  log.reopen(now_);
  fs::remove(folder_.path() / "openai");
  EXPECT_EQ(log.append("two\n", now_), 4U);
}

TEST_F(LogFileTest, TriesAFolderThatCannotBeMadeOnceASecond) {
  write_bytes(folder_.path() / "openai", "a file in the way");
  LogFile log = make();
  EXPECT_EQ(log.append("one\n", now_), 0U);
  EXPECT_NE(log.trouble().find(path_.string()), std::string::npos) << log.trouble();
  EXPECT_NE(log.trouble().find("Not a directory"), std::string::npos) << log.trouble();
  fs::remove(folder_.path() / "openai");
  EXPECT_EQ(log.append("two\n", now_ + milliseconds(999)), 0U);
  EXPECT_EQ(log.append("three\n", now_ + seconds(1)), 6U);
  EXPECT_EQ(read_bytes(path_), "three\n");
}

TEST_F(LogFileTest, ReopenedTriesAFolderAgainAtOnce) {
  write_bytes(folder_.path() / "openai", "a file in the way");
  LogFile log = make();
  EXPECT_EQ(log.append("one\n", now_), 0U);
  fs::remove(folder_.path() / "openai");
  log.reopen(now_);
  EXPECT_EQ(log.append("two\n", now_), 4U);
}

TEST_F(LogFileTest, ThatCannotBeRenamedIsWrittenToAllTheSame) {
  const LoggedLines logged;
  LogFile log = make(10);
  log.append("12345678\n", now_);
  const int code = in_child([&] {
    if (::setuid(65534) != 0) return 77;  // for whom the folder is closed
    return log.append("next\n", now_) == 5 ? 0 : 1;
  });
  if (code == 77) GTEST_SKIP() << "needs to be root";
  EXPECT_EQ(code, 0);
  EXPECT_EQ(read_bytes(path_), "12345678\nnext\n");
}

TEST_F(LogFileTest, OnAFullDeviceGivesTheReason) {
  fs::create_directories(path_.parent_path());
  fs::create_symlink("/dev/full", path_);
  LogFile log = make(10);
  EXPECT_EQ(log.append("a line that is longer\n", now_), 0U);
  EXPECT_NE(log.trouble().find("No space left"), std::string::npos) << log.trouble();
}

// What limits a file's size, in a process of its own.
template <class Work>
int with_largest_file(rlim_t bytes, Work work) {
  return in_child([&] {
    std::signal(SIGXFSZ, SIG_IGN);  // as the daemon does
    const rlimit limit{bytes, RLIM_INFINITY};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 100;
    return work();
  });
}

TEST_F(LogFileTest, WithoutRoomKeepsTheWholeLinesThatFitAndNoHalfOne) {
  LogFile log = make();
  const int written = with_largest_file(
      12, [&] { return static_cast<int>(log.append("1234\n5678\nlost\nlost\n", now_)); });
  EXPECT_EQ(written, 10);
  EXPECT_EQ(read_bytes(path_), "1234\n5678\n");
}

TEST_F(LogFileTest, WithoutRoomForOneLineStaysAsItWasAndGoesOnLater) {
  LogFile log = make();
  log.append("1234\n", now_);
  const int code = with_largest_file(8, [&] {
    if (log.append("567890\n", now_) != 0) return 1;
    if (log.trouble().find("File too large") == std::string::npos) return 2;
    if (read_bytes(path_) != "1234\n") return 3;
    return log.append("67\n", now_) == 3 ? 0 : 4;
  });
  EXPECT_EQ(code, 0);
  EXPECT_EQ(read_bytes(path_), "1234\n67\n");
}

TEST_F(LogFileTest, ThatIsNoFileIsNeitherRotatedNorCut) {
  fs::create_directories(path_.parent_path());
  fs::create_symlink("/dev/null", path_);
  LogFile log = make(10);
  EXPECT_EQ(log.append("1234567\n1234567\n1234567\n", now_), 24U);
  EXPECT_EQ(files(), 1U);
}

TEST(LogNames, AreThoseOfTheOriginal) {
  const WallClock::time_point at{seconds(1'700'000'000) + microseconds(42)};
  const std::string name = rotated_name("chat", at);
  EXPECT_EQ(name.size(), std::string_view("chat.2026-11-28_03-35-42_123456.log").size());
  EXPECT_TRUE(name.ends_with("_000042.log")) << name;
  std::string datetime = name.substr(5, 19);
  datetime[10] = ' ';
  datetime[13] = datetime[16] = ':';
  EXPECT_EQ(datetime, local_datetime(at));
}

TEST(LogNames, TellSecondsApart) {
  const WallClock::time_point at{seconds(1'700'000'000)};
  const std::string first(local_datetime(at));
  EXPECT_TRUE(first.ends_with(":20")) << first;
  EXPECT_EQ(local_datetime(at + microseconds(999'999)), first);
  EXPECT_TRUE(local_datetime(at + seconds(1)).ends_with(":21"));
  EXPECT_TRUE(local_datetime(at - microseconds(1)).ends_with(":19"));
  EXPECT_EQ(local_datetime(at), first);
  EXPECT_EQ(local_datetime({}).size(), first.size()) << "the first second of all";
}

TEST(LogNames, AreKnownAgain) {
  const std::string name = rotated_name("chat", WallClock::time_point{seconds(1)});
  EXPECT_EQ(rotated_kind(name, "chat"), RotatedKind::plain);
  EXPECT_EQ(rotated_kind(name + ".zst", "chat"), RotatedKind::packed);
  EXPECT_EQ(rotated_kind(name + ".zst.tmp", "chat"), RotatedKind::unfinished);
  EXPECT_EQ(rotated_kind(name + ".gz", "chat"), std::nullopt);
  EXPECT_EQ(rotated_kind(name, "cha"), std::nullopt);
  for (const char* other :
       {"chat.log", "chat", "chat.", "chat.log.1", "chat.2026-11-28.log",
        "chat.2026-11-28_03-35-42_12345x.log", "chat.2026-11-28_03-35-42_1234567.log"}) {
    EXPECT_EQ(rotated_kind(other, "chat"), std::nullopt) << other;
  }
}

}  // namespace
}  // namespace aifd::services
