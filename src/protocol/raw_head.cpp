// The checks on a head's bytes; what the fields mean is judged in framing.cpp.
#include <cstring>

#include "aifd/protocol/framing.hpp"
#include "chars.hpp"

namespace aifd::protocol {
namespace {

Error refuse(ErrorKind kind, std::string_view detail) {
  return Error{kind, ErrorSource::client, false, std::string(detail)};
}

Error malformed(std::string_view detail) {
  return refuse(ErrorKind::bad_request, detail);
}

constexpr std::uint64_t repeated(unsigned char byte) {
  return 0x0101010101010101ULL * byte;
}

// Whether any of eight bytes is below 0x20 or is 0x7F. Tab is among them: the caller looks again.
constexpr bool may_hold_control(std::uint64_t word) {
  const std::uint64_t below_space = (word - repeated(0x20)) & ~word;
  const std::uint64_t not_delete = word ^ repeated(0x7F);
  const std::uint64_t is_delete = (not_delete - repeated(0x01)) & ~not_delete;
  return ((below_space | is_delete) & repeated(0x80)) != 0;
}

bool is_field_text(std::string_view text) {
  while (text.size() >= sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data(), sizeof word);
    if (may_hold_control(word) && !kFieldValueChars.has_all(text.substr(0, sizeof word))) {
      return false;
    }
    text.remove_prefix(sizeof word);
  }
  return kFieldValueChars.has_all(text);
}

// Takes the next line off `head`; false where it does not end in CR LF.
bool take_line(std::string_view& head, std::string_view& line) {
  const std::size_t newline = head.find('\n');
  if (newline == std::string_view::npos || newline == 0 || head[newline - 1] != '\r') return false;
  line = head.substr(0, newline - 1);
  head.remove_prefix(newline + 1);
  return true;
}

Result<void> check_field_line(std::string_view line) {
  if (line.front() == ' ' || line.front() == '\t') {
    return malformed("A header field is folded over several lines; write each on one line.");
  }
  std::size_t colon = 0;
  while (colon < line.size() && kTokenChars.has(line[colon])) ++colon;
  if (colon == 0 || colon == line.size() || line[colon] != ':') {
    return malformed(
        "A header field's name is empty or holds a space or another character that may not stand "
        "before the colon; write it as \"Name: value\".");
  }
  if (!is_field_text(line.substr(colon + 1))) {
    return malformed("A header field's value holds a control character; remove it.");
  }
  return {};
}

}  // namespace

std::size_t find_head_end(std::string_view bytes, std::size_t from) noexcept {
  for (std::size_t i = bytes.find('\n', from); i != std::string_view::npos;
       i = bytes.find('\n', i + 1)) {
    const bool after_lf = i >= 1 && bytes[i - 1] == '\n';
    const bool after_lf_cr = i >= 2 && bytes[i - 1] == '\r' && bytes[i - 2] == '\n';
    if (after_lf || after_lf_cr) return i + 1;
  }
  return std::string_view::npos;
}

Result<void> check_raw_head(std::string_view head) {
  if (head.size() > kMaxHeadBytes) {
    return refuse(ErrorKind::head_too_large, "The head is over 64 KiB; send fewer header fields.");
  }
  constexpr std::string_view kBadLineEnd =
      "A line of the head does not end in CR LF; write \\r\\n.";
  std::string_view line;
  if (!take_line(head, line)) return malformed(kBadLineEnd);
  if (line.empty() || !is_field_text(line) || line.find('\t') != std::string_view::npos) {
    return malformed("The first line of the head is empty or holds a control character.");
  }
  for (std::size_t fields = 0; take_line(head, line); ++fields) {
    if (line.empty()) {
      if (head.empty()) return {};
      return malformed("The head has bytes after its blank line.");
    }
    if (fields == kMaxFields) {
      return refuse(ErrorKind::head_too_large, "The head has more than 256 fields; send fewer.");
    }
    if (auto checked = check_field_line(line); !checked) return checked;
  }
  return malformed(kBadLineEnd);
}

}  // namespace aifd::protocol
