#include "aifd/net/stream.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>

namespace aifd::net {
namespace {

constexpr std::size_t kJoinedBytes = 4096;

}  // namespace

void BufferList::consume(std::size_t count) noexcept {
  while (count > 0 && begin_ < end_) {
    asio::const_buffer& first = buffers_[begin_];
    if (count < first.size()) {
      first += count;
      return;
    }
    count -= first.size();
    ++begin_;
  }
  if (empty()) clear();
}

Stream::Stream(Socket socket) : socket_(std::move(socket)) {
  error_code ignored;  // a socket that died already fails at its first read
  socket_.non_blocking(true, ignored);
}

// OpenSSL takes a session off the list of those to resume when its connection ends unannounced;
// ours end so as a rule, once their last answer is complete.
Stream::~Stream() {
  if (tls_) SSL_set_shutdown(tls_->native_handle(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

Stream::Tls& Stream::start_tls(asio::ssl::context& context) {
  tls_ = std::make_unique<Tls>(socket_, context);
  return *tls_;
}

Task<std::size_t> Stream::read_some(std::span<char> into, error_code& ec) {
  const ReadResult got = co_await read(into);
  ec = got.ec;
  co_return got.count;
}

std::size_t Stream::read_arrived(std::span<char> into) noexcept {
  if (!tls_) return 0;
  std::size_t total = 0;
  std::size_t count = 0;
  while (total < into.size() && SSL_read_ex(tls_->native_handle(), into.data() + total,
                                            into.size() - total, &count) == 1) {
    total += count;
  }
  ERR_clear_error();
  return total;
}

std::size_t Stream::try_read(std::span<char> into) noexcept {
  if (tls_) return 0;
  const ssize_t got = ::recv(socket_.native_handle(), into.data(), into.size(), MSG_DONTWAIT);
  return got > 0 ? static_cast<std::size_t>(got) : 0;
}

// The kernel takes a few bytes in one place cheaper than in several, even with the copy.
std::size_t Stream::write_at_once(const BufferList& buffers, error_code& ec) {
  std::array<char, kJoinedBytes> joined;
  if (asio::buffer_size(buffers) > joined.size()) return socket_.write_some(buffers, ec);
  const std::size_t size = asio::buffer_copy(asio::buffer(joined), buffers);
  return socket_.write_some(asio::buffer(joined.data(), size), ec);
}

void Stream::try_write(BufferList& buffers, error_code& ec) {
  ec = {};
  if (tls_ || buffers.empty()) return;
  buffers.consume(write_at_once(buffers, ec));
  if (ec == asio::error::would_block || ec == asio::error::try_again) ec = {};
}

Task<void> Stream::write(BufferList& buffers, error_code& ec) {
  ec = {};
  if (buffers.empty()) co_return;
  if (tls_) {
    co_await asio::async_write(*tls_, buffers, asio::redirect_error(kAwait, ec));
  } else {
    co_await asio::async_write(socket_, buffers, asio::redirect_error(kAwait, ec));
  }
  buffers.clear();
}

bool Stream::has_input_or_ended() noexcept {
  char byte = 0;
  const ssize_t got = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return !(got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR));
}

void Stream::close() noexcept {
  error_code ignored;
  socket_.close(ignored);
}

void Stream::reset() noexcept {
  error_code ignored;
  socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  socket_.close(ignored);
}

}  // namespace aifd::net
