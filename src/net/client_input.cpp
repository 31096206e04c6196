#include "aifd/net/client_input.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "aifd/protocol/framing.hpp"

namespace aifd::net {
namespace {

constexpr std::size_t kFirstBytes = 4096;
constexpr std::size_t kWatchBytes = 1024;

Error client_gone() {
  return {ErrorKind::client_gone, ErrorSource::client, false, "The client closed the connection."};
}

}  // namespace

void ClientInput::Buffer::reserve(std::size_t wanted) {
  if (wanted <= capacity) return;
  auto larger = std::make_unique_for_overwrite<char[]>(wanted);
  std::copy_n(data.get(), size, larger.get());
  data = std::move(larger);
  capacity = wanted;
}

void ClientInput::Buffer::append(std::span<const char> bytes) {
  reserve(size + bytes.size());
  std::copy(bytes.begin(), bytes.end(), data.get() + size);
  size += bytes.size();
}

void ClientInput::Buffer::tighten() {
  const std::size_t enough = std::max(kWatchBytes, std::bit_ceil(size));
  if (enough > capacity / 2) return;
  Buffer tight;
  tight.reserve(enough);
  tight.append(view());
  *this = std::move(tight);
}

ClientInput::ClientInput(Stream& stream, LoopExecutor executor)
    : stream_(stream), arrived_(executor) {}

Task<Result<std::string_view>> ClientInput::read_head() {
  std::size_t scanned = 0;
  for (;;) {
    const std::size_t end = protocol::find_head_end(current_.view(), scanned);
    if (end <= protocol::kMaxHeadBytes) {  // npos is larger
      current_.tighten();
      taken_ = end;
      serving_ = true;
      co_return current_.view().substr(0, end);
    }
    if (current_.size >= protocol::kMaxHeadBytes) {
      co_return Error{
          ErrorKind::head_too_large, ErrorSource::client, false,
          "The request's head is larger than 64 KiB; send fewer or shorter header fields."};
    }
    scanned = current_.size;
    if (ended_) co_return client_gone();
    if (!reading_ && !waiting_idle_) start_read();
    co_await arrived_.wait();
  }
}

std::span<char> ClientInput::take_buffered(std::uint64_t max_bytes) noexcept {
  const std::size_t count = std::min<std::uint64_t>(max_bytes, current_.size - taken_);
  const std::span<char> bytes(current_.data.get() + taken_, count);
  taken_ += count;
  return bytes;
}

Task<std::size_t> ClientInput::read_some(std::span<char> into, error_code& ec) {
  return stream_.read_some(into, ec);
}

void ClientInput::give_back(std::span<const char> bytes) {
  if (!bytes.empty() && bytes.data() + bytes.size() == current_.data.get() + taken_) {
    taken_ -= bytes.size();  // they lie where they came from
  } else {
    next_.append(bytes);
  }
}

void ClientInput::watch(std::function<void()> on_gone) {
  if (has_buffered()) next_.append(take_buffered(current_.size));
  on_gone_ = std::move(on_gone);
  if (ended_) {
    std::exchange(on_gone_, nullptr)();
  } else if (!reading_ && next_.size == 0) {
    start_read();
  }
}

Task<std::size_t> ClientInput::read_raw(std::span<char> into, error_code& ec) {
  on_gone_ = nullptr;
  while (reading_) co_await arrived_.wait();
  if (next_.size == 0) {
    ec = ended_;
    if (ec) co_return 0;
    co_return co_await stream_.read_some(into, ec);
  }
  const std::size_t count = std::min(into.size(), next_.size);
  std::copy_n(next_.data.get(), count, into.data());
  std::copy(next_.data.get() + count, next_.data.get() + next_.size, next_.data.get());
  next_.size -= count;
  co_return count;
}

void ClientInput::finish_exchange() {
  on_gone_ = nullptr;
  if (has_buffered()) next_.append(take_buffered(current_.size));
  std::swap(current_, next_);
  next_.size = 0;
  taken_ = 0;
  serving_ = false;
}

bool ClientInput::peer_has_left() noexcept {
  tcp_info info{};
  socklen_t length = sizeof info;
  if (::getsockopt(stream_.socket().native_handle(), IPPROTO_TCP, TCP_INFO, &info, &length) != 0) {
    return true;
  }
  return info.tcpi_state != TCP_ESTABLISHED;
}

// While serving, the buffer never grows under an armed read, and what it holds is bounded: a client
// that pipelines more is read on when its next head is due.
void ClientInput::start_read() {
  Buffer& buffer = serving_ ? next_ : current_;
  if (serving_) {
    buffer.reserve(kWatchBytes);
  } else if (buffer.free_space().empty()) {
    buffer.reserve(std::clamp(buffer.capacity * 4, kFirstBytes, protocol::kMaxHeadBytes));
  }
  reading_ = true;
  stream_.async_read_some(buffer.free_space(),
                          [this](const error_code& ec, std::size_t count) { on_read(ec, count); });
}

void ClientInput::on_read(const error_code& ec, std::size_t count) {
  reading_ = false;
  const bool releasing = std::exchange(releasing_, false);
  if (releasing && ec == asio::error::operation_aborted) {
    start_idle_wait();
    return;
  }
  (serving_ ? next_ : current_).size += count;
  if (ec) ended_ = ec;
  if (on_gone_) {
    if (ended_) std::exchange(on_gone_, nullptr)();
    return;
  }
  arrived_.set_from_handler();
}

void ClientInput::cancel() noexcept {
  error_code ignored;
  stream_.socket().cancel(ignored);
}

Task<void> ClientInput::settle() {
  while (reading_ || waiting_idle_) co_await arrived_.wait();
}

void ClientInput::release_buffers_while_idle() {
  if (!reading_ || serving_ || current_.size > 0 || stream_.tls() != nullptr) return;
  releasing_ = true;
  cancel();
}

void ClientInput::start_idle_wait() {
  current_ = {};
  next_ = {};
  waiting_idle_ = true;
  stream_.socket().async_wait(Socket::wait_read, [this](const error_code& ec) {
    waiting_idle_ = false;
    if (ec) ended_ = ec;
    arrived_.set_from_handler();
  });
}

}  // namespace aifd::net
