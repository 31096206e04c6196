// The chunks of one answer, written as events.
#pragma once

#include <string>
#include <string_view>

#include "json_text.hpp"

namespace aifd::protocol {

class ChunkWriter {
 public:
  // `object` is the chunks' own, with its quotes. What is no part of each chunk comes in the first.
  ChunkWriter(const JsonObject& answer, std::string_view object, bool include_usage);

  // Whether what each chunk repeats is short enough.
  bool is_sound() const noexcept;

  // Chunks of this choice from now on.
  void begin_choice(std::size_t index, bool has_logprobs);

  // `body` are the members that the chunk is there for; `logprobs` null where it has none.
  void write(std::string_view body, std::string_view logprobs = "null");

  // The choice's last chunk; `end` are its members finish_reason and so on.
  void write_end(std::string_view body, std::string_view logprobs, std::string_view end);

  // The usage, where it is asked for, and [DONE].
  std::string finish();

 private:
  std::string head_;   // of each chunk, up to its choices
  std::string extra_;  // members of the first one
  std::string usage_;  // null in each chunk, where it is asked for
  bool include_usage_;
  std::string index_;
  bool has_logprobs_ = false;
  std::string stream_;
};

}  // namespace aifd::protocol
