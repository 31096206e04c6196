#include "aifd/base/shared_text.hpp"

#include <gtest/gtest.h>

#include <string>

namespace aifd {
namespace {

TEST(SharedText, IsEmptyAtFirst) {
  EXPECT_EQ(SharedText().view(), "");
  EXPECT_EQ(SharedText::copy_of("").view(), "");
}

TEST(SharedText, CopiesTheBytesOnceAndSharesThemThen) {
  std::string text = "hello";
  const SharedText copy = SharedText::copy_of(text);
  text = "other";
  const SharedText second = copy;
  EXPECT_EQ(second.view(), "hello");
  EXPECT_EQ(second.size(), 5U);
  EXPECT_EQ(second.view().data(), copy.view().data());
}

TEST(GrowingText, TakesWhatWasWrittenIntoItsRoom) {
  GrowingText text;
  EXPECT_TRUE(text.empty());
  text.make_room(10);
  ASSERT_GE(text.room().size(), 10U);
  std::string("abcdef").copy(text.room().data(), 6);
  text.take(3);
  EXPECT_EQ(text.view(), "abc");
  text.append("x");
  EXPECT_EQ(text.view(), "abcx");
}

TEST(GrowingText, KeepsItsBytesWhenItMoves) {
  GrowingText text;
  std::string expected;
  for (int i = 0; i < 1000; ++i) {
    text.append(std::to_string(i));
    expected += std::to_string(i);
  }
  EXPECT_EQ(text.view(), expected);
  text.make_room(100'000);
  EXPECT_GE(text.room().size(), 100'000U);
  EXPECT_EQ(text.view(), expected);
}

TEST(GrowingText, IsSharedWithoutACopy) {
  SharedText shared;
  const char* bytes = nullptr;
  {
    GrowingText text;
    text.append("hello");
    bytes = text.view().data();
    shared = text.share();
  }
  EXPECT_EQ(shared.view(), "hello");
  EXPECT_EQ(shared.view().data(), bytes);
}

}  // namespace
}  // namespace aifd
