#include "log_files.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "logs.hpp"

namespace aifd::convert {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

class LogFilesTest : public InFolder {
 protected:
  Names names() const {
    auto opened = open_logs(folder());
    const auto* files = std::get_if<std::vector<LogFile>>(&opened);
    if (files == nullptr) return {std::get<std::string>(opened)};
    Names found;
    for (const LogFile& file : *files) found.push_back(file.path.filename().string());
    return found;
  }

  // A log whose records begin at that time.
  void write_from(const std::string& name, const std::string& time) const {
    write(name, "torn\n{'assistant': 'a', 'uid': '1'}\n{'messages': [], 'uid': '1', 'datetime': '" +
                    time + "'}\n");
  }
};

TEST(LogNames, AreToldFromOthers) {
  for (const char* log : {"chat.log", "x.log", "chat.log.zst", "chat.log.gz", "a/b.c.log"}) {
    EXPECT_TRUE(is_log_name(log)) << log;
  }
  for (const char* other : {"chat", "chat.json", "chat.log.new", "chat.log.zst.new", "chat.zst",
                            "log", "chat.log.bz2", ".zst"}) {
    EXPECT_FALSE(is_log_name(other)) << other;
  }
}

TEST(LogNames, TellWhenTheyWereRotated) {
  constexpr const char* kTime = "20261128033542123456";
  EXPECT_EQ(rotation_time("chat.2026-11-28_03-35-42_123456.log"), kTime);
  EXPECT_EQ(rotation_time("/a.b/chat.2026-11-28_03-35-42_123456.log.zst"), kTime);
  EXPECT_EQ(rotation_time("my.chat.2026-11-28_03-35-42_123456.2.log.gz"), kTime);
  for (const char* other : {"chat.log", "2026-11-28_03-35-42_123456.log", "chat.2026-11-28.log",
                            "chat.2026-11-28_03-35-42_12345x.log", "chat.1.log",
                            "chat.2026-11-28_03-35-42_123456.x.log"}) {
    EXPECT_EQ(rotation_time(other), "") << other;
  }
}

TEST_F(LogFilesTest, AreInTheOrderOfTime) {
  write("chat.log", "");
  write("chat.2026-11-28_03-35-42_000002.log", "");
  write("chat.2026-11-28_03-35-42_000001.log.zst", zstd(""));
  write("chat.2025-12-31_23-59-59_999999.log.gz", gzip(""));
  write("chat.2025-12-31_23-59-59_999999.10.log", "");
  write("chat.2025-12-31_23-59-59_999999.2.log.gz", gzip(""));
  write_from("old.log", "2026-01-01 00:00:00");
  write_from("zero.log", "2020-01-01 00:00:00");
  write("nothing.log", "");
  write("chat.json", "");
  EXPECT_EQ(names(), (Names{"nothing.log", "zero.log", "chat.2025-12-31_23-59-59_999999.log.gz",
                            "chat.2025-12-31_23-59-59_999999.2.log.gz",
                            "chat.2025-12-31_23-59-59_999999.10.log", "old.log",
                            "chat.2026-11-28_03-35-42_000001.log.zst",
                            "chat.2026-11-28_03-35-42_000002.log", "chat.log"}));
}

TEST_F(LogFilesTest, AreFilesAndNoPipes) {
  ASSERT_EQ(::mkfifo((folder() / "chat.log").c_str(), 0600), 0);
  ASSERT_EQ(::mkfifo((folder() / "chat.2026-11-28_03-35-42_000001.log").c_str(), 0600), 0);
  write("chat.2026-11-28_03-35-42_000002.log", "a");
  EXPECT_EQ(names(), Names{"chat.2026-11-28_03-35-42_000002.log"});
}

TEST_F(LogFilesTest, MayBeMoreThanTheProcessMayOpen) {
  constexpr int kFiles = 100;
  write("chat.log", "a");
  for (int i = 0; i < kFiles; ++i) {
    write("chat.2026-11-28_03-35-42_000" + std::to_string(100 + i) + ".log", "a");
  }
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit limit{64, 64};
    ::setrlimit(RLIMIT_NOFILE, &limit);
    auto opened = open_logs(folder());
    auto* files = std::get_if<std::vector<LogFile>>(&opened);
    if (files == nullptr || files->size() != kFiles + 1) ::_exit(1);
    LogFile& newest = (*files)[kFiles - 1];
    if (newest.descriptor || !(*files)[0].descriptor || !(*files)[kFiles].descriptor) ::_exit(2);
    fs::rename(newest.path, newest.path.string() + ".zst");
    if (open_again(newest) != 0 || newest.packing != Packing::zstd) ::_exit(3);
    ::_exit(newest.descriptor && newest.path.extension() == ".zst" ? 0 : 4);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(LogFilesTest, AreReadOnceEach) {
  const fs::path current = write("chat.log", "a");
  write("chat.2026-11-28_03-35-42_000001.log", "b");
  write("chat.2026-11-28_03-35-42_000001.log.zst", "half of it");
  fs::create_hard_link(current, folder() / "chat.2026-11-28_03-35-42_000002.log");
  fs::create_directory(folder() / "folder.log");
  fs::create_symlink(folder() / "nowhere", folder() / "broken.log");
  EXPECT_EQ(names(), (Names{"chat.2026-11-28_03-35-42_000001.log", "chat.log"}));
}

TEST_F(LogFilesTest, AreReadFromTheirBeginning) {
  write_from("old.log", "2026-01-01 00:00:00");
  auto opened = open_logs(folder());
  auto& files = std::get<std::vector<LogFile>>(opened);
  ASSERT_EQ(files.size(), 1U);
  EXPECT_EQ(files[0].bytes, read("old.log").size());
  std::string text(files[0].bytes, '\0');
  EXPECT_EQ(LogSource::open(files[0].descriptor.get(), files[0].packing)->read(text),
            files[0].bytes);
}

TEST_F(LogFilesTest, AreMissed) {
  EXPECT_FALSE(has_logs(folder()));
  EXPECT_EQ(names(), Names{});
  write("x.log.gz", "");
  EXPECT_TRUE(has_logs(folder()));
  EXPECT_FALSE(has_logs(folder() / "nowhere"));
  const auto opened = open_logs(folder() / "nowhere");
  EXPECT_NE(std::get<std::string>(opened).find("nowhere cannot be read: No such file"),
            std::string::npos);
}

}  // namespace
}  // namespace aifd::convert
