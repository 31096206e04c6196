// Whether a recorded answer says itself that it is whole and went well, whatever its transport
// said: one that ends with its connection looks whole also where its server died.
#pragma once

#include <string_view>

namespace aifd::protocol {

// An event stream. False where it says an error (an event "error", data with a top-level "error"
// that is not null), ends within an event, or, where it is one of OpenAI's, does not end as these
// do: chat completions and completions with "[DONE]", the Responses API with response.completed or
// response.incomplete. Takes time linear in its size.
// Sources: platform.openai.com/docs/api-reference/chat-streaming, .../responses-streaming.
bool is_whole_stream(std::string_view stream);

// One JSON value, valid to its last byte. False where it says a top-level "error" that is not null:
// some servers answer so with status 200. Takes time linear in its size.
bool is_whole_json(std::string_view text);

}  // namespace aifd::protocol
