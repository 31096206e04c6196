#include "aifd/config/dotenv.hpp"

#include <algorithm>

#include "dotenv_interpolation.hpp"

namespace aifd::config {
namespace {

constexpr std::string_view kBlank = " \t\v\f";
constexpr std::string_view kSpace = " \t\v\f\n";
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// CRLF and a lone CR become LF, as Python's text files do it, also inside quotes.
std::string with_plain_newlines(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r') {
      result += text[i];
    } else if (i + 1 == text.size() || text[i + 1] != '\n') {
      result += '\n';
    }
  }
  return result;
}

// Where the quoted text that begins at `start` ends. A quote after a backslash does not end it,
// unless no other quote does.
std::size_t closing_quote(std::string_view text, std::size_t start, char quote) {
  std::size_t fallback = std::string_view::npos;
  for (std::size_t i = start; i < text.size(); ++i) {
    if (text[i] != quote) continue;
    if (i == start || text[i - 1] != '\\') return i;
    fallback = i;
  }
  return fallback;
}

char unescaped(char c) {
  switch (c) {
    case 'a':
      return '\a';
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'v':
      return '\v';
    default:
      return c;
  }
}

std::string decode_escapes(std::string_view text, char quote) {
  const std::string_view known = quote == '\'' ? "\\'" : "\\'\"abfnrtv";
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape =
        text[i] == '\\' && i + 1 < text.size() && known.find(text[i + 1]) != std::string_view::npos;
    result += escape ? unescaped(text[++i]) : text[i];
  }
  return result;
}

// Cuts a comment (a hash after a space) and the spaces before it or at the end.
std::string_view without_comment(std::string_view part) {
  for (std::size_t i = 1; i < part.size(); ++i) {
    if (part[i] == '#' && kBlank.find(part[i - 1]) != std::string_view::npos) {
      part = part.substr(0, i);
      break;
    }
  }
  return part.substr(0, part.find_last_not_of(kBlank) + 1);
}

class Parser {
 public:
  Parser(std::string_view text, const std::map<std::string, std::string>& environment)
      : text_(text), environment_(environment) {}

  DotenvFile run() {
    while (true) {
      skip(kSpace);
      if (at_end()) return std::move(file_);
      parse_line();
    }
  }

 private:
  bool at_end() const { return position_ == text_.size(); }
  char peek() const { return at_end() ? '\n' : text_[position_]; }

  int line() {
    const std::string_view passed = text_.substr(counted_, position_ - counted_);
    line_ += static_cast<int>(std::count(passed.begin(), passed.end(), '\n'));
    counted_ = position_;
    return line_;
  }

  void skip(std::string_view characters) {
    position_ = std::min(text_.find_first_not_of(characters, position_), text_.size());
  }

  std::string_view take_until(std::string_view stops) {
    const std::size_t end = std::min(text_.find_first_of(stops, position_), text_.size());
    const std::string_view taken = text_.substr(position_, end - position_);
    position_ = end;
    return taken;
  }

  void fail(int line, std::string_view what) {
    file_.errors.push_back("line " + std::to_string(line) + ": " + std::string(what));
    take_until("\n");
  }

  void skip_export() {
    constexpr std::string_view kExport = "export";
    const std::size_t after = position_ + kExport.size();
    if (text_.substr(position_, kExport.size()) != kExport || after >= text_.size()) return;
    if (kBlank.find(text_[after]) == std::string_view::npos) return;
    position_ = after;
    skip(kBlank);
  }

  std::string take_name() {
    if (peek() != '\'') return std::string(take_until("=# \t\v\f\n"));
    ++position_;
    const std::string_view name = take_until("'");
    if (at_end()) return {};
    ++position_;
    return std::string(name);
  }

  void parse_line() {
    const int start = line();
    skip_export();
    if (peek() == '#') {
      take_until("\n");
      return;
    }
    DotenvEntry entry{take_name(), std::nullopt, start};
    if (entry.name.empty()) return fail(start, "a name is missing before the equals sign");
    skip(kBlank);
    if (peek() == '=') {
      ++position_;
      skip(kBlank);
      if (!parse_value(entry)) return;
    }
    finish_line(std::move(entry));
  }

  bool parse_value(DotenvEntry& entry) {
    const char quote = peek();
    if (quote != '\'' && quote != '"') {
      entry.value = std::string(without_comment(take_until("\n")));
      return true;
    }
    const std::size_t end = closing_quote(text_, position_ + 1, quote);
    if (end == std::string_view::npos) {
      fail(line(), "the quote that begins the value of " + entry.name + " is never closed");
      position_ = text_.size();
      return false;
    }
    entry.value = decode_escapes(text_.substr(position_ + 1, end - position_ - 1), quote);
    position_ = end + 1;
    return true;
  }

  void finish_line(DotenvEntry entry) {
    const int at = line();
    skip(kBlank);
    if (peek() == '#') take_until("\n");
    if (peek() != '\n') {
      const bool has_value = entry.value.has_value();
      return fail(at, has_value ? "something follows the closing quote"
                                : "an equals sign is missing after the name");
    }
    remember(std::move(entry));
  }

  void remember(DotenvEntry entry) {
    if (entry.value) entry.value = interpolate(*entry.value, values_, environment_);
    values_[entry.name] = entry.value.value_or("");
    file_.entries.push_back(std::move(entry));
  }

  std::string_view text_;
  const std::map<std::string, std::string>& environment_;
  std::size_t position_ = 0;
  std::size_t counted_ = 0;  // how far line_ has counted; never past position_
  int line_ = 1;
  std::map<std::string, std::string> values_;
  DotenvFile file_;
};

}  // namespace

DotenvFile parse_dotenv(std::string_view text,
                        const std::map<std::string, std::string>& environment) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  const std::string plain = with_plain_newlines(text);
  return Parser(plain, environment).run();
}

}  // namespace aifd::config
