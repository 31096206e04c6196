// A head's bytes; what the fields mean is judged in framing.cpp.
#include "aifd/protocol/head_parser.hpp"

#include <algorithm>
#include <array>
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

// The places where something may end of a head that ends in CR LF CR LF: its colons and control
// characters, one after the other.
class Stops {
 public:
  explicit Stops(std::string_view head) noexcept : head_(head), bits_(bits_at(0)) {}

  // Where the next one stands. The head's last byte is the last of them, after which none may be
  // asked for.
  std::size_t next() noexcept {
    while (bits_ == 0) bits_ = bits_at(block_ += kBlock);
    const std::size_t at = block_ + static_cast<std::size_t>(std::countr_zero(bits_));
    bits_ &= bits_ - 1;
    return at;
  }

  // The next one that is neither a colon nor a tab: they end no line.
  std::size_t next_of_line() noexcept {
    std::size_t at = next();
    while (head_[at] == ':' || head_[at] == '\t') at = next();
    return at;
  }

 private:
  static constexpr std::size_t kBlock = 64;

  static std::uint64_t bits_of_block(const char* block) noexcept {
    const auto mark = [](Bytes bytes) {
      return mark_below(bytes, 0x20) | mark_equal(bytes, ':') | mark_equal(bytes, 0x7F);
    };
    const std::uint64_t high = block_bits(block + kBlock / 2, mark);
    return block_bits(block, mark) | high << (kBlock / 2);
  }

  // Of the last bytes, which are less than a block, the bits are those of a block before them.
  std::uint64_t bits_at(std::size_t at) const noexcept {
    const std::size_t left = head_.size() - at;
    if (left >= kBlock) [[likely]]
      return bits_of_block(head_.data() + at);
    if (at > 0) return bits_of_block(head_.data() + head_.size() - kBlock) >> (kBlock - left);
    std::array<char, kBlock> block;
    block.fill(' ');
    head_.copy(block.data(), left);
    return bits_of_block(block.data());
  }

  std::string_view head_;
  std::size_t block_ = 0;  // where the bits are of
  std::uint64_t bits_;
};

constexpr bool is_blank(char c) noexcept {
  return c == ' ' || c == '\t';
}

// What stands there without the white space around it; something else follows it.
std::string_view trimmed(const char* begin, const char* end) noexcept {
  while (is_blank(*begin)) ++begin;
  while (end > begin && is_blank(end[-1])) --end;
  return {begin, static_cast<std::size_t>(end - begin)};
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

// What may stand before a colon. Most are known names, which need no second look: none of their
// letters is a stop.
bool is_name(const FieldName& name) noexcept {
  return name.id() != kUnknownName || (!name.text().empty() && kTokenChars.has_all(name));
}

// Reads a head, its first line first.
class HeadReader {
 public:
  explicit HeadReader(std::string_view head) noexcept : head_(head), stops_(head) {}

  // Without its line end.
  Result<std::string_view> first_line() {
    if (head_.size() > kMaxHeadBytes) {
      return refuse(ErrorKind::head_too_large,
                    "The head is over 64 KiB; send fewer header fields.");
    }
    if (!head_.ends_with("\r\n\r\n")) return malformed(kBadLineEnd);
    const std::size_t end = stops_.next_of_line();
    if (!ends_line(end)) return malformed(reason_at(end, kBadFirstLine));
    const std::string_view line = head_.substr(0, end);
    if (line.empty() || line.find('\t') != std::string_view::npos) return malformed(kBadFirstLine);
    next_line_ = end + 2;
    return line;
  }

  // The others, to the blank line and the end. After the first line.
  Result<void> fields(Fields& fields) {
    const char* const head = head_.data();
    std::size_t at = next_line_;
    for (std::size_t count = 0; head[at] != '\r'; ++count) {
      if (count == kMaxFields) {
        return refuse(ErrorKind::head_too_large, "The head has more than 256 fields; send fewer.");
      }
      if (is_blank(head[at])) return malformed(kFolded);
      const std::size_t colon = stops_.next();
      const FieldName name(std::string_view(head + at, colon - at));
      if (head[colon] != ':' || !is_name(name)) return malformed(kBadName);
      const std::size_t end = stops_.next_of_line();
      if (!ends_line(end)) return malformed(reason_at(end, kBadValue));
      const std::string_view value = trimmed(head + colon + 1, head + end);
      const bool is_usual = head[colon + 1] == ' ' && value.data() == head + colon + 2 &&
                            value.data() + value.size() == head + end;
      fields.add(name, value, {head + at, is_usual ? end + 2 - at : 0});
      at = end + 2;
    }
    if (head[at + 1] != '\n') return malformed(kBadLineEnd);
    if (head_.size() - at > 2) return malformed("The head has bytes after its blank line.");
    return {};
  }

 private:
  // Whether a line ends in CR LF where the last stop was.
  bool ends_line(std::size_t at) noexcept {
    return head_[at] == '\r' && head_[at + 1] == '\n' && stops_.next() != 0;
  }

  // Why a line cannot go on where its text has ended but no CR LF is.
  const char* reason_at(std::size_t at, const char* otherwise) const noexcept {
    return head_[at] == '\r' || head_[at] == '\n' ? kBadLineEnd : otherwise;
  }

  std::string_view head_;
  Stops stops_;
  std::size_t next_line_ = 0;
};

// What most heads have room in.
constexpr std::size_t kUsualFields = 16;

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

// Found by its last line feed, since the line before it may be the first one.
std::size_t find_head_end(std::string_view bytes, std::size_t from) noexcept {
  if (from < 2 && bytes.starts_with("\n\n")) return 2;
  const auto ends_at = [](const char* place) {
    const Bytes before = load_bytes(place + 1);
    const Bytes is_blank_line =
        mark_equal(before, '\n') | (mark_equal(before, '\r') & mark_equal(load_bytes(place), '\n'));
    return is_blank_line & mark_equal(load_bytes(place + 2), '\n');
  };
  const std::size_t found = find_place(bytes, std::max<std::size_t>(from, 2) - 2, 3, ends_at);
  return found == std::string_view::npos ? found : found + 3;
}

Result<void> check_raw_head(std::string_view head) {
  HeadReader reader(head);
  const Result<std::string_view> first_line = reader.first_line();
  if (!first_line) return first_line.error();
  Fields fields;
  return reader.fields(fields);
}

Result<RequestHead> parse_request_head(std::string_view bytes) {
  HeadReader reader(bytes);
  const Result<std::string_view> line = reader.first_line();
  if (!line) return line.error();
  Result<RequestHead> head = read_request_line(*line);
  if (!head) return head;
  head->fields.reserve(kUsualFields);
  if (Result<void> filled = reader.fields(head->fields); !filled) return filled.error();
  return head;
}

Result<ResponseHead> parse_response_head(std::string_view bytes) {
  HeadReader reader(bytes);
  const Result<std::string_view> line = reader.first_line();
  if (!line) return of_upstream(line.error());
  Result<ResponseHead> head = read_status_line(*line);
  if (!head) return of_upstream(head.error());
  head->fields.reserve(kUsualFields);
  if (Result<void> filled = reader.fields(head->fields); !filled) {
    return of_upstream(filled.error());
  }
  return head;
}

}  // namespace aifd::protocol
