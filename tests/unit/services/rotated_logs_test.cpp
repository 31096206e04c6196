#include "rotated_logs.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <condition_variable>
#include <set>

#include "temporary_folder.hpp"

namespace aifd::services {
namespace {

namespace fs = std::filesystem;

std::string unpacked(const fs::path& path) {
  const std::string packed = read_bytes(path);
  const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(),
                                                                     &ZSTD_freeDCtx);
  std::string text;
  std::string buffer(ZSTD_DStreamOutSize(), '\0');
  ZSTD_inBuffer input{packed.data(), packed.size(), 0};
  std::size_t left = 1;
  while (input.pos < input.size) {
    ZSTD_outBuffer output{buffer.data(), buffer.size(), 0};
    left = ZSTD_decompressStream(context.get(), &output, &input);
    if (ZSTD_isError(left)) return ZSTD_getErrorName(left);
    text.append(buffer, 0, output.pos);
  }
  return left == 0 ? text : "it has no end";
}

class RotatedLogsTest : public testing::Test {
 protected:
  // The name of the file rotated in that year.
  static std::string name(int year) { return "chat." + std::to_string(year) + kRest; }

  // Its last line is of that hour.
  void make(const std::string& name, std::string_view bytes = "line\n", int hour = 0) const {
    const fs::path path = folder_.path() / name;
    write_bytes(path, bytes);
    fs::last_write_time(path, fs::file_time_type(std::chrono::hours(hour)));
  }
  std::string tidy(RotatedLogsOptions options) const {
    return tidy_rotated(folder_.path() / "chat.log", options, stop_);
  }
  std::set<std::string> names() const {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_.path())) {
      names.insert(entry.path().filename().string());
    }
    return names;
  }

  static constexpr const char* kRest = "-01-01_00-00-00_000000.log";
  TemporaryFolder folder_;
  std::atomic<bool> stop_{false};
};

TEST_F(RotatedLogsTest, KeepsTheNewest) {
  for (const int year : {2023, 2021, 2024, 2022}) make(name(year), "line\n", year);
  EXPECT_EQ(tidy({.keep = 2}), "");
  EXPECT_EQ(names(), (std::set{name(2023), name(2024)}));
}

TEST_F(RotatedLogsTest, GoesByTheirLastLinesWhereNamesRepeatAnHour) {
  make(name(2021), "line\n", 2);
  make(name(2022), "line\n", 1);
  make(name(2023) + ".zst", "line\n", 3);
  EXPECT_EQ(tidy({.keep = 2}), "");
  EXPECT_EQ(names(), (std::set{name(2021), name(2023) + ".zst"}));
}

TEST_F(RotatedLogsTest, LeavesAFileThatIsWrittenToForLater) {
  make(name(2021));
  make(name(2022));
  const int writer = ::open((folder_.path() / name(2021)).c_str(), O_WRONLY | O_APPEND);
  ASSERT_EQ(::flock(writer, LOCK_SH), 0);
  EXPECT_EQ(tidy({.compress = true}), "");
  EXPECT_EQ(names(), (std::set{name(2021), name(2022) + ".zst"}));
  ASSERT_EQ(::write(writer, "late\n", 5), 5);
  ::close(writer);
  EXPECT_EQ(tidy({.compress = true}), "");
  EXPECT_EQ(names(), (std::set{name(2021) + ".zst", name(2022) + ".zst"}));
  EXPECT_EQ(unpacked(folder_.path() / (name(2021) + ".zst")), "line\nlate\n");
}

TEST_F(RotatedLogsTest, LeavesWhatAnotherIsCompressing) {
  make(name(2021));
  make(name(2021) + ".zst.tmp");
  const int other = ::open((folder_.path() / (name(2021) + ".zst.tmp")).c_str(), O_WRONLY);
  ASSERT_EQ(::flock(other, LOCK_EX), 0);
  EXPECT_EQ(tidy({.compress = true}), "");
  EXPECT_EQ(names(), (std::set{name(2021), name(2021) + ".zst.tmp"}));
  ::close(other);
}

TEST_F(RotatedLogsTest, PassesOverWhatIsNoFile) {
  const std::string pipe = name(2021);
  ASSERT_EQ(::mkfifo((folder_.path() / pipe).c_str(), 0600), 0);
  fs::create_directory(folder_.path() / name(2022));
  make(name(2023));
  make(name(2024));
  EXPECT_EQ(tidy({.keep = 2, .compress = true}), "");
  EXPECT_EQ(names(), (std::set{pipe, name(2022), name(2023) + ".zst", name(2024) + ".zst"}));
}

