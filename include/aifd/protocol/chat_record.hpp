// The lines of a chat log, read again: of aifd's own logs and of openai-forward's.
#pragma once

#include <string>
#include <string_view>
#include <variant>

namespace aifd::protocol {

struct ChatRecord {
  enum class Kind { request, answer };
  Kind kind = Kind::request;
  std::string uid;       // joins the two of one exchange
  std::string datetime;  // "2023-10-17 15:27:12"; empty where there is none
  std::string json;      // the record: an object without white space between its tokens
};

// Of one line, without its line feed: a JSON object, or a dict in Python's notation
// (json_of_python_literal()). What has "messages" is a request, what else has "assistant" an
// answer. Otherwise what is wrong with the line, for a person.
//
// Strings have no escapes but those that JSON demands and \n, \t and the like; lone surrogates
// become U+FFFD.
std::variant<ChatRecord, std::string> read_chat_record(std::string_view line);

// An exchange as openai-forward's own converter writes it, one JSON object without white space:
// {"datetime","ip","model","temperature","messages":[{"user":"hi"}],"tools","is_tool_calls",
// "assistant"}. The content of a message and the assistant stay what they are, also where they are
// null or lists, which become strings there. A message without a role goes by its type, whole.
std::string conversation(const ChatRecord& request, const ChatRecord& answer);

// Why an exchange is no good for fine-tuning.
enum class Unfit {
  failed,   // no answer with a status of 2xx, or one with an error in it
  cut,      // the answer did not come to its end, or not all of it is in the record
  stopped,  // the model did not finish: finish_reason "length", "content_filter" and the like
  empty,    // there is no answer
  no_chat,  // the chat API has no such messages, tools or calls, or no message is the user's
};

std::string_view to_string(Unfit why) noexcept;

// An exchange as OpenAI's fine-tuning takes it, one JSON object without white space:
// {"messages":[...,{"role":"assistant","content" or "tool_calls"}],"tools"}, the last only where
// there are any. The request's messages stay as they were sent; those of the Responses and
// Anthropic's API must have nothing in them but text, which then stands there as one string.
std::variant<std::string, Unfit> training_example(const ChatRecord& request,
                                                  const ChatRecord& answer);

}  // namespace aifd::protocol
