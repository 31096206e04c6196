// A recorded OpenAI stream as the answer that the same request without "stream" would have had.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace aifd::protocol {

// Takes a whole event stream (of chat completions, completions or the Responses API), decoded of
// any Content-Encoding. nullopt where it is none of these, was cut, says an error, or leaves open
// what the answer is; such an answer must not be kept. Time and memory are linear in its size.
//
// Chat completions and completions end with "[DONE]", and every choice with a finish_reason other
// than "error". In "delta": texts are joined (of fields that nobody knows, too), as are lists;
// tool calls are joined by "index"; of anything else the last value counts that is not null. Beside
// "delta" lists are joined ("logprobs" and the like); of anything else the last value counts, but
// of "id", "created" and "model" the first that says something. "usage" is there where the stream
// had it (stream_options.include_usage), null is dropped, and so is "obfuscation". Not converted:
// audio, tool calls whose id or name changes, gaps in the choices, keys written with escapes or
// twice, over 64 fields in one object, over 4,096 choices and tool calls.
//
// Of a Responses stream the answer is what response.completed brings; nothing of an unfinished,
// failed or incomplete one.
//
// Numbers, escapes and unknown values keep their bytes, white space between tokens goes.
// Sources: platform.openai.com/docs/api-reference/chat-streaming, .../completions,
// .../responses-streaming; openai-python src/openai/lib/streaming.
std::optional<std::string> answer_from_stream(std::string_view stream);

}  // namespace aifd::protocol
