#include "aifd/services/line_writer.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <vector>

namespace aifd::services {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

std::string read_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// A path of a file that is not there yet; removed at the end.
class LineWriterFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = (std::filesystem::temp_directory_path() / "aifd-XXXXXX").string();
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    path_ = folder + "/access.log";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<LineWriter> open() { return std::move(LineWriter::open(path_)).value(); }

  std::filesystem::path folder_;
  std::string path_;
};

TEST_F(LineWriterFile, HasAllLinesOnceTheWriterIsGone) {
  {
    const auto writer = open();
    writer->add("one\n");
    writer->add("two\n");
    EXPECT_EQ(writer->dropped(), 0U);
  }
  EXPECT_EQ(read_file(path_), "one\ntwo\n");
}

TEST_F(LineWriterFile, IsReadableByItsOwnerAlone) {
  open().reset();
  struct stat info {};
  ASSERT_EQ(::stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
}

TEST_F(LineWriterFile, IsAppendedTo) {
  open()->add("first run\n");
  open()->add("second run\n");
  EXPECT_EQ(read_file(path_), "first run\nsecond run\n");
}

TEST_F(LineWriterFile, WithHalfALineAtItsEndGetsItsNextLineOnALineOfItsOwn) {
  std::ofstream(path_) << "whole\nhal";
  open()->add("next\n");
  EXPECT_EQ(read_file(path_), "whole\nhal\nnext\n");
}

TEST_F(LineWriterFile, ThatWasRenamedIsMadeAnew) {
  {
    const auto writer = open();
    std::filesystem::rename(path_, path_ + ".1");
    writer->reopen();
    writer->add("after\n");
  }
  EXPECT_EQ(read_file(path_ + ".1"), "");
  EXPECT_EQ(read_file(path_), "after\n");
}

TEST_F(LineWriterFile, GetsWholeLinesInEachThreadsOrder) {
  constexpr int kThreads = 4;
  constexpr int kLines = 5000;
  {
    const auto writer = open();
    std::vector<std::thread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&writer, thread] {
        for (int i = 0; i < kLines; ++i) {
          writer->add("<" + std::to_string(thread) + " " + std::to_string(i) + ">\n");
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    ASSERT_EQ(writer->dropped(), 0U);
  }
  std::ifstream file(path_);
  std::array<int, kThreads> next{};
  int lines = 0;
  for (std::string line; std::getline(file, line); ++lines) {
    int thread = -1;
    int number = -1;
    char end = 0;
    ASSERT_EQ(std::sscanf(line.c_str(), "<%d %d%c", &thread, &number, &end), 3) << line;
    ASSERT_EQ(end, '>') << line;
    ASSERT_EQ(number, next.at(static_cast<std::size_t>(thread))++) << line;
  }
  EXPECT_EQ(lines, kThreads * kLines);
}

TEST_F(LineWriterFile, ThatCannotBeOpenedIsNamed) {
  const auto opened = LineWriter::open(folder_.string() + "/no/such/folder.log");
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().detail.find("ACCESS_LOG"), std::string::npos);
  EXPECT_NE(opened.error().detail.find("/no/such/folder.log"), std::string::npos);
}

class LineWriterPipe : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(::pipe2(ends_.data(), O_CLOEXEC), 0);
    before_ = std::signal(SIGPIPE, SIG_IGN);  // as the daemon does
  }
  void TearDown() override {
    std::signal(SIGPIPE, before_);
    close_end(0);
    close_end(1);
  }

  void close_end(std::size_t end) {
    if (ends_.at(end) >= 0) ::close(std::exchange(ends_.at(end), -1));
  }

  // Until the pipe's writing end is closed.
  std::string read_to_end() {
    std::string text;
    std::array<char, 65536> buffer{};
    for (;;) {
      const ssize_t count = ::read(ends_[0], buffer.data(), buffer.size());
      if (count <= 0) return text;
      text.append(buffer.data(), static_cast<std::size_t>(count));
    }
  }

  std::array<int, 2> ends_{-1, -1};

 private:
  void (*before_)(int) = SIG_DFL;
};

TEST_F(LineWriterPipe, GetsMoreThanItHoldsWhenSomebodyReads) {
  std::string read;
  std::thread reader([this, &read] { read = read_to_end(); });
  std::string expected;
  {
    LineWriter writer(ends_[1], "");
    for (int i = 0; i < 20'000; ++i) {
      const std::string line = "line " + std::to_string(i) + "\n";
      writer.add(line);
      expected += line;
    }
  }
  close_end(1);
  reader.join();
  EXPECT_EQ(read, expected);
}

TEST_F(LineWriterPipe, ThatNobodyReadsDropsWholeLinesCountsThemAndLetsTheWriterEnd) {
  const std::string line(std::size_t{1} << 20, 'x');
  constexpr std::size_t kLines = 64;
  const auto start = steady_clock::now();
  std::uint64_t dropped = 0;
  {
    LineWriter writer(ends_[1], "");
    for (std::size_t i = 0; i < kLines; ++i) writer.add(line + "\n");
    EXPECT_LT(steady_clock::now() - start, seconds(5)) << "whoever adds must not wait";
    dropped = writer.dropped();
  }
  // One batch may be on its way while the next fills up.
  const std::size_t most_kept = 2 * LineWriter::kMostQueuedBytes / line.size();
  EXPECT_GE(dropped, kLines - most_kept);
  EXPECT_LT(dropped, kLines);
  EXPECT_LT(steady_clock::now() - start, seconds(10)) << "a full pipe must not hold the end up";
}

TEST_F(LineWriterPipe, WithAPathDoesNotHoldTheEndUpEither) {
  LineWriter writer(::dup(ends_[1]), "a path");
  for (int i = 0; i < 100; ++i) writer.add(std::string(10'000, 'x') + "\n");
}

TEST_F(LineWriterPipe, WhoseReaderHasGoneLetsTheWriterEnd) {
  close_end(0);
  LineWriter writer(ends_[1], "");
  writer.add("nobody reads this\n");
}

}  // namespace
}  // namespace aifd::services
