// RFC 4648, 4: the standard alphabet, always padded.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace aifd::protocol {

void append_base64(std::string& out, std::string_view bytes);

// nullopt where `text` is anything that append_base64 would not have written.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace aifd::protocol
