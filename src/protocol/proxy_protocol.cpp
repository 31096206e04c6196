#include "aifd/protocol/proxy_protocol.hpp"

#include <algorithm>
#include <charconv>

#include "authority.hpp"

namespace aifd::protocol {
namespace {

constexpr std::string_view kStart = "PROXY ";                       // version 1
constexpr std::string_view kSignature{"\r\n\r\n\0\r\nQUIT\n", 12};  // version 2
constexpr std::size_t kMaxLineBytes = 107;
constexpr std::size_t kFixedBytes = 16;  // version 2, before the addresses

using Reading = Result<std::optional<ProxyHeader>>;
using Source = ProxyHeader::Source;

Error malformed(const char* reason) {
  return {ErrorKind::bad_request, ErrorSource::client, false, reason};
}

// Whether `bytes` are the whole of `start`, or the beginning of it.
bool may_begin_with(std::string_view bytes, std::string_view start) noexcept {
  const std::size_t count = std::min(bytes.size(), start.size());
  return bytes.substr(0, count) == start.substr(0, count);
}

// Takes what stands before the next space, and the space.
std::string_view take_word(std::string_view& line) noexcept {
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

std::optional<IpAddress> read_address(std::string_view text, bool v6) {
  if ((text.find(':') != std::string_view::npos) != v6) return std::nullopt;
  const Result<IpAddress> address = parse_ip_address(text);
  return address ? std::optional(*address) : std::nullopt;
}

// Decimal, without leading zeros.
std::optional<std::uint16_t> read_port(std::string_view text) noexcept {
  if (text.empty() || !is_port(text) || (text.front() == '0' && text.size() > 1)) {
    return std::nullopt;
  }
  std::uint16_t port = 0;
  std::from_chars(text.data(), text.data() + text.size(), port);
  return port;
}

// "192.0.2.1 198.51.100.1 56324 443"
std::optional<Source> read_endpoints(std::string_view line, bool v6) {
  if (std::ranges::count(line, ' ') != 3) return std::nullopt;
  const std::optional<IpAddress> source = read_address(take_word(line), v6);
  const std::optional<IpAddress> destination = read_address(take_word(line), v6);
  const std::optional<std::uint16_t> source_port = read_port(take_word(line));
  const std::optional<std::uint16_t> destination_port = read_port(take_word(line));
  if (!source || !destination || !source_port || !destination_port) return std::nullopt;
  return Source{*source, *source_port};
}

Reading read_line(std::string_view bytes) {
  const std::size_t newline = bytes.substr(0, kMaxLineBytes).find('\n');
  if (newline == std::string_view::npos) {
    if (bytes.size() >= kMaxLineBytes) return malformed("its first line is over 107 bytes");
    return std::optional<ProxyHeader>{};
  }
  ProxyHeader header{newline + 1, {}};
  std::string_view line = bytes.substr(kStart.size(), newline - kStart.size());
  if (line.find('\r') != line.size() - 1) return malformed("its first line does not end in CR LF");
  line.remove_suffix(1);
  const std::string_view transport = take_word(line);
  if (transport == "UNKNOWN") return header;  // the rest of the line is to be ignored
  const bool v6 = transport == "TCP6";
  if (!v6 && transport != "TCP4") {
    return malformed("it names a transport other than TCP4, TCP6 and UNKNOWN");
  }
  header.source = read_endpoints(line, v6);
  if (!header.source) return malformed("it has no two addresses and two ports of its transport");
  return header;
}

std::size_t read_number(std::string_view two_bytes) noexcept {
  return static_cast<std::size_t>(static_cast<unsigned char>(two_bytes[0])) << 8 |
         static_cast<unsigned char>(two_bytes[1]);
}

// What version 2 says in the 14th byte: the family's number and the transport's.
struct Kind {
  unsigned family;     // 0: unspecified, 1: IPv4, 2: IPv6, 3: Unix
  unsigned transport;  // 0: unspecified, 1: stream, 2: datagram

  bool known() const noexcept { return family <= 3 && transport <= 2; }
  std::size_t address_block_bytes() const noexcept {
    constexpr std::size_t kBytes[] = {0, 12, 36, 216};
    return kBytes[family];
  }
  std::size_t address_bytes() const noexcept { return family == 1 ? 4 : 16; }
  bool is_tcp() const noexcept { return (family == 1 || family == 2) && transport == 1; }
};

// Source address, destination address, source port, destination port.
Source read_binary_source(std::string_view block, const Kind& kind) noexcept {
  Source source;
  const std::size_t count = kind.address_bytes();
  if (count == 4) source.address.bytes[10] = source.address.bytes[11] = 0xff;
  std::copy_n(block.begin(), count,
              source.address.bytes.end() - static_cast<std::ptrdiff_t>(count));
  source.port = static_cast<std::uint16_t>(read_number(block.substr(2 * count, 2)));
  return source;
}

Reading read_binary(std::string_view bytes) {
  if (bytes.size() < kFixedBytes) return std::optional<ProxyHeader>{};
  const unsigned version_and_command = static_cast<unsigned char>(bytes[12]);
  const unsigned family_and_transport = static_cast<unsigned char>(bytes[13]);
  if (version_and_command >> 4 != 2) return malformed("its binary version is not 2");
  if ((version_and_command & 15) > 1) return malformed("its command is neither LOCAL nor PROXY");
  const bool local = (version_and_command & 15) == 0;
  const Kind kind{family_and_transport >> 4, family_and_transport & 15};
  const std::size_t length = read_number(bytes.substr(14, 2));
  if (length > kMaxProxyHeaderBytes - kFixedBytes) return malformed("it is over 4 KiB");
  if (!local && !kind.known()) return malformed("its address family or transport is unknown");
  if (!local && length < kind.address_block_bytes()) {
    return malformed("it is too short for its addresses");
  }
  ProxyHeader header{kFixedBytes + length, {}};
  if (bytes.size() < header.bytes) return std::optional<ProxyHeader>{};
  if (!local && kind.is_tcp()) {
    header.source = read_binary_source(bytes.substr(kFixedBytes, length), kind);
  }
  return header;
}

}  // namespace

Result<std::optional<ProxyHeader>> read_proxy_header(std::string_view bytes) {
  if (bytes.empty()) return std::optional<ProxyHeader>{};
  if (may_begin_with(bytes, kSignature)) return read_binary(bytes);
  if (!may_begin_with(bytes, kStart)) return malformed("it begins with something else");
  return bytes.size() < kStart.size() ? Reading{std::optional<ProxyHeader>{}} : read_line(bytes);
}

}  // namespace aifd::protocol
