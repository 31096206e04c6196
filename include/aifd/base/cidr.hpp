// Blocks of IP addresses, and whether an address lies in one of them.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "aifd/base/error.hpp"

namespace aifd {

// An IPv4 or IPv6 address, kept as 16 bytes; IPv4 is kept v4-mapped (::ffff:a.b.c.d), so that
// 10.0.0.1 and ::ffff:10.0.0.1 are one address (RFC 4291, 2.5.5.2).
struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};

  bool is_v4() const noexcept;
  std::string to_string() const;  // "10.0.0.1", "2001:db8::1"

  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;
};

// "10.0.0.1", "2001:db8::1", "::ffff:10.0.0.1"; no zone, no port, no brackets.
Result<IpAddress> parse_ip_address(std::string_view text);

struct Cidr {
  IpAddress base;              // bits past the prefix are zero
  unsigned prefix_bits = 128;  // of the 16-byte form: an IPv4 /8 is 104

  // IPv4 addresses lie only in IPv4 blocks: "::/0" is every IPv6 address and no other.
  bool contains(const IpAddress& address) const noexcept;
  std::string to_string() const;  // "10.0.0.0/8"

  friend bool operator==(const Cidr&, const Cidr&) = default;
};

// An address alone (a block of one), or "10.0.0.0/8". Bits set past the prefix are an error, since
// they are a slip more often than a wish.
Result<Cidr> parse_cidr(std::string_view text);

class CidrSet {
 public:
  CidrSet() = default;
  explicit CidrSet(std::vector<Cidr> blocks) : blocks_(std::move(blocks)) {}

  bool contains(const IpAddress& address) const noexcept;
  bool empty() const noexcept { return blocks_.empty(); }
  const std::vector<Cidr>& blocks() const noexcept { return blocks_; }

 private:
  std::vector<Cidr> blocks_;
};

}  // namespace aifd
