#include "aifd/protocol/target.hpp"

#include "aifd/protocol/secret_names.hpp"

#include <algorithm>
#include <optional>

#include "aifd/base/words.hpp"
#include "chars.hpp"
#include "percent.hpp"

namespace aifd::protocol {
namespace {

constexpr CharClass kTargetChars{[](unsigned char c) { return c > 0x20 && c < 0x7F && c != '#'; }};

constexpr CharClass kPlainPathChars{[](unsigned char c) {
  return is_alpha(static_cast<char>(c)) || is_digit(static_cast<char>(c)) || c == '-' || c == '_' ||
         c == ':';
}};
constexpr CharClass kPathPunctuation{[](unsigned char c) { return c == '/' || c == '.'; }};

Error malformed(std::string_view detail) {
  return Error{ErrorKind::bad_request, ErrorSource::client, false, std::string(detail)};
}

// From the path on: "/b?c" of "http://a/b?c", "?c" of "http://a?c".
std::optional<std::string_view> without_authority(std::string_view target) {
  if (target.starts_with('/')) return target;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!istarts_with(target, scheme)) continue;
    target.remove_prefix(scheme.size());
    return target.substr(std::min(target.find_first_of("/?"), target.size()));
  }
  return std::nullopt;
}

// Sees a path's characters one by one and knows when a segment was "." or "..".
class DotSegments {
 public:
  // False where `c` ends a dot segment. A server may take "%2f" and a backslash for a slash, and
  // may cut "..;x" at its semicolon.
  bool see(char c) noexcept {
    const bool ends = c == '/' || c == '\\' || c == ';';
    if (ends && is_dots()) return false;
    if (ends) {
      dots_ = c == ';' ? kOther : 0;
    } else {
      dots_ = c == '.' && dots_ <= 2 ? dots_ + 1 : kOther;
    }
    return true;
  }

  bool is_dots() const noexcept { return dots_ == 1 || dots_ == 2; }

 private:
  static constexpr int kOther = 3;
  int dots_ = 0;
};

// Whether a path is in normal form as it stands, which nearly all are: no escape, no backslash, no
// ";", no empty segment and none that begins with a dot, no slash at its end.
bool is_plain_path(std::string_view raw) {
  if (raw.size() < 2 || raw.ends_with('/')) return false;
  char before = 0;
  for (const char c : raw) {
    if (!kPlainPathChars.has(c) && (before == '/' || !kPathPunctuation.has(c))) return false;
    before = c;
  }
  return true;
}

std::optional<Error> normalise(std::string_view raw, std::string& path) {
  if (is_plain_path(raw)) {
    path = raw;
    return std::nullopt;
  }
  path.reserve(raw.size() + 1);
  DotSegments segments;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    char meant = raw[i];
    if (meant == '\\') return malformed("The path holds a backslash; write \"/\" or %5C.");
    if (meant == '%') {
      const int byte = percent_byte(raw, i);
      if (byte < 0) return malformed("The path holds a \"%\" without two hex digits; write %25.");
      meant = static_cast<char>(byte);
    }
    if (!segments.see(meant)) break;
    if (raw[i] == '/' && path.ends_with('/')) continue;
    path.append(raw.substr(i, raw[i] == '%' ? 3 : 1));
    if (raw[i] == '%') i += 2;
  }
  if (segments.is_dots()) {
    return malformed("The path holds a \".\" or \"..\" segment; send the path it stands for.");
  }
  if (path.size() > 1 && path.ends_with('/')) path.pop_back();
  if (path.empty()) path = "/";
  return std::nullopt;
}

}  // namespace

Result<Target> parse_target(std::string_view target) {
  if (target.empty()) return malformed("The request has no target; send a path such as \"/\".");
  if (!kTargetChars.has_all(target)) {
    return malformed(
        "The target holds a space, a \"#\", a control character or a letter outside ASCII; "
        "percent-encode it.");
  }
  Target parsed;
  if (target == "*") {
    parsed.path = "*";
    return parsed;
  }
  const auto rest = without_authority(target);
  if (!rest) return malformed("The target is no path; begin it with \"/\".");
  const std::size_t mark = rest->find('?');
  const std::string_view path = rest->substr(0, mark);
  if (auto error = normalise(path, parsed.path)) return *std::move(error);
  parsed.has_query = mark != std::string_view::npos;
  if (parsed.has_query) parsed.query = rest->substr(mark + 1);
  return parsed;
}

bool is_comparable(std::string_view path) noexcept {
  const auto other = [](Bytes bytes) {
    constexpr unsigned char kFirstCapital = 'A';
    return mark_equal(bytes, '%') | mark_equal(bytes, ';') | mark_equal(bytes, '\\') |
           mark_below(bytes - kFirstCapital, 26);
  };
  return find_marked(path, 0, other) == path.size();
}

std::string comparable_path(std::string_view path) {
  std::string spelled = percent_decode(path);
  std::replace(spelled.begin(), spelled.end(), '\\', '/');
  std::string compared;
  compared.reserve(spelled.size());
  bool in_parameters = false;
  for (const char c : spelled) {
    in_parameters = c == ';' || (in_parameters && c != '/');
    if (in_parameters || (c == '/' && compared.ends_with('/'))) continue;
    compared += to_lower(c);
  }
  if (compared.size() > 1 && compared.ends_with('/')) compared.pop_back();
  return compared;
}

bool covers(std::string_view prefix, std::string_view path) noexcept {
  if (prefix == "/") return path.starts_with('/');
  return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

std::string join_target(std::string_view base_path, std::string_view prefix, const Target& target) {
  std::string_view rest = target.path;
  if (prefix != "/" && covers(prefix, rest)) rest.remove_prefix(prefix.size());
  if (rest == "/") rest = {};
  if (base_path.ends_with('/')) base_path.remove_suffix(1);
  std::string joined;
  joined.reserve(base_path.size() + rest.size() + target.query.size() + 2);
  joined.append(base_path).append(rest);
  if (joined.empty()) joined = "/";
  if (target.has_query) joined.append("?").append(target.query);
  return joined;
}

std::string_view query_parameter(std::string_view query, std::string_view name) noexcept {
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    const std::size_t equals = pair.find('=');
    if (pair.substr(0, equals) == name) {
      return equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1);
    }
    query = end == std::string_view::npos ? std::string_view{} : query.substr(end + 1);
  }
  return {};
}

std::string redact_query(std::string_view query) {
  std::string redacted;
  redacted.reserve(query.size());
  while (!query.empty()) {
    // Some servers end a pair at ";" too: a name may begin there, but a secret's value runs on.
    std::size_t end = std::min(query.find_first_of("&;"), query.size());
    const std::size_t equals = query.substr(0, end).find('=');
    if (equals != std::string_view::npos && is_secret_parameter(query.substr(0, equals))) {
      end = std::min(query.find('&', end), query.size());
      redacted.append(query.substr(0, equals + 1)).append("***");
    } else {
      redacted.append(query.substr(0, end));
    }
    if (end == query.size()) break;
    redacted += query[end];
    query.remove_prefix(end + 1);
  }
  return redacted;
}

}  // namespace aifd::protocol
