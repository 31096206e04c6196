// One connection to an upstream: its bytes, its deadline, and what its failures mean.
#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <string_view>

#include "aifd/base/error.hpp"
#include "aifd/chain/stopper.hpp"
#include "aifd/net/deadline.hpp"
#include "aifd/net/stream.hpp"
#include "aifd/protocol/fields.hpp"

namespace aifd::net {

// Belongs to one exchange at a time, or rests in the pool; stays on its worker.
class UpstreamConnection final : public chain::Stoppable, private Deadline {
 public:
  UpstreamConnection(Socket socket, Ticker& ticker);

  Stream& stream() noexcept { return stream_; }

  // From here on failures are told as this exchange's; null: as nobody's, in the pool.
  void serve(chain::Stopper* stopper) noexcept;

  // If nothing arrives until then, reads and writes end with an error of this kind.
  void expect_within(std::chrono::milliseconds delay, ErrorKind otherwise) noexcept;
  void expect_nothing() noexcept { clear(); }

  // Reads once more into the buffer. False: the upstream ended its side in an orderly way.
  // To be awaited at once, like Stream::read.
  auto fill() {
    return asio::async_initiate<const asio::deferred_t, void(Result<bool>)>(
        [this](auto handler) {
          if (const Result<void> room = make_room(); !room) {
            std::move(handler)(room.error());
            return;
          }
          stream_.async_read_some({data_.get() + end_, capacity_ - end_},
                                  [this, handler = std::move(handler)](const error_code& ec,
                                                                       std::size_t count) mutable {
                                    std::move(handler)(note_read(ec, count));
                                  });
        },
        asio::deferred);
  }
  // What has been read and not consumed; may be changed in place.
  std::span<char> buffered() const noexcept { return {data_.get() + begin_, end_ - begin_}; }
  void consume(std::size_t count) noexcept;
  // Consumes all and lets the next fill() begin at the buffer's start, with more room where the
  // last one took it all, and with little where what comes may be a slow stream.
  void consume_all(bool more_may_be_slow) noexcept;

  // The final answer's head; interim ones (1xx but 101) are read past. Valid until the next fill().
  Task<Result<protocol::ResponseHead>> read_head();

  // Writes what goes at once and takes it off `buffers`; what is left is for write_rest().
  Result<void> try_write(BufferList& buffers);
  Task<Result<void>> write_rest(BufferList& buffers);
  // Both.
  Task<Result<void>> write(BufferList& buffers);

  bool reused() const noexcept { return reused_; }
  // Whether any byte was read, or taken by the kernel for writing, in this use.
  bool received_any() const noexcept { return received_any_; }
  bool sent_any() const noexcept { return sent_any_; }

  // Before it rests in the pool. The next use is likely to follow soon, so the buffer stays until
  // release_buffer().
  void rest() noexcept;
  void release_buffer() noexcept;

  void stop() noexcept override { stream_.close(); }

 private:
  Result<void> make_room();
  void replace_buffer(std::size_t capacity) noexcept;
  Result<bool> note_read(const error_code& ec, std::size_t count);
  void on_deadline() noexcept override;
  Error failure(std::string_view doing, const error_code& ec) const;

  Stream stream_;
  chain::Stopper* stopper_ = nullptr;
  std::unique_ptr<char[]> data_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::chrono::milliseconds allowed_{};
  ErrorKind late_kind_ = ErrorKind::upstream_first_byte_timeout;
  bool reused_ = false;
  bool late_ = false;
  bool slow_ = true;  // no read has filled the buffer in this use
  bool received_any_ = false;
  bool sent_any_ = false;
};

}  // namespace aifd::net
