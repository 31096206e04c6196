// SHA-256 by OpenSSL, for short texts many times a second.
#pragma once

#include <array>
#include <initializer_list>
#include <string_view>

namespace aifd::services {

using Sha256 = std::array<unsigned char, 32>;

// Of the pieces one behind the other. From any thread.
Sha256 sha256(std::initializer_list<std::string_view> pieces) noexcept;

}  // namespace aifd::services
