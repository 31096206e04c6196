// A slow and plain reader of heads for tests: no check of its own, views into the text given.
#pragma once

#include <string_view>

#include "aifd/protocol/fields.hpp"

namespace aifd::protocol {

inline std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

inline std::string_view take_until(std::string_view& text, std::string_view separator) {
  const std::size_t at = text.find(separator);
  const std::string_view taken = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + separator.size());
  return taken;
}

inline void read_fields(std::string_view text, Fields& fields) {
  for (std::string_view line = take_until(text, "\r\n"); !line.empty();
       line = take_until(text, "\r\n")) {
    const std::string_view name = take_until(line, ":");
    fields.add(name, trim(line));
  }
}

inline RequestHead read_request(std::string_view text) {
  RequestHead head;
  std::string_view line = take_until(text, "\r\n");
  head.method = take_until(line, " ");
  head.target = take_until(line, " ");
  head.version_minor = line == "HTTP/1.0" ? 0 : 1;
  read_fields(text, head.fields);
  return head;
}

inline ResponseHead read_response(std::string_view text) {
  ResponseHead head;
  std::string_view line = take_until(text, "\r\n");
  head.version_minor = take_until(line, " ") == "HTTP/1.0" ? 0 : 1;
  for (const char c : take_until(line, " ").substr(0, 4)) head.status = head.status * 10 + c - '0';
  head.reason = line;
  read_fields(text, head.fields);
  return head;
}

}  // namespace aifd::protocol
