#include "aifd/base/find_text.hpp"

#include <gtest/gtest.h>

#include <string>

namespace aifd {
namespace {

constexpr std::size_t kNone = std::string_view::npos;

TEST(FindText, FindsItAtEachPlaceOfTextsOfEachSize) {
  for (const std::string wanted : {"k", "sk", "sk-", "sk-0123456789abcdefghijklmnopqrstuvwxyz"}) {
    for (std::size_t size = wanted.size(); size < 110; ++size) {
      const std::string without(size, 'x');
      EXPECT_EQ(find_text(without, wanted), kNone) << wanted << " in " << size;
      for (std::size_t at = 0; at + wanted.size() <= size; ++at) {
        const std::string text = std::string(without).replace(at, wanted.size(), wanted);
        EXPECT_EQ(find_text(text, wanted), at) << wanted << " in " << size;
        EXPECT_EQ(find_text(text, wanted, at), at);
        EXPECT_EQ(find_text(text, wanted, at + 1), kNone);
      }
    }
  }
}

TEST(FindText, FindsTheFirstOfSeveral) {
  const std::string text(100, 'a');
  for (std::size_t from = 0; from <= 100; ++from) {
    EXPECT_EQ(find_text(text, "aaa", from), from <= 97 ? from : kNone);
  }
}

TEST(FindText, IsNotTakenInByWhatBeginsAndEndsAlike) {
  std::string text;
  for (int i = 0; i < 50; ++i) text += "sk-aXc sk-bbc ";
  EXPECT_EQ(find_text(text, "sk-abc"), kNone);
  text += "sk-abc";
  EXPECT_EQ(find_text(text, "sk-abc"), text.size() - 6);
}

TEST(FindText, StaysWithinTheText) {
  const std::string text = std::string(80, 'x') + "sk-";
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_EQ(find_text(std::string_view(text).substr(0, size), "sk-"), kNone);
  }
}

}  // namespace
}  // namespace aifd
