// An OpenAI answer as the stream that the same request with "stream": true would have had.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace aifd::protocol {

// Takes the body of a whole answer of chat completions, completions or the Responses API, decoded
// of any Content-Encoding, and gives the event stream (text/event-stream). nullopt where it is none
// of these, unfinished or failed, or cannot be told in pieces. Time and memory are linear in its
// size: a long chat gives a stream of about its size, a response one of five times its size, as
// the API itself repeats each text. A hostile answer of 32 MiB takes about a second.
//
// A piece is about a token (at most eight bytes but for its last character; longer in answers over
// 64 KiB, so that the stream does not become a multiple of the answer), and with "logprobs" one
// token, where these are the text. The choices come one after another. What nobody knows comes
// whole: of the answer and a message in the first chunk, of a choice in its last.
// `include_usage` (stream_options.include_usage) is of no matter to the Responses API, which always
// says it.
//
// Not converted: content that is no string, audio, choices without finish_reason or with gaps, keys
// written with escapes or twice, over 64 members in one object, over 4,096 choices and tool calls
// (items and parts), and an id, model and the like of over 2 KiB, since each chunk repeats them.
//
// answer_from_stream() turns it back into an equal answer, but for what it adds or drops itself,
// and "index" in tool calls.
// Sources: platform.openai.com/docs/api-reference/chat-streaming, .../completions,
// .../responses-streaming.
std::optional<std::string> stream_from_answer(std::string_view answer, bool include_usage);

}  // namespace aifd::protocol
