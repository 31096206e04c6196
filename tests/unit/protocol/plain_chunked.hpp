// A slow and plain model of the chunked coding, for comparison: reads a whole text by regular
// expressions, line by line, straight from RFC 9112, 7.1.
#pragma once

#include <regex>
#include <string>

namespace aifd::protocol {

enum class PlainVerdict { whole, cut, bad };

struct PlainResult {
  PlainVerdict verdict = PlainVerdict::cut;
  std::string payload;
  std::size_t consumed = 0;
};

class PlainDecoder {
 public:
  explicit PlainDecoder(const std::string& bytes) : bytes_(bytes) {}

  PlainResult decode() {
    PlainVerdict verdict = PlainVerdict::whole;
    do {
      verdict = chunk();
    } while (verdict == PlainVerdict::whole && size_ > 0);
    while (verdict == PlainVerdict::whole && !ended_) verdict = trailer();
    if (verdict == PlainVerdict::bad) return {verdict, {}, 0};
    return {verdict, payload_, verdict == PlainVerdict::cut ? bytes_.size() : at_};
  }

 private:
  // Matches `line` or, at the end of the bytes, a beginning of it.
  PlainVerdict match(const std::regex& line, const std::regex& beginning, std::smatch& found) {
    const auto from = bytes_.begin() + static_cast<std::ptrdiff_t>(at_);
    if (std::regex_search(from, bytes_.end(), found, line,
                          std::regex_constants::match_continuous)) {
      at_ += static_cast<std::size_t>(found.length());
      return PlainVerdict::whole;
    }
    return std::regex_match(from, bytes_.end(), beginning) ? PlainVerdict::cut : PlainVerdict::bad;
  }

  PlainVerdict chunk() {
    // Group 1 is the size. Quoted strings hold no control character but tab.
    static const std::regex line(
        "([0-9a-fA-F]{1,16})(?:[ \\t]*;(?:[-!#$%&'*+.^_`|~0-9A-Za-z=; \\t]|"
        "\"(?:[^\"\\\\\\x00-\\x08\\x0a-\\x1f\\x7f]|\\\\[^\\x00-\\x08\\x0a-\\x1f\\x7f])*\")*)?"
        "\\r\\n");
    static const std::regex beginning(
        "(?:[0-9a-fA-F]{1,16}(?:[ \\t]*|[ \\t]*;(?:[-!#$%&'*+.^_`|~0-9A-Za-z=; \\t]|"
        "\"(?:[^\"\\\\\\x00-\\x08\\x0a-\\x1f\\x7f]|\\\\[^\\x00-\\x08\\x0a-\\x1f\\x7f])*\")*"
        "(?:\"(?:[^\"\\\\\\x00-\\x08\\x0a-\\x1f\\x7f]|\\\\[^\\x00-\\x08\\x0a-\\x1f\\x7f])*\\\\?)?)?"
        "|[0-9a-fA-F]{1,16}(?:[ \\t]*;(?:[-!#$%&'*+.^_`|~0-9A-Za-z=; \\t]|"
        "\"(?:[^\"\\\\\\x00-\\x08\\x0a-\\x1f\\x7f]|\\\\[^\\x00-\\x08\\x0a-\\x1f\\x7f])*\")*)?\\r)"
        "?");
    std::smatch found;
    const PlainVerdict verdict = match(line, beginning, found);
    if (verdict != PlainVerdict::whole) return verdict;
    size_ = std::stoull(found[1].str(), nullptr, 16);
    if (size_ > static_cast<std::uint64_t>(INT64_MAX)) return PlainVerdict::bad;
    return size_ == 0 ? PlainVerdict::whole : data();
  }

  PlainVerdict data() {
    const std::string there = bytes_.substr(at_, size_);
    payload_ += there;
    at_ += there.size();
    const std::string end = bytes_.substr(at_, 2);
    at_ += end.size();
    if (end == "\r\n") return PlainVerdict::whole;
    return end.empty() || end == "\r" ? PlainVerdict::cut : PlainVerdict::bad;
  }

  PlainVerdict trailer() {
    static const std::regex line(
        "(?:[-!#$%&'*+.^_`|~0-9A-Za-z]+:[^\\x00-\\x08\\x0a-\\x1f\\x7f]*)?\\r\\n");
    static const std::regex beginning(
        "(?:[-!#$%&'*+.^_`|~0-9A-Za-z]+(?::[^\\x00-\\x08\\x0a-\\x1f\\x7f]*\\r?)?|\\r)?");
    std::smatch found;
    const PlainVerdict verdict = match(line, beginning, found);
    ended_ = verdict == PlainVerdict::whole && found.length() == 2;
    return verdict;
  }

  const std::string& bytes_;
  std::size_t at_ = 0;
  std::uint64_t size_ = 0;
  bool ended_ = false;
  std::string payload_;
};

inline PlainResult decode_plainly(const std::string& bytes) {
  return PlainDecoder(bytes).decode();
}

}  // namespace aifd::protocol