TEST_F(RotatedLogsTest, GoesOnBehindAFileThatMakesTrouble) {
  make(name(2021));
  fs::create_directory(folder_.path() / (name(2021) + ".zst"));
  make(name(2021) + ".zst/in the way");
  make(name(2022));
  EXPECT_NE(tidy({.compress = true}).find(name(2021)), std::string::npos);
  EXPECT_TRUE(fs::exists(folder_.path() / (name(2022) + ".zst")));
}

TEST_F(RotatedLogsTest, CountsCompressedOnesTooAndOneInBothFormsOnce) {
  make(name(2021) + ".zst");
  make(name(2022) + ".zst");
  make(name(2022));
  make(name(2023));
  EXPECT_EQ(tidy({.keep = 2}), "");
  EXPECT_EQ(names(), (std::set{name(2022), name(2022) + ".zst", name(2023)}));
  EXPECT_EQ(tidy({.keep = 1}), "");
  EXPECT_EQ(names(), std::set{name(2023)});
}

TEST_F(RotatedLogsTest, TouchesNoOtherFiles) {
  const std::set<std::string> others{"chat.log", "chat.log.1", "chat.2021.log",
                                     "completion.2021" + std::string(kRest), name(2021) + ".gz"};
  for (const std::string& other : others) make(other);
  EXPECT_EQ(tidy({.keep = 1, .compress = true}), "");
  EXPECT_EQ(names(), others);
}

TEST_F(RotatedLogsTest, CompressesAllThatAreNot) {
  std::string large;
  for (int i = 0; i < 100'000; ++i) large += "line " + std::to_string(i * 7919 % 100'003) + "\n";
  make(name(2021), large);
  make(name(2022), "small\n");
  make(name(2023), "");
  EXPECT_EQ(tidy({.compress = true}), "");
  EXPECT_EQ(names(), (std::set{name(2021) + ".zst", name(2022) + ".zst", name(2023) + ".zst"}));
  EXPECT_EQ(unpacked(folder_.path() / (name(2021) + ".zst")), large);
  EXPECT_EQ(unpacked(folder_.path() / (name(2022) + ".zst")), "small\n");
  EXPECT_EQ(unpacked(folder_.path() / (name(2023) + ".zst")), "");
  struct stat info {};
  ASSERT_EQ(::stat((folder_.path() / (name(2021) + ".zst")).c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
}

TEST_F(RotatedLogsTest, FinishesWhatAKillLeftUndone) {
  make(name(2021), "whole\n");
  make(name(2021) + ".zst.tmp", "half");
  make(name(2022), "whole too\n");
  make(name(2022) + ".zst", "of before the original would have gone");
  EXPECT_EQ(tidy({.compress = true}), "");
  EXPECT_EQ(names(), (std::set{name(2021) + ".zst", name(2022) + ".zst"}));
  EXPECT_EQ(unpacked(folder_.path() / (name(2021) + ".zst")), "whole\n");
  EXPECT_EQ(unpacked(folder_.path() / (name(2022) + ".zst")), "whole too\n");
}

TEST_F(RotatedLogsTest, LeavesTheOriginalWhereCompressionFails) {
  make(name(2021));
  fs::create_directory(folder_.path() / (name(2021) + ".zst"));
  make(name(2021) + ".zst/in the way");
  EXPECT_NE(tidy({.compress = true}).find(name(2021) + ".zst"), std::string::npos);
  EXPECT_EQ(names(), (std::set{name(2021), name(2021) + ".zst"}));
  EXPECT_EQ(read_bytes(folder_.path() / name(2021)), "line\n");
}

TEST_F(RotatedLogsTest, LeavesTheOriginalWhereItIsStopped) {
  make(name(2021));
  stop_ = true;
  EXPECT_EQ(tidy({.compress = true}), "stopped");
  EXPECT_EQ(names(), std::set{name(2021)});
}

TEST_F(RotatedLogsTest, IsDoneOnAThreadOfItsOwn) {
  make(name(2021));
  make(name(2022));
  {
    RotatedLogs rotated({.keep = 1});
    rotated.tidy(folder_.path() / "chat.log");
    while (fs::exists(folder_.path() / name(2021))) std::this_thread::yield();
  }
  EXPECT_EQ(names(), std::set{name(2022)});
}

}  // namespace
}  // namespace aifd::services
