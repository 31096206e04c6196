// Reads .env files the way python-dotenv does, so that an existing file means the same here.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aifd::config {

struct DotenvEntry {
  std::string name;
  std::optional<std::string> value;  // none: the line has a name and no equals sign
  int line = 0;                      // where the entry begins, from 1
};

struct DotenvFile {
  std::vector<DotenvEntry> entries;  // in the order of the file; a name may come twice
  std::vector<std::string> errors;   // "line 3: what is wrong", never with a value in it
};

// Comments, `export`, values without quotes up to " #", and values in single or double quotes over
// several lines. In single quotes \\ and \' are escapes, in double quotes also \" \a \b \f \n \r
// \t \v. ${NAME} and ${NAME:-default} are replaced in every value, whatever its quotes; NAME is
// looked up in `environment` first, then among the entries above it, and is empty when unknown.
// Other uses of a dollar sign are left alone. A quote that is never closed ends the reading.
DotenvFile parse_dotenv(std::string_view text,
                        const std::map<std::string, std::string>& environment);

}  // namespace aifd::config
