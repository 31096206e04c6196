// The event of an OpenAI stream that says what the answer cost, which not every client expects.
#pragma once

#include <string>
#include <string_view>

namespace aifd::protocol {

// Both take a whole event stream of chat completions or completions. The event is there where its
// request asked with stream_options.include_usage: its data is an object with an empty list
// "choices", which clients that did not ask may stumble over, and an object "usage". Not taken for
// it: what is no valid JSON, has one of the two twice or with escapes in its name, or is cut off by
// the stream's end. Time and memory are linear in the stream's size.
// Source: platform.openai.com/docs/api-reference/chat/create, stream_options.
bool has_usage_event(std::string_view stream);

// The stream without all such events, each with the comments among its lines and the empty line
// that ends it; every other byte stays.
std::string without_usage_event(std::string_view stream);

}  // namespace aifd::protocol
