// What a client sends: heads, body bytes, the next request's first bytes, and its leaving.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "aifd/base/error.hpp"
#include "aifd/chain/event.hpp"
#include "aifd/chain/task.hpp"
#include "aifd/net/stream.hpp"

namespace aifd::net {

// Two buffers: `current_` holds the head that is being served, whose views must not move;
// `next_` takes what comes meanwhile. While an exchange runs, one read stays armed into next_: it
// costs no system call of its own, sees the client leave, and becomes the next request's first
// read.
class ClientInput {
 public:
  ClientInput(Stream& stream, LoopExecutor executor);

  // Waits for the next whole head. Errors: client_gone at an end or reset, head_too_large.
  // The view is valid until finish_exchange().
  Task<Result<std::string_view>> read_head();
  // Whether the head that is awaited has begun to arrive.
  bool head_begun() const noexcept { return current_.size > 0; }

  // Bytes behind the head that are here already, at most `max_bytes`; they may be changed in place.
  std::span<char> take_buffered(std::uint64_t max_bytes) noexcept;
  bool has_buffered() const noexcept { return taken_ < current_.size; }
  // Reads body bytes past what is buffered. Not while watching.
  Task<std::size_t> read_some(std::span<char> into, error_code& ec);
  // Gives back bytes that were read but belong to the next request.
  void give_back(std::span<const char> bytes);

  // The request is read whole: from now on on_gone is called once when the client leaves.
  void watch(std::function<void()> on_gone);

  // After an upgrade: what has come and comes, unparsed; the watch is over.
  Task<std::size_t> read_raw(std::span<char> into, error_code& ec);

  // The next head may be read. What was pipelined is kept.
  void finish_exchange();

  // Whether a read is armed that will see the client leave.
  bool watching() const noexcept { return reading_; }
  // Whether a FIN or reset has come, even behind bytes that nobody reads.
  bool peer_has_left() noexcept;

  // Ends the read under way. Then wait for settle() before this is destroyed.
  void cancel() noexcept;
  Task<void> settle();

  // Gives the buffers back while nothing has come for long; the wait for a byte then holds none.
  void release_buffers_while_idle();

 private:
  struct Buffer {
    std::unique_ptr<char[]> data;
    std::size_t capacity = 0;
    std::size_t size = 0;

    void reserve(std::size_t wanted);
    void append(std::span<const char> bytes);
    // Takes a smaller one where most of it is empty: an exchange may hold it for long.
    void tighten();
    std::span<char> free_space() const noexcept { return {data.get() + size, capacity - size}; }
    std::string_view view() const noexcept { return {data.get(), size}; }
  };

  void start_read();
  void on_read(const error_code& ec, std::size_t count);
  void start_idle_wait();

  Stream& stream_;
  chain::Event arrived_;
  Buffer current_;
  Buffer next_;
  std::size_t taken_ = 0;  // of current_: head and body bytes handed out
  bool serving_ = false;   // between read_head and finish_exchange: reads go to next_
  bool reading_ = false;
  bool waiting_idle_ = false;  // the armed operation is a wait for readability, without a buffer
  bool releasing_ = false;     // a cancelled read is to become such a wait
  error_code ended_;
  std::function<void()> on_gone_;
};

}  // namespace aifd::net
