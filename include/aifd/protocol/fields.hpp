// Header fields and message heads as views into the bytes they were parsed from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "aifd/protocol/field_name.hpp"
#include "aifd/protocol/iequals.hpp"

namespace aifd::protocol {

// What stands behind the last space or tab of a value: all of it where there is none.
std::string_view last_word(std::string_view value) noexcept;

struct Field {
  FieldName name;
  std::string_view value;  // without surrounding white space
  // The line that both were read from, where it is as it would be written: "name: value\r\n".
  // Empty where it is not, or where one of them was changed since.
  std::string_view line{};
};

// The fields of one head, in order, duplicates kept. The bytes belong to the caller: the
// connection's input buffer, or the exchange's arena for values made here. Look-ups are linear:
// heads are short. Most are for what is not there, which costs none.
class Fields {
 public:
  void reserve(std::size_t count) { fields_.reserve(count); }
  void clear() noexcept {
    fields_.clear();
    names_ = {};
  }
  void add(const FieldName& name, std::string_view value, std::string_view line = {}) {
    names_.add(name.id());
    fields_.push_back({name, value, line});
  }

  // The first field of that name; nullptr where there is none.
  const Field* find(const FieldName& name) const noexcept {
    return may_have(name) ? find_among(name) : nullptr;
  }
  // Its value, or "" where there is none.
  std::string_view get(const FieldName& name) const noexcept {
    const Field* const field = find(name);
    return field != nullptr ? field->value : std::string_view{};
  }
  bool contains(const FieldName& name) const noexcept { return find(name) != nullptr; }
  std::size_t count(const FieldName& name) const noexcept;

  // Replaces the first field of that name in its place and drops the others; appends where none is.
  void set(const FieldName& name, std::string_view value);
  void remove(const FieldName& name);
  // Each value becomes what change(value) gives.
  template <class Change>
  void change_values(Change change);
  // The same texts are now elsewhere: each name, and then its value, is where move(text) says.
  template <class Move>
  void move_texts(Move move);

  std::size_t size() const noexcept { return fields_.size(); }
  bool empty() const noexcept { return fields_.empty(); }
  auto begin() const noexcept { return fields_.begin(); }
  auto end() const noexcept { return fields_.end(); }

 private:
  bool may_have(const FieldName& name) const noexcept { return names_.has(name.id()); }
  const Field* find_among(const FieldName& name) const noexcept;

  std::vector<Field> fields_;
  NameSet names_;  // of all that were ever added; that of kUnknownName, too
};

// Calls fn(token) for each non-empty, trimmed element of a comma-separated list (RFC 9110, 5.6.1).
template <class Fn>
void for_each_token(std::string_view list, Fn fn);

// Whether any field of that name lists the token, case-insensitively ("Connection: keep-alive,
// TE").
bool has_token(const Fields& fields, const FieldName& name, std::string_view token) noexcept;

struct RequestHead {
  std::string_view method;
  std::string_view target;     // as on the request line
  unsigned version_minor = 1;  // HTTP/1.<minor>: 0 or 1
  Fields fields;
};

struct ResponseHead {
  unsigned version_minor = 1;
  int status = 0;  // 100 to 999
  std::string_view reason;
  Fields fields;
};

template <class Change>
void Fields::change_values(Change change) {
  for (Field& field : fields_) {
    const std::string_view changed = change(field.value);
    if (changed.data() == field.value.data() && changed.size() == field.value.size()) continue;
    field.value = changed;
    field.line = {};
  }
}

template <class Move>
void Fields::move_texts(Move move) {
  for (Field& field : fields_) {
    field.name = move(field.name.text());
    field.value = move(field.value);
    field.line = {};
  }
}

template <class Fn>
void for_each_token(std::string_view list, Fn fn) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    std::string_view token = list.substr(0, comma);
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
    const std::size_t first = token.find_first_not_of(" \t");
    if (first == std::string_view::npos) continue;
    token = token.substr(first, token.find_last_not_of(" \t") - first + 1);
    fn(token);
  }
}

}  // namespace aifd::protocol
