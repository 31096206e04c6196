#include <algorithm>
#include <utility>
#include <vector>

#include "aifd/protocol/conversation.hpp"
#include "aifd/protocol/dialect.hpp"
#include "aifd/protocol/multipart.hpp"
#include "body_kind.hpp"
#include "chars.hpp"
#include "parameters.hpp"
#include "percent.hpp"

namespace aifd::protocol {
namespace {

constexpr std::string_view kNewLine = "\r\n";
constexpr std::size_t kMostParts = 1000;
constexpr std::size_t kMostHeadBytes = 4096;  // of one part

// What is known of a part, read leniently: a record needs no more than a likely reading.
struct Part {
  std::string_view name;
  std::string file;      // its name, where it is one and has one
  bool is_file = false;  // or may be one: what it holds is not for records
};

// RFC 8187: a charset, a language and the text, percent-encoded.
std::string extended_value(std::string_view value) {
  const std::size_t quote = value.find('\'', std::min(value.find('\'') + 1, value.size()));
  return quote == std::string_view::npos ? std::string(value)
                                         : percent_decode(value.substr(quote + 1));
}

void read_disposition(std::string_view value, Part& part) {
  Parameters parameters(parameters_of(value));
  bool is_read = true;
  while (is_read && !parameters.at_end()) {
    is_read = parameters.next();
    if (!is_read) {
      part.is_file = true;
    } else if (iequals(parameters.name, "name")) {
      part.name = parameters.value;
    } else if (iequals(parameters.name, "filename")) {
      if (part.file.empty()) part.file = parameters.value;
    } else if (iequals(parameters.name, "filename*")) {
      part.file = extended_value(parameters.value);
    }
  }
  if (icontains(value, "filename") || iequals(part.name, "file")) part.is_file = true;
}

Part read_head(std::string_view lines) {
  Part part;
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find(kNewLine), lines.size());
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(std::min(end + kNewLine.size(), lines.size()));
    const std::size_t colon = std::min(line.find(':'), line.size());
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = line.substr(std::min(colon + 1, line.size()));
    if (iequals(name, "Content-Disposition")) read_disposition(value, part);
    const bool is_typed =
        iequals(name, "Content-Type") && !iequals(main_value(value), "text/plain");
    const bool is_folded = line.starts_with(' ') || line.starts_with('\t');
    if (is_typed || is_folded) part.is_file = true;
  }
  return part;
}

class Form {
 public:
  Form(std::string_view body, std::string_view boundary)
      : rest_(body), delimiter_("--" + std::string(boundary)) {}

  std::optional<std::string> read() {
    const bool begins_with_it = rest_.starts_with(delimiter_);
    if (begins_with_it) rest_.remove_prefix(delimiter_.size());
    delimiter_.insert(0, kNewLine);
    if (!begins_with_it && !pass_delimiter()) return std::nullopt;
    for (std::size_t parts = 0; parts < kMostParts && rest_.starts_with(kNewLine); ++parts) {
      rest_.remove_prefix(kNewLine.size());
      if (!read_part()) break;
    }
    return "{" + members_ + "}";
  }

 private:
  bool pass_delimiter() {
    const std::size_t at = rest_.find(delimiter_);
    if (at == std::string_view::npos) return false;
    rest_.remove_prefix(at + delimiter_.size());
    return true;
  }

  // False where the form ends within it; a file is noted even then.
  bool read_part() {
    const std::size_t blank = rest_.substr(0, kMostHeadBytes).find("\r\n\r\n");
    const std::string_view head = rest_.substr(0, blank);
    const bool has_head = blank != std::string_view::npos && !rest_.starts_with(kNewLine) &&
                          head.find(delimiter_) == std::string_view::npos;
    if (!has_head) return pass_delimiter();
    const Part part = read_head(head);
    rest_.remove_prefix(blank + 4);
    const std::string_view content = rest_;
    const bool is_whole = pass_delimiter();
    if (part.is_file) {
      note_file(part.name, part.file);
    } else if (is_whole) {
      note_text(part.name, content.substr(0, content.size() - rest_.size() - delimiter_.size()));
    }
    return is_whole;
  }

  void note_text(std::string_view name, std::string_view text) {
    if (!is_utf8(text) || !is_new(name)) return;
    begin_member(name);
    append_quoted(text);
  }

  void note_file(std::string_view name, std::string_view file) {
    if (!is_new(name)) return;
    begin_member(name);
    file.empty() ? void(members_ += "null") : append_quoted(file);
  }

  bool is_new(std::string_view name) {
    if (name.empty() || std::ranges::find(names_, name) != names_.end()) return false;
    names_.push_back(name);
    return true;
  }

  void begin_member(std::string_view name) {
    if (!members_.empty()) members_ += ',';
    append_quoted(name);
    members_ += ':';
  }

  void append_quoted(std::string_view text) {
    members_ += '"';
    append_json_escaped(members_, text);
    members_ += '"';
  }

  std::string_view rest_;  // what is still to read
  std::string delimiter_;
  std::vector<std::string_view> names_;
  std::string members_;  // of the object
};

}  // namespace

std::optional<std::string> form_as_json(std::string_view content_type, std::string_view body) {
  const auto boundary = form_boundary(content_type);
  if (!boundary) return std::nullopt;
  return Form(body, *boundary).read();
}

}  // namespace aifd::protocol
