// A byte connection to a server of ours, such as Redis, whatever carries it: plain TCP, or TLS,
// which only module net may know.
#pragma once

#include <boost/system/error_code.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "aifd/base/error.hpp"
#include "aifd/chain/task.hpp"

namespace aifd::chain {

// For one connection: connected once, closed once. Used on its loop's thread; one read and one
// write may wait at a time. Must live until what waits on it has ended, or its loop is destroyed.
class ByteStream {
 public:
  ByteStream() = default;
  ByteStream(const ByteStream&) = delete;
  ByteStream& operator=(const ByteStream&) = delete;
  virtual ~ByteStream() = default;

  // To the first of the host's addresses that answers; under TLS with the handshake, after which
  // the peer is known to be `host`. It has no time limit of its own: close() ends it. The error's
  // detail is half a sentence for a person.
  virtual Task<Result<void>> connect(const std::string& host, std::uint16_t port) = 0;

  // At least one byte, or an error; eof for an orderly end.
  virtual Task<std::size_t> read_some(std::span<char> into, boost::system::error_code& ec) = 0;

  // All of it, or an error.
  virtual Task<void> write(std::string_view bytes, boost::system::error_code& ec) = 0;

  // What waits ends with an error, soon and not within this call.
  virtual void close() noexcept = 0;
};

// Makes of a plain stream that is not connected yet one that carries TLS.
using WrapByteStream = std::function<std::unique_ptr<ByteStream>(std::unique_ptr<ByteStream>)>;

}  // namespace aifd::chain
