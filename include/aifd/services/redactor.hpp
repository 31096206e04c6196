// What must not stand in the conversation log's records, made ***.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "aifd/base/clock.hpp"
#include "aifd/base/secret.hpp"

namespace re2 {
class RE2;
}

namespace aifd::services {

class SecretSearch;

// Used on one thread.
//
// Secrets go from every string of a record, names too, however they are escaped, in JSON within a
// string as well. Those of less than kLeastSecret bytes stay: a caller who sends one letter as his
// key would make the record unreadable.
//
// Patterns go over the text of each string that is a value, without its escapes. What is no string
// (a number) they do not see. In a text of more than 256 KiB a match that is longer than
// kLongestMatch may be missed, or masked in part. Strings that change are escaped anew; all else
// keeps its bytes.
//
// Neither touches what aifd alone has written and whoever reads the log relies on: the record's
// own uid, datetime, api, usage_source, ended_by, phase, drained, cache, error and shortened.
class Redactor {
 public:
  static constexpr std::size_t kLeastSecret = 4;
  static constexpr std::size_t kLongestMatch = std::size_t{16} << 10;
  static constexpr std::chrono::seconds kBudget{2};

  // RE2's syntax; what it does not take is left out. What a record has after `budget`, as a
  // pattern that goes through a long text again and again takes, is *** as a whole.
  explicit Redactor(const std::vector<std::string>& patterns,
                    std::chrono::milliseconds budget = kBudget);
  Redactor(const Redactor&) = delete;
  Redactor& operator=(const Redactor&) = delete;
  ~Redactor();

  // What the record is to be, which is one valid JSON object; nullopt: it stays as it is.
  std::optional<std::string> redacted(std::string_view record, std::span<const Secret> secrets);

 private:
  class Masks;

  bool may_hold(std::string_view record, std::span<const Secret> secrets);

  std::vector<std::unique_ptr<re2::RE2>> patterns_;
  const std::chrono::milliseconds budget_;
  const std::unique_ptr<SecretSearch> search_;
};

}  // namespace aifd::services
