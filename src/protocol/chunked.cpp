#include "aifd/protocol/chunked.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "aifd/base/hex.hpp"
#include "chars.hpp"

namespace aifd::protocol {
namespace {

constexpr std::uint32_t kMaxSizeDigits = 16;
constexpr std::uint32_t kMaxSizeLineBytes = 4 * 1024;
constexpr std::uint32_t kMaxTrailerBytes = 16 * 1024;

constexpr const char* kBadSize = "a chunk's size is not up to 16 hex digits for at most 2^63-1";
constexpr const char* kBadSizeLine = "a chunk's size is followed by what is no extension";
constexpr const char* kLongSizeLine = "the line of a chunk's size is over 4 KiB";
constexpr const char* kBadLineEnd = "a line does not end in CR LF";
constexpr const char* kBadDataEnd = "a chunk is longer than its size says";
constexpr const char* kBadTrailer = "a trailer is no header field";
constexpr const char* kLongTrailers = "the trailers are over 16 KiB";

// Outside quotes: tokens, "=", ";" and white space (RFC 9112, 7.1.1).
constexpr CharClass kExtensionChars{[](unsigned char byte) {
  const char c = static_cast<char>(byte);
  return kTokenChars.has(c) || c == '=' || c == ';' || c == ' ' || c == '\t';
}};

Error malformed(const char* reason) {
  return Error{ErrorKind::bad_request, ErrorSource::client, false,
               "The chunked body is malformed: " + std::string(reason) + "."};
}

}  // namespace

void ChunkedDecoder::end_size_line() noexcept {
  state_ = left_ == 0 ? State::trailer_start : State::data;
  line_bytes_ = 0;
}

const char* ChunkedDecoder::take_size(char c) noexcept {
  const int digit = hex_value(c);
  if (digit >= 0) {
    if (line_bytes_ > kMaxSizeDigits || (left_ >> 59) != 0) return kBadSize;
    left_ = left_ * 16 + static_cast<unsigned>(digit);
    state_ = State::size;
    return nullptr;
  }
  if (state_ == State::size_start) return kBadSize;
  if (c == '\r') {
    state_ = State::size_lf;
  } else if (c == ';') {
    state_ = State::extension;
  } else if (c == ' ' || c == '\t') {
    state_ = State::size_space;
  } else {
    return c == '\n' ? kBadLineEnd : kBadSize;
  }
  return nullptr;
}

const char* ChunkedDecoder::take_extension(char c) noexcept {
  switch (state_) {
    case State::size_space:
      if (c == ';') state_ = State::extension;
      return c == ';' || c == ' ' || c == '\t' ? nullptr : kBadSizeLine;
    case State::extension_quoted_pair:
      state_ = State::extension_quoted;
      return kFieldValueChars.has(c) ? nullptr : kBadSizeLine;
    case State::extension_quoted:
      if (c == '"') state_ = State::extension;
      if (c == '\\') state_ = State::extension_quoted_pair;
      return kFieldValueChars.has(c) ? nullptr : kBadSizeLine;
    default:
      if (c == '\r') {
        state_ = State::size_lf;
      } else if (c == '"') {
        state_ = State::extension_quoted;
      } else if (!kExtensionChars.has(c)) {
        return c == '\n' ? kBadLineEnd : kBadSizeLine;
      }
      return nullptr;
  }
}

const char* ChunkedDecoder::take_trailer(char c) noexcept {
  switch (state_) {
    case State::trailer_start:
      if (c == '\r') {
        state_ = State::end_lf;
        return nullptr;
      }
      state_ = State::trailer_name;
      return kTokenChars.has(c) ? nullptr : kBadTrailer;
    case State::trailer_name:
      if (c == ':') state_ = State::trailer_value;
      return c == ':' || kTokenChars.has(c) ? nullptr : kBadTrailer;
    case State::trailer_value:
      if (c == '\r') state_ = State::trailer_lf;
      return c == '\r' || kFieldValueChars.has(c) ? nullptr : kBadTrailer;
    default:
      if (c != '\n') return kBadLineEnd;
      state_ = state_ == State::end_lf ? State::done : State::trailer_start;
      return nullptr;
  }
}

const char* ChunkedDecoder::take(char c) noexcept {
  if (state_ >= State::trailer_start) {
    return ++line_bytes_ > kMaxTrailerBytes ? kLongTrailers : take_trailer(c);
  }
  switch (state_) {
    case State::data_cr:
      state_ = State::data_lf;
      return c == '\r' ? nullptr : kBadDataEnd;
    case State::data_lf:
      state_ = State::size_start;
      return c == '\n' ? nullptr : kBadLineEnd;
    case State::size_lf:
      end_size_line();
      return c == '\n' ? nullptr : kBadLineEnd;
    case State::size_start:
    case State::size:
      ++line_bytes_;
      return take_size(c);
    default:
      return ++line_bytes_ > kMaxSizeLineBytes ? kLongSizeLine : take_extension(c);
  }
}

Result<ChunkedDecoder::Step> ChunkedDecoder::decode(std::span<char> bytes) {
  char* const begin = bytes.data();
  std::size_t payload_begin = 0;
  std::size_t payload_size = 0;
  std::size_t at = 0;
  while (at < bytes.size() && state_ != State::done) {
    if (state_ != State::data) {
      if (const char* reason = take(begin[at])) return malformed(reason);
      ++at;
      continue;
    }
    const auto piece = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size() - at));
    if (payload_size == 0) payload_begin = at;
    char* const payload_end = begin + payload_begin + payload_size;
    if (payload_end != begin + at) std::memmove(payload_end, begin + at, piece);
    payload_size += piece;
    at += piece;
    left_ -= piece;
    if (left_ == 0) state_ = State::data_cr;
  }
  return Step{std::string_view(begin + payload_begin, payload_size), at};
}

std::string_view chunk_header(std::uint64_t size, std::span<char, 20> out) noexcept {
  char* end = std::to_chars(out.data(), out.data() + 16, size, 16).ptr;
  *end++ = '\r';
  *end++ = '\n';
  return {out.data(), static_cast<std::size_t>(end - out.data())};
}

}  // namespace aifd::protocol
