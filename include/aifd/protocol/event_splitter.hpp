// Where one event of a streamed answer ends and the next begins.
#pragma once

#include <cstddef>
#include <string_view>

namespace aifd::protocol {

// Fed with a body's pieces in order, cut anywhere. Keeps three flags and no bytes.
class EventSplitter {
 public:
  enum class Kind {
    sse,   // an event ends with an empty line; lines end with LF, CR LF or CR (WHATWG HTML, 9.2.5)
    lines  // each line is an event (NDJSON, as Ollama streams)
  };

  explicit EventSplitter(Kind kind = Kind::sse) noexcept : kind_(kind) {}

  // Whether these bytes, which come next, begin an event: not where one is under way, or only the
  // LF of a CR LF is left of it.
  bool begins_event(std::string_view bytes) const noexcept {
    return between_events_ && !(after_cr_ && bytes.starts_with('\n'));
  }

  // Takes bytes up to the end of the event that they begin or continue, or all where it ends
  // later; how many that were.
  std::size_t take(std::string_view bytes) noexcept;

 private:
  bool end_line() noexcept;

  Kind kind_;
  bool between_events_ = true;
  bool line_is_empty_ = true;
  bool after_cr_ = false;  // an LF now belongs to the line that has ended
};

}  // namespace aifd::protocol
