#include "aifd/protocol/proxy_protocol.hpp"

#include <gtest/gtest.h>

#include <string>

namespace aifd::protocol {
namespace {

using std::string_literals::operator""s;

const std::string kSignature = "\r\n\r\n\0\r\nQUIT\n"s;

std::string binary(char version_and_command, char kind, const std::string& rest) {
  const auto high = static_cast<char>(rest.size() >> 8);
  return kSignature + version_and_command + kind + high + static_cast<char>(rest.size()) + rest;
}

const std::string kV4 = "\xC0\x00\x02\x01\xC6\x33\x64\x01\xDC\x04\x01\xBB"s;
const std::string kV6 = "\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x01"s +
                        "\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x02\xDC\x04\x01\xBB"s;
const std::string kMappedV6 = "\0\0\0\0\0\0\0\0\0\0\xFF\xFF\xC0\x00\x02\x01"s + kV6.substr(16);

std::string show(const Result<std::optional<ProxyHeader>>& reading) {
  if (!reading) return "malformed";
  if (!*reading) return "more";
  const auto& source = (*reading)->source;
  const std::string length = std::to_string((*reading)->bytes) + " ";
  return length + (source ? source->address.to_string() + " " + std::to_string(source->port) : "-");
}

// What becomes of the bytes when they come one at a time, in which all but the last say "more".
std::string byte_by_byte(const std::string& bytes) {
  for (std::size_t count = 0; count <= bytes.size(); ++count) {
    const auto reading = read_proxy_header(std::string_view(bytes).substr(0, count));
    if (!reading) {
      EXPECT_EQ(reading.error().kind, ErrorKind::bad_request);
      EXPECT_FALSE(reading.error().detail.empty());
    }
    if (!reading || *reading) return show(reading);
  }
  return "more";
}

struct Case {
  std::string bytes;
  std::string result;  // but for the length, which is that of the bytes
};

class GoodProxyHeader : public testing::TestWithParam<Case> {};

TEST_P(GoodProxyHeader, IsReadToItsLastByte) {
  const auto& [bytes, result] = GetParam();
  const std::string due = std::to_string(bytes.size()) + " " + result;
  EXPECT_EQ(byte_by_byte(bytes), due);
  for (const std::string& behind :
       {"GET / HTTP/1.1\r\n\r\n"s, "\x16\x03\x01"s, bytes, "\n"s, "\0"s}) {
    EXPECT_EQ(show(read_proxy_header(bytes + behind)), due);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Line, GoodProxyHeader,
    testing::Values(Case{"PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n", "192.0.2.1 56324"},
                    Case{"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
                         "255.255.255.255 65535"},
                    Case{"PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n", "0.0.0.0 0"},
                    Case{"PROXY TCP6 2001:db8::1 2001:db8::2 56324 443\r\n", "2001:db8::1 56324"},
                    Case{"PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n", "192.0.2.1 1"},
                    Case{"PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
                         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
                         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535"},
                    Case{"PROXY UNKNOWN\r\n", "-"},
                    Case{"PROXY UNKNOWN 1.2.3.4 5.6.7.8 1 2\r\n", "-"},
                    Case{"PROXY UNKNOWN what\x01 ever\r\n", "-"},
                    Case{"PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
                         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
                         "-"}));

INSTANTIATE_TEST_SUITE_P(
    Binary, GoodProxyHeader,
    testing::Values(Case{binary(0x21, 0x11, kV4), "192.0.2.1 56324"},
                    Case{binary(0x21, 0x21, kV6), "2001:db8::1 56324"},
                    Case{binary(0x21, 0x21, kMappedV6), "192.0.2.1 56324"},
                    Case{binary(0x21, 0x11, kV4 + "\x04\x00\x02xx"s), "192.0.2.1 56324"},
                    Case{binary(0x21, 0x21, kV6 + std::string(4060, 'x')), "2001:db8::1 56324"},
                    Case{binary(0x21, 0x11, kV4 + std::string(300, '\xFF')), "192.0.2.1 56324"},
                    Case{binary(0x21, 0x12, kV4), "-"}, Case{binary(0x21, 0x22, kV6), "-"},
                    Case{binary(0x21, 0x10, kV4), "-"},
                    Case{binary(0x21, 0x31, std::string(216, '/')), "-"},
                    Case{binary(0x21, 0x00, ""), "-"}, Case{binary(0x21, 0x00, "abc"), "-"},
                    Case{binary(0x21, 0x01, kV4), "-"}, Case{binary(0x20, 0x00, ""), "-"},
                    Case{binary(0x20, 0x11, kV4), "-"}, Case{binary(0x20, 0x11, ""), "-"},
                    Case{binary(0x20, '\xFF', "ab"), "-"}));

class BadProxyHeader : public testing::TestWithParam<std::string> {};

TEST_P(BadProxyHeader, IsRefused) {
  EXPECT_EQ(byte_by_byte(GetParam()), "malformed");
  EXPECT_EQ(show(read_proxy_header(GetParam())), "malformed");
  EXPECT_EQ(show(read_proxy_header(GetParam() + std::string(8000, ' '))), "malformed");
}

INSTANTIATE_TEST_SUITE_P(
    Line, BadProxyHeader,
    testing::Values(
        "G", "GET / HTTP/1.1\r\n", "\x16\x03\x01", "\n", "\0"s, " PROXY", "proxy ", "PROXY\r\n",
        "PROXYTCP4 ", "PROXY \r\n", "PROXY TCP4\r\n", "PROXY TCP5 1.2.3.4 5.6.7.8 1 2\r\n",
        "PROXY tcp4 1.2.3.4 5.6.7.8 1 2\r\n", "PROXY UNKNOWNX\r\n", "PROXY unknown\r\n",
        "PROXY  UNKNOWN\r\n", "PROXY UNKNOWN\n", "PROXY UNKNOWN\r\r\n", "PROXY UNKNOWN a\rb\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2 \r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3\r\n", "PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n",
        "PROXY TCP4 1.2.3.4  5.6.7.8 1 2\r\n", "PROXY TCP4  1.2.3.4 5.6.7.8 1 2\r\n",
        "PROXY TCP4 1.2.3.4\t5.6.7.8 1 2\r\n", "PROXY TCP4 1.2.3 5.6.7.8 1 2\r\n",
        "PROXY TCP4 1.2.3.04 5.6.7.8 1 2\r\n", "PROXY TCP4 1.2.3.256 5.6.7.8 1 2\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7 1 2\r\n", "PROXY TCP4 ::1 ::2 1 2\r\n",
        "PROXY TCP4 ::ffff:1.2.3.4 5.6.7.8 1 2\r\n", "PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n",
        "PROXY TCP6 ::1 5.6.7.8 1 2\r\n", "PROXY TCP6 [::1] ::2 1 2\r\n",
        "PROXY TCP6 fe80::1%eth0 ::2 1 2\r\n", "PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1 65536\r\n", "PROXY TCP4 1.2.3.4 5.6.7.8 -1 2\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 +1 2\r\n", "PROXY TCP4 1.2.3.4 5.6.7.8 1 0x2\r\n",
        "PROXY TCP4 1.2.3.4\0 5.6.7.8 1 2\r\n"s, "PROXY UNKNOWN " + std::string(93, 'x'),
        "PROXY UNKNOWN " + std::string(92, 'x') + "\r\n", "PROXY " + std::string(101, ' ')));

INSTANTIATE_TEST_SUITE_P(
    Binary, BadProxyHeader,
    testing::Values(kSignature.substr(0, 4) + "X", kSignature.substr(0, 11) + "\r",
                    binary(0x11, 0x11, kV4), binary(0x31, 0x11, kV4), binary(0x01, 0x11, kV4),
                    binary(0x22, 0x11, kV4), binary(0x2F, 0x11, kV4), binary(0x21, 0x13, kV4),
                    binary(0x21, 0x1F, kV4), binary(0x21, 0x41, kV6), binary(0x21, '\xF1', kV6),
                    binary(0x21, 0x11, kV4.substr(1)), binary(0x21, 0x11, ""),
                    binary(0x21, 0x12, kV4.substr(1)), binary(0x21, 0x21, kV4),
                    binary(0x21, 0x31, std::string(215, '/')),
                    binary(0x21, 0x11, kV4 + std::string(4085, 'x')),
                    binary(0x20, 0x00, std::string(4097, 'x')), kSignature + "\x21\x11\xFF\xFF"));

TEST(ProxyHeader, WaitsForWhatIsMissing) {
  EXPECT_EQ(show(read_proxy_header("")), "more");
  EXPECT_EQ(byte_by_byte("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r"), "more");
  EXPECT_EQ(byte_by_byte("PROXY UNKNOWN " + std::string(92, 'x')), "more");
  EXPECT_EQ(byte_by_byte(kSignature), "more");
  EXPECT_EQ(byte_by_byte(binary(0x21, 0x11, kV4 + "abc").substr(0, 30)), "more");
}

TEST(ProxyHeader, OfOursIsGood) {
  EXPECT_EQ(show(read_proxy_header(kUnknownProxyHeader)), "15 -");
}

}  // namespace
}  // namespace aifd::protocol
