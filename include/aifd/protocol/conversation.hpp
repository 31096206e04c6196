// What the conversation log says of a request and of its answer, made of their bytes.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "aifd/base/line_buffer.hpp"

namespace aifd::protocol {

// What was asked, by the path it went to.
enum class ConversationApi { chat, responses, messages, completion, embedding, whisper, general };

std::string_view to_string(ConversationApi api) noexcept;  // "chat", "responses", ...

// The kind of log that has it: "chat" for the first three, "completion", "embedding", "whisper",
// "general".
std::string_view log_kind(ConversationApi api) noexcept;

// The folder of a route's logs, as openai-forward names it: "openai" of "/", "localai" of
// "/localai", "a_b" of "/a/b".
std::string log_prefix(std::string_view route_prefix);

// What a request's record says besides its body. Empty texts are left out of the record, or null.
struct RequestNote {
  std::string uid;            // joins the records of one exchange
  std::string ip;             // the caller's
  std::string_view datetime;  // local time, "2023-10-17 15:27:12"; of a text that is there until
                              // the record is made
  std::string method;         // this and the next two for general routes only
  std::string path;           // with its query, no secret in it
  std::string content_type;   // as sent
  std::string route;          // its prefix
  std::string key;            // the forward key's alias
  std::uint64_t body_bytes = 0;
  bool too_large = false;  // the body is not held, what is given of it does not count
  bool coded = false;      // it has a Content-Encoding
};

// Appends the record: one JSON object in one line, without its line feed. Any body makes one: what
// it does not tell is null, and "shortened" says why.
//
// Of ConversationApi::whisper the body is what form_as_json() made of it.
void append_request_record(LineBuffer& out, ConversationApi api, const RequestNote& note,
                           std::string_view body);

// The texts of a multipart form as one JSON object of strings, files by their names (null: it has
// none that could be read); the first field of each name counts. nullopt where it is no form. Takes
// time linear in its size, and little memory: the bytes of files, and of whatever may be one, are
// passed over.
std::optional<std::string> form_as_json(std::string_view content_type, std::string_view body);

// What an answer's record says besides its body. Its views are of texts that are there until the
// record is made.
struct AnswerNote {
  std::string_view uid;
  std::string_view datetime;  // of its end
  int status = 0;             // sent to the client; 0: none
  std::string_view ended_by;  // "complete", "client", "upstream", "aifd"
  std::string_view phase;     // "stream"
  std::string_view error;     // the name of the error's kind; empty: none
  std::string_view drained;   // "whole" or "cut"; empty: its client stayed
  std::optional<std::chrono::microseconds> first_byte;  // since the request's head
  std::chrono::microseconds duration{0};
  std::string_view cache;  // "hit"; empty: it had no part
  unsigned attempts = 0;   // at the upstream
  std::string_view route;
  std::string upstream;  // host and port; empty: not asked
  std::string_view key;
  std::uint64_t request_bytes = 0;  // of the request's body, to guess its tokens by
  bool bytes_lost = false;          // not all of the answer was fed
};

// Puts one answer together from its pieces, cut anywhere. Used by one thread at a time. Keeps what
// the record will say, not what came: a stream's events go as they end, at about half a microsecond
// each. An event over 16 MiB is passed over. Of an answer that is cut off inside its JSON, what is
// there counts.
class AnswerRecorder {
 public:
  struct Options {
    bool streams_by_default = true;  // what an answer without a Content-Type is taken for
    // Of what is kept. What does not fit is left out, and the record says "truncated".
    std::size_t max_bytes = std::size_t{32} << 20;
  };

  AnswerRecorder(ConversationApi api, Options options);
  AnswerRecorder(const AnswerRecorder&) = delete;
  AnswerRecorder& operator=(const AnswerRecorder&) = delete;
  ~AnswerRecorder();

  // Before the first piece, where there was a head. The Content-Type outlives the recorder.
  void head(int status, std::string_view content_type, std::string_view content_encoding);
  void feed(std::string bytes);

  // The memory that it holds, but for what its size does not depend on. Cheap.
  std::size_t held_bytes() const;

  // Keeps hardly more from now on, whatever is fed, and the record says "truncated". What a stream
  // reports at its end (usage, why it finished) still comes into the record. Not within feed().
  void cut();

  // Appends the record, as append_request_record() does. Called once, last.
  void append_record(LineBuffer& out, const AnswerNote& note);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aifd::protocol
