// The events of a whole event stream, one by one (WHATWG HTML, 9.2.5 and 9.2.6).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace aifd::protocol {

// Reads a stream that must outlive it. An event that the stream's end cuts off is not given.
class SseReader {
 public:
  explicit SseReader(std::string_view stream) noexcept;

  // False at the end. Events with neither a name nor data are passed over.
  bool next();

  const std::string& name() const noexcept { return name_; }
  const std::string& data() const noexcept { return data_; }  // its lines joined by LF

  // Where the event stands in the stream: all lines since an empty one, with the one that ends it.
  std::size_t begin() const noexcept { return begin_; }
  std::size_t end() const noexcept { return stream_.size() - rest_.size(); }

 private:
  bool next_line(std::string_view& line) noexcept;
  void take_field(std::string_view line);

  std::string_view stream_;
  std::string_view rest_;
  std::size_t begin_ = 0;
  std::string name_;
  std::string data_;
  bool has_data_ = false;
};

}  // namespace aifd::protocol
