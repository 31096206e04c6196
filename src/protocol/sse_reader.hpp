// The events of a whole event stream, one by one (WHATWG HTML, 9.2.5 and 9.2.6).
#pragma once

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

 private:
  bool next_line(std::string_view& line) noexcept;
  void take_field(std::string_view line);

  std::string_view rest_;
  std::string name_;
  std::string data_;
  bool has_data_ = false;
};

}  // namespace aifd::protocol
