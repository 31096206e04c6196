// What Redis answers, and how its bytes are read and a command's are written.
//
// The protocol (RESP2, https://redis.io/docs/reference/protocol-spec/) is spoken by hiredis 0.14,
// Debian 12's: its reader and its formatter. Its connections are not used: in that version they
// know neither TLS nor a time limit of a command, and look names up with a blocking getaddrinfo.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct redisReader;
struct redisReadTask;

namespace aifd::services {

struct RedisReply {
  enum class Kind { nil, integer, text, status, error, array };

  Kind kind = Kind::nil;
  std::int64_t integer = 0;       // of an integer
  std::string text;               // of a text, a status such as "OK", an error such as "ERR no"
  std::vector<RedisReply> items;  // of an array

  bool is_status(std::string_view wanted) const noexcept {
    return kind == Kind::status && text == wanted;
  }
  // An error by its first word: "NOSCRIPT".
  bool is_error(std::string_view code) const noexcept;
};

// A command with its arguments, as the server reads it, appended to `out`. Any bytes may stand in
// an argument.
void append_redis_command(std::span<const std::string_view> arguments, std::string& out);

// Cuts a stream of bytes into replies. Holds at most `most_bytes` of one that is not complete, and
// at most kMostBytes of one without a text that is longer.
class RedisReplyReader {
 public:
  static constexpr std::size_t kMostBytes = std::size_t{1} << 20;  // of one reply
  static constexpr std::size_t kMostItems = 4096;                  // of one reply, nested ones too

  explicit RedisReplyReader(std::size_t most_bytes = kMostBytes);
  RedisReplyReader(const RedisReplyReader&) = delete;
  RedisReplyReader& operator=(const RedisReplyReader&) = delete;
  ~RedisReplyReader();

  void feed(std::string_view bytes);

  // The next complete reply. Null: more bytes are wanted, unless broken().
  std::optional<RedisReply> next();

  // The bytes are not Redis' protocol, or a reply is too large. The rest cannot be understood.
  bool broken() const noexcept { return broken_; }

 private:
  struct Functions;  // what hiredis calls to build a reply
  struct Free {
    void operator()(redisReader* reader) const noexcept;
  };

  RedisReply* place(const redisReadTask& task);
  bool awaits_text() const noexcept;

  const std::size_t most_bytes_;
  RedisReply root_;
  std::size_t items_ = 0;  // of root_
  std::size_t bytes_ = 0;  // fed since the last complete reply
  bool broken_ = false;
  std::unique_ptr<redisReader, Free> reader_;  // after what it builds in
};

}  // namespace aifd::services
