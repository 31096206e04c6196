// Takes the chunked transfer coding off a byte stream (RFC 9112, 7.1). Strict; no allocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "aifd/base/error.hpp"

namespace aifd::protocol {

class ChunkedDecoder {
 public:
  struct Step {
    std::string_view payload;  // the decoded bytes, contiguous, inside the span given
    std::size_t consumed =
        0;  // bytes of the span that belong to this body; all but for the last step
  };

  // Decodes all it can of `bytes`, moving the payloads of several chunks together in place (the
  // first one stays where it is, so that a lone chunk costs no copy). Extensions are dropped,
  // trailers read and dropped. An error is a body that must not be passed on: bad size (over 16 hex
  // digits or 2^63-1), white space after a size, bare LF, chunk-size line over 4 KiB, a trailer
  // that is no field, trailers over 16 KiB. The error's kind is bad_request; whoever reads an
  // upstream maps it. Not to be called again after an error.
  Result<Step> decode(std::span<char> bytes);

  // The last chunk and the trailers' blank line have been read.
  bool done() const noexcept { return state_ == State::done; }

 private:
  enum class State : std::uint8_t {
    size_start,
    size,
    size_space,
    extension,
    extension_quoted,
    extension_quoted_pair,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer_start,
    trailer_name,
    trailer_value,
    trailer_lf,
    end_lf,
    done
  };

  // Takes one byte of the framing; the reason where it may not stand there.
  const char* take(char c) noexcept;
  const char* take_size(char c) noexcept;
  const char* take_extension(char c) noexcept;
  const char* take_trailer(char c) noexcept;
  void end_size_line() noexcept;

  State state_ = State::size_start;
  std::uint64_t left_ = 0;        // of the chunk's size or data
  std::uint32_t line_bytes_ = 0;  // of the size line, or of all trailers
};

// "1a\r\n" for a chunk of 26 bytes, into `out`; gives the view of what was written.
std::string_view chunk_header(std::uint64_t size, std::span<char, 20> out) noexcept;

inline constexpr std::string_view kChunkEnd = "\r\n";
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";
inline constexpr std::string_view kChunkEndAndLast = "\r\n0\r\n\r\n";

}  // namespace aifd::protocol
