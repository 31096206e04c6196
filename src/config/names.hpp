// The names that variables have, had, and are mistyped as.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace aifd::config {

// Another name under which a variable's value may come.
struct Alias {
  std::string_view alias;
  std::string_view name;
  bool outdated;  // its use is worth a note
};
std::span<const Alias> aliases();

// Names of earlier versions of the original that it no longer reads.
struct Retired {
  std::string_view name;
  std::string_view instead;
};
std::span<const Retired> retired_names();

// A variable's name, one of its aliases, or NAME_FILE of a variable whose value may be in a file.
bool is_accepted_name(std::string_view name);

// The variable that a mistyped name most likely means: one or two letters wrong, swapped, missing
// or too many (one in a short name), or another case. Empty when there is none.
std::string nearest_name(std::string_view name);

}  // namespace aifd::config
