// JSON as text: numbers, strings and values that nobody knows keep their bytes when they go from
// one document into another, and nothing recurses.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aifd::protocol {

// The one value that `text` is, without the white space between its tokens; nullopt where it is not
// JSON (RFC 8259), not UTF-8 or nested deeper than 512. Escapes of half a surrogate pair pass.
// Everything below takes such text, or a value out of it, and gives views into it.
std::optional<std::string> compact_json(std::string_view text);

enum class JsonKind { none, object, array, string, number, boolean, null };

// By the first character; none for an empty text.
JsonKind kind_of(std::string_view value) noexcept;

// A string without its quotes, still escaped; a list or object without its brackets.
std::string_view inside(std::string_view value) noexcept;

// An index: digits, at most six of them.
std::optional<std::size_t> index_of(std::string_view value) noexcept;

struct JsonItem {
  std::string_view key;  // without the quotes, still escaped; empty in a list
  std::string_view value;
};

// Goes through a list or an object; over anything else, ends at once.
class JsonItems {
 public:
  explicit JsonItems(std::string_view container) noexcept;

  bool next(JsonItem& item) noexcept;

 private:
  std::string_view rest_;
  bool has_keys_;
};

// An object of at most 64 members with plain keys.
class JsonObject {
 public:
  // nullopt also where a key is there twice, or written with escapes: readers differ there.
  static std::optional<JsonObject> read(std::string_view value);

  // Empty where there is no such member.
  std::string_view get(std::string_view key) const noexcept;

  const std::vector<JsonItem>& members() const noexcept { return members_; }

 private:
  std::vector<JsonItem> members_;
};

// Appends "key":value, after a comma where something stands before it in its object.
void append_member(std::string& out, std::string_view key, std::string_view value);

}  // namespace aifd::protocol
