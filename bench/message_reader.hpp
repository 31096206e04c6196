#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace bench {

// Takes one HTTP/1.1 message after the other out of a stream of bytes. It is strict about the
// framing of bodies: what a proxy gets wrong there must not go unseen.
class MessageReader {
 public:
  enum class Kind { request, response };
  using OnBody = std::function<void(std::string_view)>;

  explicit MessageReader(Kind kind) : kind_(kind) {}

  // Uses bytes up to the end of the message, and returns how many. Body bytes go to `on_body`.
  std::size_t take(std::string_view bytes, const OnBody& on_body);

  void end_of_stream();  // ends a response that has no length
  void restart();        // for the next message

  bool begun() const { return state_ != State::head || !head_.empty(); }
  bool done() const { return state_ == State::done; }
  bool broken() const { return state_ == State::broken; }
  bool head_complete() const { return state_ != State::head; }
  bool closes() const { return closes_; }  // the sender will close the connection
  int status() const { return status_; }
  const std::string& head() const { return head_; }

 private:
  enum class State {
    head,
    length,
    until_close,
    chunk_size,
    chunk_data,
    chunk_end,
    trailer,
    done,
    broken
  };

  std::size_t take_head(std::string_view bytes);
  std::size_t take_data(std::string_view bytes, const OnBody& on_body);
  std::size_t take_line(std::string_view bytes);
  void head_ended();
  void line_ended();
  void chunk_begins();
  std::string_view field(std::string_view name) const;

  Kind kind_;
  State state_ = State::head;
  std::string head_;
  std::string line_;
  std::uint64_t left_ = 0;
  int status_ = 0;
  bool closes_ = false;
};

}  // namespace bench
