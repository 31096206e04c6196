// The members of the conversation log's records, made once: at each place of use compilers would
// put a name together anew.
#pragma once

#include "record_writer.hpp"

namespace aifd::protocol::names {

inline constexpr RecordName api = "api";
inline constexpr RecordName arguments = "arguments";
inline constexpr RecordName assistant = "assistant";
inline constexpr RecordName attempts = "attempts";
inline constexpr RecordName cache = "cache";
inline constexpr RecordName caching = "caching";
inline constexpr RecordName choices = "choices";
inline constexpr RecordName completion_tokens = "completion_tokens";
inline constexpr RecordName content = "content";
inline constexpr RecordName content_type = "content_type";
inline constexpr RecordName custom = "custom";
inline constexpr RecordName datetime = "datetime";
inline constexpr RecordName drained = "drained";
inline constexpr RecordName duration_ms = "duration_ms";
inline constexpr RecordName ended_by = "ended_by";
inline constexpr RecordName error = "error";
inline constexpr RecordName error_text = "error_text";
inline constexpr RecordName finish_reason = "finish_reason";
inline constexpr RecordName function = "function";
inline constexpr RecordName id = "id";
inline constexpr RecordName index = "index";
inline constexpr RecordName input = "input";
inline constexpr RecordName ip = "ip";
inline constexpr RecordName is_tool_calls = "is_tool_calls";
inline constexpr RecordName key = "key";
inline constexpr RecordName messages = "messages";
inline constexpr RecordName method = "method";
inline constexpr RecordName model = "model";
inline constexpr RecordName name = "name";
inline constexpr RecordName object = "object";
inline constexpr RecordName path = "path";
inline constexpr RecordName payload = "payload";
inline constexpr RecordName payload_bytes = "payload_bytes";
inline constexpr RecordName phase = "phase";
inline constexpr RecordName prompt_tokens = "prompt_tokens";
inline constexpr RecordName reasoning = "reasoning";
inline constexpr RecordName refusal = "refusal";
inline constexpr RecordName response = "response";
inline constexpr RecordName response_bytes = "response_bytes";
inline constexpr RecordName route = "route";
inline constexpr RecordName shortened = "shortened";
inline constexpr RecordName status = "status";
inline constexpr RecordName text = "text";
inline constexpr RecordName total_tokens = "total_tokens";
inline constexpr RecordName truncated = "truncated";
inline constexpr RecordName ttft_ms = "ttft_ms";
inline constexpr RecordName type = "type";
inline constexpr RecordName uid = "uid";
inline constexpr RecordName upstream = "upstream";
inline constexpr RecordName usage = "usage";
inline constexpr RecordName usage_source = "usage_source";

}  // namespace aifd::protocol::names
