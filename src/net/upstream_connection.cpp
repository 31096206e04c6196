#include "aifd/net/upstream_connection.hpp"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <string>

#include "aifd/protocol/framing.hpp"
#include "aifd/protocol/head_parser.hpp"

namespace aifd::net {
namespace {

// Grows when a read fills it.
constexpr std::size_t kFirstBytes = 4 * 1024;
constexpr std::size_t kSlowBytes = 1024;  // while a stream is slow
constexpr std::size_t kLargestBytes = 64 * 1024;

std::string seconds_text(std::chrono::milliseconds time) {
  std::string text = std::to_string(time.count() / 1000);
  if (const auto rest = time.count() % 1000; rest != 0) {
    text += "." + std::to_string(1000 + rest).substr(1);
  }
  return text + " s";
}

}  // namespace

UpstreamConnection::UpstreamConnection(Socket socket, Ticker& ticker)
    : Deadline(ticker), stream_(std::move(socket)) {
  error_code ignored;  // as in Stream
  stream_.socket().set_option(tcp::no_delay(true), ignored);
}

void UpstreamConnection::serve(chain::Stopper* stopper) noexcept {
  stopper_ = stopper;
  clear();
  if (stopper == nullptr) return;
  slow_ = true;
  received_any_ = false;
  sent_any_ = false;
}

void UpstreamConnection::expect_within(std::chrono::milliseconds delay,
                                       ErrorKind otherwise) noexcept {
  allowed_ = delay;
  late_kind_ = otherwise;
  set_after(delay);
}

void UpstreamConnection::on_deadline() noexcept {
  late_ = true;
  stream_.close();
}

Error UpstreamConnection::failure(std::string_view doing, const error_code& ec) const {
  if (stopper_ != nullptr && stopper_->stopped()) return *stopper_->reason();
  if (late_) {
    const std::string_view setting =
        late_kind_ == ErrorKind::upstream_idle_timeout ? "IDLE_TIMEOUT" : "FIRST_BYTE_TIMEOUT";
    return {late_kind_, ErrorSource::upstream, false,
            "The upstream sent nothing for " + seconds_text(allowed_) + " (" +
                std::string(setting) + ")."};
  }
  return {ErrorKind::upstream_broke, ErrorSource::upstream, !sent_any_,
          "The upstream broke the connection while aifd was " + std::string(doing) + ": " +
              ec.message() + "."};
}

Result<void> UpstreamConnection::make_room() {
  if (end_ == capacity_) {
    const std::size_t wanted = std::clamp(capacity_ * 4, kFirstBytes, kLargestBytes);
    if (wanted == capacity_) {
      return Error{ErrorKind::upstream_malformed, ErrorSource::upstream, false,
                   "The upstream's answer has a head larger than 64 KiB."};
    }
    auto larger = std::make_unique_for_overwrite<char[]>(wanted);
    std::copy_n(data_.get() + begin_, end_ - begin_, larger.get());
    data_ = std::move(larger);
    capacity_ = wanted;
    end_ -= begin_;
    begin_ = 0;
  }
  return {};
}

Result<bool> UpstreamConnection::note_read(const error_code& ec, std::size_t count) {
  if (ec == asio::error::eof) return false;
  if (ec) return failure("reading its answer", ec);
  end_ += count;
  end_ += stream_.read_arrived({data_.get() + end_, capacity_ - end_});
  received_any_ = true;
  return true;
}

void UpstreamConnection::consume(std::size_t count) noexcept {
  begin_ += count;
}

void UpstreamConnection::consume_all(bool more_may_be_slow) noexcept {
  if (end_ == capacity_ && capacity_ < kLargestBytes) {
    slow_ = false;  // from now on a small piece says nothing
    replace_buffer(std::clamp(capacity_ * 4, kFirstBytes, kLargestBytes));
  } else if (more_may_be_slow && slow_ && end_ <= kSlowBytes && capacity_ > kSlowBytes) {
    replace_buffer(kSlowBytes);
  }
  begin_ = end_ = 0;
}

void UpstreamConnection::replace_buffer(std::size_t capacity) noexcept {
  data_ = std::make_unique_for_overwrite<char[]>(capacity);
  capacity_ = capacity;
}

Task<Result<protocol::ResponseHead>> UpstreamConnection::read_head() {
  std::size_t scanned = 0;
  for (;;) {
    const std::string_view bytes(data_.get() + begin_, end_ - begin_);
    const std::size_t head_end = protocol::find_head_end(bytes, scanned);
    if (head_end == std::string_view::npos) {
      scanned = bytes.size();
      const Result<bool> more = co_await fill();
      if (!more) co_return more.error();
      if (!*more) co_return failure("waiting for its answer", asio::error::eof);
      continue;
    }
    Result<protocol::ResponseHead> head = protocol::parse_response_head(bytes.substr(0, head_end));
    if (!head) co_return head;
    begin_ += head_end;
    const bool interim = head->status >= 100 && head->status < 200 && head->status != 101;
    if (!interim) co_return head;
    scanned = 0;
  }
}

Result<void> UpstreamConnection::try_write(BufferList& buffers) {
  const std::size_t before = asio::buffer_size(buffers);
  error_code ec;
  stream_.try_write(buffers, ec);
  if (stream_.tls() != nullptr || asio::buffer_size(buffers) < before) sent_any_ = true;
  if (ec) return failure("sending the request", ec);
  return {};
}

Task<Result<void>> UpstreamConnection::write(BufferList& buffers) {
  if (Result<void> begun = try_write(buffers); !begun) co_return begun;
  co_return co_await write_rest(buffers);
}

Task<Result<void>> UpstreamConnection::write_rest(BufferList& buffers) {
  error_code ec;
  co_await stream_.write(buffers, ec);
  if (ec) co_return failure("sending the request", ec);
  sent_any_ = true;
  buffers.clear();
  co_return Result<void>{};
}

void UpstreamConnection::rest() noexcept {
  serve(nullptr);
  reused_ = true;
  begin_ = end_ = 0;
  if (capacity_ < kFirstBytes) release_buffer();
}

void UpstreamConnection::release_buffer() noexcept {
  data_.reset();
  capacity_ = 0;
}

}  // namespace aifd::net
