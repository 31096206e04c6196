// ${NAME} and ${NAME:-default} in the values of a .env file.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace aifd::config {

// The value with every reference replaced. A name is looked up in `environment`, then in `values`;
// where it is in neither, its default counts, or nothing. A name with an empty value is known.
std::string interpolate(std::string_view value, const std::map<std::string, std::string>& values,
                        const std::map<std::string, std::string>& environment);

}  // namespace aifd::config
