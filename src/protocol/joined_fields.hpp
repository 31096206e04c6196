// The members of an object that a stream sends in pieces.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "json_text.hpp"

namespace aifd::protocol {

// What a later value of a field does to what is there. Null never replaces anything.
enum class JoinRule {
  first,   // nothing, but where what is there is "", 0 or null
  once,    // as first; a different one is an error
  last,    // replaces it
  lists,   // lists are joined; else replaces it
  pieces,  // strings and lists are joined; else replaces it
};

// At most 64 fields, in the order in which they came. Values are compact JSON.
class JoinedFields {
 public:
  // False where the value contradicts what is there, or there are too many fields.
  bool add(std::string_view key, std::string_view value, JoinRule rule);

  void remove(std::string_view key);

  bool empty() const noexcept { return fields_.empty(); }

  // Empty where there is no such field.
  std::string_view get(std::string_view key) const noexcept;

  // Appends the members to an object that has been begun.
  void append_to(std::string& out) const;

 private:
  struct Field {
    std::string key;
    std::string value;
  };

  std::vector<Field> fields_;
};

}  // namespace aifd::protocol
