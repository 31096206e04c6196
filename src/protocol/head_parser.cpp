// A head's bytes; what the fields mean is judged in framing.cpp.
#include "aifd/protocol/head_parser.hpp"

#include <optional>

#include "aifd/base/words.hpp"
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

// Where the field text that begins at `at` ends: at the first control character but tab.
std::size_t end_of_field_text(std::string_view text, std::size_t at) {
  const auto mark_control = [](Bytes bytes) {
    return mark_below(bytes, 0x20) | mark_equal(bytes, 0x7F);
  };
  for (;;) {
    at = find_marked(text, at, mark_control);
    if (at == text.size() || text[at] != '\t') return at;
    ++at;
  }
}

bool ends_line(std::string_view text, std::size_t at) {
  return at + 1 < text.size() && text[at] == '\r' && text[at + 1] == '\n';
}

std::string_view trimmed(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

constexpr const char* kBadLineEnd = "A line of the head does not end in CR LF; write \\r\\n.";
constexpr const char* kBadFirstLine =
    "The first line of the head is empty or holds a control character.";
constexpr const char* kFolded =
    "A header field is folded over several lines; write each on one line.";
constexpr const char* kBadName =
    "A header field's name is empty or holds a space or another character that may not stand "
    "before the colon; write it as \"Name: value\".";
constexpr const char* kBadValue = "A header field's value holds a control character; remove it.";

// Why a line cannot go on at `at`, where its text has ended but no CR LF is.
const char* reason_at(std::string_view head, std::size_t at, const char* otherwise) {
  const bool is_line_end = at >= head.size() || head[at] == '\r' || head[at] == '\n';
  return is_line_end ? kBadLineEnd : otherwise;
}

// Takes the first line off `head`, without its line end.
Result<std::string_view> take_first_line(std::string_view& head) {
  if (head.size() > kMaxHeadBytes) {
    return refuse(ErrorKind::head_too_large, "The head is over 64 KiB; send fewer header fields.");
  }
  const std::size_t end = end_of_field_text(head, 0);
  if (!ends_line(head, end)) return malformed(reason_at(head, end, kBadFirstLine));
  const std::string_view line = head.substr(0, end);
  if (line.empty() || line.find('\t') != std::string_view::npos) return malformed(kBadFirstLine);
  head.remove_prefix(end + 2);
  return line;
}

// Takes one field with its line end off `head`, which is not empty; or the reason why it is none.
const char* take_field(std::string_view& head, Field& field) {
  if (head.front() == ' ' || head.front() == '\t') return kFolded;
  std::size_t colon = 0;
  while (colon < head.size() && kTokenChars.has(head[colon])) ++colon;
  if (colon == 0 || colon == head.size() || head[colon] != ':') return kBadName;
  const std::size_t end = end_of_field_text(head, colon + 1);
  if (!ends_line(head, end)) return reason_at(head, end, kBadValue);
  field = {head.substr(0, colon), trimmed(head.substr(colon + 1, end - colon - 1))};
  head.remove_prefix(end + 2);
  return nullptr;
}

// Calls on_field for each field of what follows the first line, to the blank line and the end.
template <class OnField>
Result<void> take_fields(std::string_view head, OnField on_field) {
  Field field;
  for (std::size_t count = 0; !head.starts_with("\r\n"); ++count) {
    if (head.empty()) return malformed(kBadLineEnd);
    if (count == kMaxFields) {
      return refuse(ErrorKind::head_too_large, "The head has more than 256 fields; send fewer.");
    }
    if (const char* reason = take_field(head, field)) return malformed(reason);
    on_field(field);
  }
  if (head.size() > 2) return malformed("The head has bytes after its blank line.");
  return {};
}

// What most heads have room in.
constexpr std::size_t kUsualFields = 16;

Result<void> fill(Fields& fields, std::string_view lines) {
  fields.reserve(kUsualFields);
  return take_fields(lines, [&fields](const Field& field) { fields.add(field.name, field.value); });
}

// Takes what stands before the next space, and the space; all where there is none.
std::string_view take_word(std::string_view& line) {
  const std::size_t space = line.find(' ');
  const std::string_view word = line.substr(0, space);
  line.remove_prefix(space == std::string_view::npos ? line.size() : space + 1);
  return word;
}

std::optional<unsigned> minor_of(std::string_view version) {
  if (version == "HTTP/1.1") return 1;
  if (version == "HTTP/1.0") return 0;
  return std::nullopt;
}

// What is left of the line is the version; the target's characters are parse_target's to judge.
Result<RequestHead> read_request_line(std::string_view line) {
  RequestHead head;
  head.method = take_word(line);
  head.target = take_word(line);
  const std::optional<unsigned> minor = minor_of(line);
  if (head.method.empty() || !kTokenChars.has_all(head.method) || head.target.empty() || !minor) {
    return malformed(
        "The request's first line is not valid; write it as in \"POST /v1/models HTTP/1.1\".");
  }
  head.version_minor = *minor;
  return head;
}

// The reason may be empty, but not the space before it (RFC 9112, 4).
Result<ResponseHead> read_status_line(std::string_view line) {
  ResponseHead head;
  const std::optional<unsigned> minor = minor_of(take_word(line));
  const bool has_status = line.size() >= 4 && line[0] >= '1' && is_digit(line[0]) &&
                          is_digit(line[1]) && is_digit(line[2]) && line[3] == ' ';
  if (!minor || !has_status) return malformed("Its first line is no status line.");
  head.version_minor = *minor;
  head.status = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
  head.reason = line.substr(4);
  return head;
}

Error of_upstream(const Error& error) {
  return {ErrorKind::upstream_malformed, ErrorSource::upstream, false,
          "The upstream's answer is not valid HTTP/1.1: " + error.detail};
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
  const Result<std::string_view> first_line = take_first_line(head);
  if (!first_line) return first_line.error();
  return take_fields(head, [](const Field&) {});
}

Result<RequestHead> parse_request_head(std::string_view bytes) {
  const Result<std::string_view> line = take_first_line(bytes);
  if (!line) return line.error();
  Result<RequestHead> head = read_request_line(*line);
  if (!head) return head;
  if (Result<void> filled = fill(head->fields, bytes); !filled) return filled.error();
  return head;
}

Result<ResponseHead> parse_response_head(std::string_view bytes) {
  const Result<std::string_view> line = take_first_line(bytes);
  if (!line) return of_upstream(line.error());
  Result<ResponseHead> head = read_status_line(*line);
  if (!head) return of_upstream(head.error());
  if (Result<void> filled = fill(head->fields, bytes); !filled) {
    return of_upstream(filled.error());
  }
  return head;
}

}  // namespace aifd::protocol
