#include "sip_hash.hpp"

#include <gtest/gtest.h>

namespace aifd::services {
namespace {

// Taken from Python, whose hash() of bytes is SipHash-1-3, with PYTHONHASHSEED=0 for the key zero;
// the other key's by a script that gives the same as that.
TEST(SipHash, IsWhatOthersCompute) {
  chain::CallerId caller;
  for (unsigned char i = 0; i < caller.size(); ++i) caller[i] = i;
  EXPECT_EQ(sip_hash({0, 0}, caller, 0x13121110), 0x639e355ae68c0100u);
  EXPECT_EQ(sip_hash({0x0706050403020100, 0x0f0e0d0c0b0a0908}, caller, 0x13121110),
            0xc0dc2f46a6cce040u);
}

// By the same script of Python.
TEST(SipHash, OfATextIsWhatOthersCompute) {
  EXPECT_EQ(sip_hash({0, 0}, "a"), 0x407448d2b89b1813u);
  EXPECT_EQ(sip_hash({0, 0}, "sk-1234"), 0x37d6fc04b395e59cu);
  EXPECT_EQ(sip_hash({0, 0}, "sk-12345"), 0x27af949d23896abeu);
  EXPECT_EQ(sip_hash({0, 0}, "fk-abcdefghijklmnopqrstuvwxyz"), 0xca160349bcc99802u);
}

TEST(SipHash, HasAnotherKeyEachTime) {
  EXPECT_NE(random_sip_key(), random_sip_key());
}

}  // namespace
}  // namespace aifd::services
