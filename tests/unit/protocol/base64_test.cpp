#include "base64.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace aifd::protocol {
namespace {

std::string encoded(std::string_view bytes) {
  std::string text = ">";
  append_base64(text, bytes);
  return text.substr(1);
}

// RFC 4648, 10.
TEST(Base64, IsThatOfTheStandard) {
  EXPECT_EQ(encoded(""), "");
  EXPECT_EQ(encoded("f"), "Zg==");
  EXPECT_EQ(encoded("fo"), "Zm8=");
  EXPECT_EQ(encoded("foo"), "Zm9v");
  EXPECT_EQ(encoded("foob"), "Zm9vYg==");
  EXPECT_EQ(encoded("\xFF\xEF\xBE"), "/+++");
}

TEST(Base64, ReadsWhatItWrites) {
  std::mt19937 random(1);
  for (std::size_t size = 0; size < 300; ++size) {
    std::string bytes;
    while (bytes.size() < size) bytes += static_cast<char>(random());
    EXPECT_EQ(decode_base64(encoded(bytes)), bytes);
  }
}

TEST(Base64, RefusesWhatItDoesNotWrite) {
  for (const std::string_view text :
       {"Z", "Zg", "Zg=", "Zg===", "=", "==", "====", "Zg==Zg==", "Z=g=", "Zh==", "Zm9=", "Zm9v\n",
        "Zm 9", "Zm9-", "Zm9_", "Zm\xFF v", "=Zm9"}) {
    EXPECT_FALSE(decode_base64(text)) << text;
  }
  EXPECT_FALSE(decode_base64(std::string_view("Zm9\0", 4)));
}

}  // namespace
}  // namespace aifd::protocol
