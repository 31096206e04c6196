#include "aifd/protocol/multipart.hpp"

#include <string>

#include "aifd/protocol/fields.hpp"
#include "chars.hpp"
#include "parameters.hpp"

namespace aifd::protocol {
namespace {

constexpr std::string_view kNewLine = "\r\n";
constexpr std::size_t kMostParts = 1000;
constexpr std::size_t kMostHeadBytes = 4096;  // of one part
constexpr std::size_t kMostBoundaryBytes = 70;

constexpr std::string_view kBadForm =
    "The multipart form is not as strict as it must be here: it begins with its first boundary, "
    "ends with its last, and every part has one plain Content-Disposition.";
constexpr std::string_view kRepeatedField = "The form names its model more than once.";
constexpr std::string_view kOddField =
    "The form's \"model\" is a file, a list, encoded or spelled in another way; send it as plain "
    "text.";

constexpr CharClass kBoundaryChars{[](unsigned char c) {
  return is_alpha(static_cast<char>(c)) || is_digit(static_cast<char>(c)) ||
         (c != 0 &&
          std::string_view{"'()+_,-./:=? "}.find(static_cast<char>(c)) != std::string_view::npos);
}};

struct PartHead {
  std::string_view name;
  std::optional<std::string_view> length;
  bool is_file = false;
  bool is_plain = true;  // no coding and no charset that changes what the bytes mean
};

bool read_disposition(std::string_view value, PartHead& head) {
  if (!iequals(main_value(value), "form-data")) return false;
  Parameters parameters(parameters_of(value));
  bool has_name = false;
  bool has_filename = false;
  while (!parameters.at_end()) {
    if (!parameters.next()) return false;
    if (iequals(parameters.name, "name")) {
      if (has_name) return false;
      has_name = true;
      head.name = parameters.value;
    } else if (iequals(parameters.name, "filename")) {
      if (has_filename) return false;
      has_filename = true;
    } else if (!iequals(parameters.name, "filename*")) {
      return false;  // "name*" and the like: who takes which is unknown
    }
    head.is_file = head.is_file || !iequals(parameters.name, "name");
  }
  // Some servers unescape a name.
  return has_name && head.name.find_first_of("\\%") == std::string_view::npos;
}

bool is_plain_type(std::string_view value) {
  if (!iequals(main_value(value), "text/plain")) return false;
  Parameters parameters(parameters_of(value));
  if (parameters.at_end()) return true;
  if (!parameters.next() || !parameters.at_end() || !iequals(parameters.name, "charset")) {
    return false;
  }
  return iequals(parameters.value, "utf-8") || iequals(parameters.value, "us-ascii");
}

bool is_identity(std::string_view transfer_encoding) {
  const std::string_view coding = trimmed(transfer_encoding);
  return iequals(coding, "7bit") || iequals(coding, "8bit") || iequals(coding, "binary");
}

// `lines` without the blank one at their end.
std::optional<PartHead> read_part_head(std::string_view lines) {
  PartHead head;
  bool has_disposition = false;
  while (!lines.empty()) {
    const std::size_t end = lines.find(kNewLine);
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + kNewLine.size());
    if (!kFieldValueChars.has_all(line)) return std::nullopt;  // a bare CR or LF among others
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = trimmed(line.substr(colon + 1));
    if (name.empty() || !kTokenChars.has_all(name)) return std::nullopt;  // also a folded line
    if (iequals(name, "Content-Length")) {
      if (head.length) return std::nullopt;
      head.length = value;
    } else if (iequals(name, "Content-Disposition")) {
      if (has_disposition || !read_disposition(value, head)) return std::nullopt;
      has_disposition = true;
    } else if (iequals(name, "Content-Type")) {
      head.is_plain = head.is_plain && is_plain_type(value);
    } else if (iequals(name, "Content-Transfer-Encoding") || iequals(name, "Content-Encoding")) {
      head.is_plain = head.is_plain && is_identity(value);
    }
  }
  if (!has_disposition) return std::nullopt;
  return head;
}

// Whether a server may take a field of this name for the wanted one.
bool is_near(std::string_view name, std::string_view wanted) {
  name = trimmed(name);
  const std::size_t bracket = name.find('[');
  name = trimmed(name.substr(0, bracket));
  if (name.size() == wanted.size() + 1 && to_lower(name.back()) == 's') name.remove_suffix(1);
  return iequals(name, wanted);
}

class Form {
 public:
  Form(std::string_view body, std::string_view boundary, std::string_view wanted)
      : rest_(body), delimiter_("--" + std::string(boundary)), wanted_(wanted) {}

  FormField read() {
    if (!rest_.starts_with(delimiter_)) return {std::nullopt, kBadForm};
    rest_.remove_prefix(delimiter_.size());
    for (std::size_t parts = 0; !rest_.starts_with("--"); ++parts) {
      if (parts == kMostParts || !rest_.starts_with(kNewLine)) return {std::nullopt, kBadForm};
      rest_.remove_prefix(kNewLine.size());
      if (const std::string_view problem = read_part(); !problem.empty()) {
        return {std::nullopt, problem};
      }
    }
    rest_.remove_prefix(2);
    if (!rest_.empty() && rest_ != kNewLine) return {std::nullopt, kBadForm};
    return {value_, {}};
  }

 private:
  // Takes one part and the delimiter behind it. Gives what is wrong with it.
  std::string_view read_part() {
    const std::size_t blank = rest_.substr(0, kMostHeadBytes).find("\r\n\r\n");
    const std::size_t end = rest_.find(delimiter_);
    // Wherever the boundary stands some server may see a delimiter.
    if (blank == std::string_view::npos || end == std::string_view::npos || end < blank + 6 ||
        rest_.substr(end - 2, 2) != kNewLine) {
      return kBadForm;
    }
    const std::optional<PartHead> head = read_part_head(rest_.substr(0, blank));
    if (!head) return kBadForm;
    const std::string_view content = rest_.substr(blank + 4, end - 2 - (blank + 4));
    if (head->length && *head->length != std::to_string(content.size())) return kBadForm;
    rest_.remove_prefix(end + delimiter_.size());
    return note(*head, content);
  }

  std::string_view note(const PartHead& head, std::string_view content) {
    if (iequals(head.name, "_charset_")) return kOddField;  // changes how all others are read
    if (!is_near(head.name, wanted_)) return {};
    if (head.name != wanted_ || head.is_file || !head.is_plain) return kOddField;
    if (value_) return kRepeatedField;
    value_ = content;
    return {};
  }

  std::string_view rest_;  // what is still to read
  std::string delimiter_;
  std::string_view wanted_;
  std::optional<std::string_view> value_;
};

}  // namespace

std::optional<std::string_view> form_boundary(std::string_view content_type) {
  if (!iequals(main_value(content_type), "multipart/form-data")) return std::nullopt;
  Parameters parameters(parameters_of(content_type));
  std::optional<std::string_view> boundary;
  while (!parameters.at_end()) {
    if (!parameters.next()) return std::nullopt;
    if (iequals(parameters.name, "charset")) continue;
    if (!iequals(parameters.name, "boundary") || boundary) return std::nullopt;
    boundary = parameters.value;
  }
  if (!boundary || boundary->empty() || boundary->size() > kMostBoundaryBytes ||
      boundary->ends_with(' ') || !kBoundaryChars.has_all(*boundary)) {
    return std::nullopt;
  }
  return boundary;
}

FormField read_form_field(std::string_view body, std::string_view boundary, std::string_view name) {
  return Form(body, boundary, name).read();
}

}  // namespace aifd::protocol
