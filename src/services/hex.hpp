// Bytes as hexadecimal digits.
#pragma once

#include <span>
#include <string>

namespace aifd::services {

// "00ff".
std::string hex(std::span<const unsigned char> bytes);

}  // namespace aifd::services
