#include "aifd/base/cidr.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <system_error>

#include "aifd/base/decimal.hpp"
#include "aifd/base/words.hpp"

namespace aifd {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr unsigned kMappedBits = 96;
constexpr unsigned kAllBits = 128;
constexpr std::size_t kLongestAddress = INET6_ADDRSTRLEN;

Error wrong(std::string detail) {
  return {ErrorKind::bad_request, ErrorSource::aifd, false, std::move(detail)};
}

Error not_an_address() {
  return wrong("is not an IP address; write it like 10.0.0.1 or 2001:db8::1");
}

// How many bytes are the same in both, up to the first that is not.
std::size_t same_bytes(const IpAddress& left, const IpAddress& right) noexcept {
  const auto same = Bytes(std::bit_cast<Bytes>(left.bytes) == std::bit_cast<Bytes>(right.bytes));
  return first_bit(~bits_of(same));
}

// Whether the first `bits` bits are the same in both.
bool same_prefix(const IpAddress& left, const IpAddress& right, unsigned bits) noexcept {
  const unsigned whole = bits / 8;
  if (same_bytes(left, right) < whole) return false;
  const unsigned rest = bits % 8;
  if (rest == 0) return true;
  const unsigned mask = (0xffU << (8 - rest)) & 0xffU;
  return ((left.bytes[whole] ^ right.bytes[whole]) & mask) == 0;
}

IpAddress without_host_bits(const IpAddress& address, unsigned bits) {
  IpAddress result;
  for (unsigned i = 0; i < result.bytes.size(); ++i) {
    const unsigned kept = std::clamp(bits, i * 8, i * 8 + 8) - i * 8;
    result.bytes[i] = static_cast<std::uint8_t>(address.bytes[i] & (0xff00U >> kept));
  }
  return result;
}

Result<unsigned> parse_prefix_length(std::string_view text, unsigned longest) {
  unsigned bits = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bits);
  if (error != std::errc{} || end != text.data() + text.size() || bits > longest) {
    return wrong("has a prefix length that is not a number from 0 to " + std::to_string(longest));
  }
  return bits;
}

}  // namespace

bool IpAddress::is_v4() const noexcept {
  return std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), bytes.begin());
}

std::string IpAddress::to_string() const {
  std::array<char, kLongestAddress> text;
  if (!is_v4()) return inet_ntop(AF_INET6, bytes.data(), text.data(), text.size());
  char* end = text.data();  // by hand: inet_ntop goes through sprintf, and each request needs this
  for (std::size_t i = kMappedPrefix.size(); i < bytes.size(); ++i) {
    if (end != text.data()) *end++ = '.';
    end = put_small_number(end, bytes[i]);
  }
  return {text.data(), end};
}

Result<IpAddress> parse_ip_address(std::string_view text) {
  std::array<char, kLongestAddress> terminated{};
  if (text.empty() || text.size() >= terminated.size() ||
      text.find('\0') != std::string_view::npos) {
    return not_an_address();
  }
  std::memcpy(terminated.data(), text.data(), text.size());
  IpAddress address;
  if (inet_pton(AF_INET6, terminated.data(), address.bytes.data()) == 1) return address;
  std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), address.bytes.begin());
  if (inet_pton(AF_INET, terminated.data(), address.bytes.data() + kMappedPrefix.size()) == 1) {
    return address;
  }
  return not_an_address();
}

bool Cidr::contains(const IpAddress& address) const noexcept {
  if (prefix_bits < kMappedBits && address.is_v4()) return false;
  return same_prefix(base, address, prefix_bits);
}

std::string Cidr::to_string() const {
  const bool v4 = base.is_v4() && prefix_bits >= kMappedBits;
  return base.to_string() + "/" + std::to_string(v4 ? prefix_bits - kMappedBits : prefix_bits);
}

Result<Cidr> parse_cidr(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string_view address_text = text.substr(0, slash);
  const Result<IpAddress> address = parse_ip_address(address_text);
  if (!address) return address.error();
  if (slash == std::string_view::npos) return Cidr{*address, kAllBits};

  const bool dotted = address_text.find(':') == std::string_view::npos;
  const unsigned offset = dotted ? kMappedBits : 0;
  const Result<unsigned> length = parse_prefix_length(text.substr(slash + 1), kAllBits - offset);
  if (!length) return length.error();
  const Cidr block{without_host_bits(*address, *length + offset), *length + offset};
  if (block.base != *address) {
    return wrong("has bits set past its prefix; the block is " + block.to_string());
  }
  return block;
}

bool CidrSet::contains(const IpAddress& address) const noexcept {
  return std::any_of(blocks_.begin(), blocks_.end(),
                     [&](const Cidr& block) { return block.contains(address); });
}

}  // namespace aifd
