// What of a request's body may come into its record.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#include "aifd/base/line_buffer.hpp"
#include "json_reader.hpp"
#include "json_text.hpp"

namespace aifd::protocol {

// Members of the top level, by name, in the form that records have (append_record_json()).
class RecordedBody {
  // The usual ones first.
  static constexpr std::string_view kNames[] = {"model",
                                                "messages",
                                                "stream",
                                                "temperature",
                                                "max_tokens",
                                                "tools",
                                                "tool_choice",
                                                "input",
                                                "instructions",
                                                "system",
                                                "max_output_tokens",
                                                "max_completion_tokens",
                                                "response_format",
                                                "n",
                                                "top_p",
                                                "logit_bias",
                                                "frequency_penalty",
                                                "presence_penalty",
                                                "seed",
                                                "stop",
                                                "stop_sequences",
                                                "user",
                                                "caching",
                                                "prompt",
                                                "encoding_format",
                                                "file",
                                                "language"};

 public:
  // One of these, looked up at compile time.
  class Name {
   public:
    consteval Name(const char* name) : place_(place_of(name)) {
      if (place_ == std::size(kNames)) throw "not in kNames";
    }

   private:
    friend class RecordedBody;
    std::size_t place_;
  };

  // What must be rewritten is so in there, which is empty, and stays so long.
  explicit RecordedBody(LineBuffer& rewritten) noexcept : rewritten_(rewritten) {}

  // False where it is no JSON object: then it has no members. The text outlives what is read of it.
  bool read(std::string_view text);

  bool has(Name name) const noexcept { return values_[name.place_].size > 0; }

  // The last member of that name. Empty where there is none, null where it is nested too deep for a
  // record.
  std::string_view get(Name name) {
    const Value& value = values_[name.place_];
    if (value.is_too_deep) {
      lacks_some_ = true;
      return "null";
    }
    const std::string_view from = value.is_rewritten ? rewritten_.view() : text_;
    return {from.data() + value.begin, value.size};
  }

  // What get() gives, as it was sent: in a record a number may be a string.
  JsonKind kind(Name name) const noexcept;

  // Whether something that was asked for was nested too deep.
  bool lacks_some() const noexcept { return lacks_some_; }

 private:
  struct Value {
    std::size_t begin = 0;  // in rewritten_ or the text
    std::size_t size = 0;
    JsonKind kind = JsonKind::none;
    bool is_rewritten = false;
    bool is_too_deep = false;
  };

  static constexpr std::size_t place_of(std::string_view name) {
    return static_cast<std::size_t>(std::ranges::find(kNames, name) - std::begin(kNames));
  }

  bool read_members();
  bool read_value(JsonReader& reader, Value& value);

  std::string_view text_;
  LineBuffer& rewritten_;
  bool lacks_some_ = false;
  std::array<Value, std::size(kNames)> values_{};
};

}  // namespace aifd::protocol
