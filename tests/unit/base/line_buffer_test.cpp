#include "aifd/base/line_buffer.hpp"

#include <gtest/gtest.h>

#include <string>

namespace aifd {
namespace {

TEST(LineBuffer, HoldsWhatWasAdded) {
  LineBuffer lines;
  EXPECT_TRUE(lines.empty());
  EXPECT_EQ(lines.view(), "");
  lines.append("");
  lines.append(std::string_view{});
  lines.append("one");
  lines.append('\n');
  lines[0] = 'O';
  EXPECT_EQ(lines.view(), "One\n");
  EXPECT_EQ(lines.size(), 4);
  EXPECT_FALSE(lines.empty());
}

TEST(LineBuffer, GrowsToAnySize) {
  LineBuffer lines;
  std::string expected;
  for (const std::size_t size : {1, 1000, 22, 1, 1, 5000, 3, 100'000}) {
    const std::string piece(size, static_cast<char>('a' + size % 7));
    lines.append(piece);
    lines.append(',');
    expected += piece + ',';
    ASSERT_EQ(lines.view(), expected);
  }
}

TEST(LineBuffer, TakesWhatIsWrittenIntoItsRoom) {
  LineBuffer lines;
  lines.append("a");
  char* const begin = lines.room(1000);
  lines.fill_to(std::fill_n(begin, 1000, 'b'));
  EXPECT_EQ(lines.view(), 'a' + std::string(1000, 'b'));
  lines.fill_to(lines.room(10));
  EXPECT_EQ(lines.size(), 1001);
}

TEST(LineBuffer, LosesItsEndOrItsBeginning) {
  LineBuffer lines;
  lines.append("one two three");
  lines.cut(7);
  EXPECT_EQ(lines.view(), "one two");
  lines.drop(4);
  EXPECT_EQ(lines.view(), "two");
  lines.drop(3);
  EXPECT_EQ(lines.view(), "");
  lines.drop(0);
  lines.append("four");
  EXPECT_EQ(lines.view(), "four");
}

TEST(LineBuffer, GivesBackMuchMemoryAlone) {
  LineBuffer lines;
  lines.append(std::string(1000, 'a'));
  const char* const bytes = lines.view().data();
  lines.cut(0);
  lines.release(100'000);
  EXPECT_EQ(lines.room(1000), bytes);
  lines.release(999);
  EXPECT_EQ(lines.view().data(), nullptr);
  lines.append("b");
  EXPECT_EQ(lines.view(), "b");
}

TEST(NewLine, StandsBehindTheOthersOnceItIsKept) {
  LineBuffer lines;
  lines.append("one\n");
  {
    NewLine line(lines);
    line.lines().append("two");
    EXPECT_EQ(line.text(), "two");
    line.replace("three");
    EXPECT_EQ(line.text(), "three");
    EXPECT_EQ(line.keep(), 6);
  }
  {
    NewLine line(lines);
    line.lines().append("four");
  }
  EXPECT_EQ(lines.view(), "one\nthree\n");
}

}  // namespace
}  // namespace aifd
