// What kind of content a message says it holds.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

#include "aifd/protocol/fields.hpp"

namespace aifd::protocol {

// "text/plain" of "Content-Type: text/plain; charset=utf-8", in the case it was sent in; "" where
// there is none. Compared with iequals (RFC 9110, 8.3.1).
std::string_view media_type(const Fields& fields) noexcept;

inline bool is_event_stream(std::string_view media_type) noexcept {
  return iequals(media_type, "text/event-stream");
}

// Whether a body of this type comes event by event: an event stream, or lines of JSON.
inline bool is_stream(std::string_view media_type) noexcept {
  return is_event_stream(media_type) || iequals(media_type, "application/x-ndjson");
}

// Whether a body of this type is bytes that nobody here reads: uploads, sounds, pictures.
inline bool is_binary(std::string_view media_type) noexcept {
  static constexpr std::array<std::string_view, 5> kKinds{"multipart/", "audio/", "image/",
                                                          "video/", "application/octet-stream"};
  return std::ranges::any_of(kKinds, [media_type](std::string_view kind) {
    return iequals(media_type.substr(0, kind.size()), kind);
  });
}

}  // namespace aifd::protocol
