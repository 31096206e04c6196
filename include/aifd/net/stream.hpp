// A TCP connection, plain or under TLS, as the rest of net reads and writes it.
#pragma once

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <span>

#include "aifd/chain/task.hpp"

namespace aifd::net {

using boost::system::error_code;
using tcp = asio::ip::tcp;
using Socket = asio::basic_stream_socket<tcp, LoopExecutor>;

// The completion token of every wait: the loop's own executor, errors as values.
inline constexpr asio::use_awaitable_t<LoopExecutor> kAwait{};

struct ReadResult {
  error_code ec;
  std::size_t count = 0;
};

// Up to four buffers, written as one.
class BufferList {
 public:
  using value_type = asio::const_buffer;
  using const_iterator = const asio::const_buffer*;

  void add(std::string_view bytes) noexcept {
    if (!bytes.empty()) buffers_[end_++] = asio::buffer(bytes);
  }
  void consume(std::size_t count) noexcept;
  void clear() noexcept { begin_ = end_ = 0; }
  bool empty() const noexcept { return begin_ == end_; }
  const_iterator begin() const noexcept { return buffers_.data() + begin_; }
  const_iterator end() const noexcept { return buffers_.data() + end_; }

 private:
  std::array<asio::const_buffer, 4> buffers_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

// Used on its loop's thread; one read and one write may wait at a time. Reads and writes of the hot
// path pass through here and nowhere else.
class Stream {
 public:
  using Tls = asio::ssl::stream<Socket&>;

  // Whoever makes the socket sees to TCP_NODELAY.
  explicit Stream(Socket socket);
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream();

  Socket& socket() noexcept { return socket_; }

  // Puts TLS over the connection; the caller then shakes hands on the stream returned.
  Tls& start_tls(asio::ssl::context& context);
  Tls* tls() noexcept { return tls_.get(); }

  // At least one byte, or an error; eof for an orderly end, ssl::error::stream_truncated for
  // a TLS peer that closed without saying so.
  Task<std::size_t> read_some(std::span<char> into, error_code& ec);

  // The same, to be awaited at once: such an operation waits in its caller's frame and needs no
  // coroutine of its own.
  auto read(std::span<char> into) {
    return asio::async_initiate<const asio::deferred_t, void(ReadResult)>(
        [this, into](auto handler) {
          async_read_some(into, [handler = std::move(handler)](const error_code& ec,
                                                               std::size_t count) mutable {
            std::move(handler)(ReadResult{ec, count});
          });
        },
        asio::deferred);
  }

  // The same for a plain handler: handler(error_code, size_t).
  template <class Handler>
  void async_read_some(std::span<char> into, Handler handler) {
    const asio::mutable_buffer buffer(into.data(), into.size());
    if (tls_) {
      tls_->async_read_some(buffer, std::move(handler));
    } else {
      socket_.async_read_some(buffer, std::move(handler));
    }
  }

  // A read under TLS ends with its record; this reads on in what has arrived behind it, and waits
  // for nothing. An error is left for the next read.
  std::size_t read_arrived(std::span<char> into) noexcept;

  // Reads what is here already; 0 also at an end or error, which the next read tells, and under
  // TLS.
  std::size_t try_read(std::span<char> into) noexcept;

  // Writes what the kernel takes at once and takes it off `buffers`; under TLS nothing.
  // would_block is no error here.
  void try_write(BufferList& buffers, error_code& ec);

  // Writes all of it.
  Task<void> write(BufferList& buffers, error_code& ec);

  // Whether the peer has ended, or sent something unasked: then a pooled connection is of no use.
  bool has_input_or_ended() noexcept;

  // Ends reading and writing at once: what waits completes with an error.
  void close() noexcept;
  // The same, and the peer sees a reset, so that it cannot take what it got for the whole.
  void reset() noexcept;

 private:
  std::size_t write_at_once(const BufferList& buffers, error_code& ec);

  Socket socket_;
  std::unique_ptr<Tls> tls_;  // after socket_, which it refers to
};

}  // namespace aifd::net
