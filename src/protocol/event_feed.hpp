// The events of a stream, one by one, while it comes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace aifd::protocol {

// Given the pieces of one stream, cut anywhere. Usually an event lies within one piece, and is
// looked at where it is; else its bytes are kept until it ends, up to a bound.
class EventFeed {
 public:
  enum class Kind {
    sse,   // WHATWG HTML, 9.2.5 and 9.2.6
    lines  // each line that is not empty is an event (NDJSON)
  };

  EventFeed(Kind kind, std::size_t max_event_bytes) noexcept
      : kind_(kind), max_bytes_(max_event_bytes) {}

  // The next piece; the last one has been read to its end. It stays until next() is false.
  void give(std::string_view bytes) noexcept { rest_ = bytes; }

  // No more pieces come: what has no end counts as ended. Before a last round of next().
  void end() noexcept { is_ended_ = true; }

  // The next event with data; false where it is not whole yet.
  bool next();

  // Of that event, until the next call: its "event" and its "data", lines joined by LF.
  std::string_view name() const noexcept { return name_; }
  std::string_view data() const noexcept { return data_; }

  // From now on the bound of what is kept of an event, where it is lower. What is kept already goes
  // with its event if it is more. Not before next() is false.
  void lower_bound(std::size_t max_event_bytes);

  std::size_t held_bytes() const noexcept { return line_.capacity() + kept_data_.capacity(); }

  // Whether events were passed over, being over the bound.
  bool was_cut() const noexcept { return was_cut_; }

 private:
  bool ends_event(std::string_view line);
  bool next_line(std::string_view& line);
  bool pass_byte_order_mark(std::string_view& line) noexcept;
  void keep_line(std::string_view part);
  void take_line(std::string_view line);
  void add_data(std::string_view value);
  void keep_data();
  void begin_event();
  void pass_over();

  Kind kind_;
  std::size_t max_bytes_;
  std::string_view rest_;  // of the piece
  std::string line_;       // one that has begun in an earlier piece
  bool has_line_ = false;  // it is whole, and goes when the next one is looked for
  std::string name_;
  std::string_view data_;
  std::string kept_data_;
  bool has_data_ = false;
  bool is_kept_ = false;   // data_ is in kept_data_, else in the piece
  bool is_given_ = false;  // the event goes with the next call
  bool is_passed_over_ = false;
  bool was_cut_ = false;
  bool after_cr_ = false;  // an LF now belongs to the line that has ended
  bool at_start_ = true;   // a byte order mark may come
  bool is_ended_ = false;
};

}  // namespace aifd::protocol
