#include "aifd/services/redis_reply.hpp"

#include <hiredis/hiredis.h>
#include <hiredis/read.h>

#include <algorithm>
#include <new>

namespace aifd::services {

bool RedisReply::is_error(std::string_view code) const noexcept {
  return kind == Kind::error && text.starts_with(code) &&
         (text.size() == code.size() || text[code.size()] == ' ');
}

void append_redis_command(std::span<const std::string_view> arguments, std::string& out) {
  std::vector<const char*> texts;
  std::vector<std::size_t> lengths;
  for (const std::string_view argument : arguments) {
    texts.push_back(argument.empty() ? "" : argument.data());
    lengths.push_back(argument.size());
  }
  char* command = nullptr;
  const int length = redisFormatCommandArgv(&command, static_cast<int>(arguments.size()),
                                            texts.data(), lengths.data());
  if (length < 0) throw std::bad_alloc();
  out.append(command, static_cast<std::size_t>(length));
  redisFreeCommand(command);
}

// Each gives the value it filled, or null to refuse it, which the reader reports as an error. The
// values lie in the RedisReplyReader, so there is nothing to free.
struct RedisReplyReader::Functions {
  static RedisReplyReader& owner(const redisReadTask* task) noexcept {
    return *static_cast<RedisReplyReader*>(task->privdata);
  }

  static RedisReply* create(const redisReadTask* task, RedisReply::Kind kind) {
    RedisReply* reply = owner(task).place(*task);
    if (reply != nullptr) reply->kind = kind;
    return reply;
  }

  static void* create_text(const redisReadTask* task, char* bytes, std::size_t count) {
    const auto kind = task->type == REDIS_REPLY_ERROR    ? RedisReply::Kind::error
                      : task->type == REDIS_REPLY_STATUS ? RedisReply::Kind::status
                                                         : RedisReply::Kind::text;
    RedisReply* reply = create(task, kind);
    if (reply != nullptr) reply->text.assign(bytes, count);
    return reply;
  }

  static void* create_array(const redisReadTask* task, int count) {
    RedisReply* reply = create(task, RedisReply::Kind::array);
    const auto items = static_cast<std::size_t>(count);
    if (reply == nullptr || items > kMostItems - owner(task).items_) return nullptr;
    owner(task).items_ += items;
    reply->items.resize(items);
    return reply;
  }

  static void* create_integer(const redisReadTask* task, long long value) {
    RedisReply* reply = create(task, RedisReply::Kind::integer);
    if (reply != nullptr) reply->integer = value;
    return reply;
  }

  static void* create_nil(const redisReadTask* task) { return create(task, RedisReply::Kind::nil); }

  static void free(void*) {}

  static constexpr redisReplyObjectFunctions kTable{create_text, create_array, create_integer,
                                                    create_nil, free};
};

void RedisReplyReader::Free::operator()(redisReader* reader) const noexcept {
  redisReaderFree(reader);
}

RedisReplyReader::RedisReplyReader(std::size_t most_bytes)
    : most_bytes_(most_bytes),
      reader_(redisReaderCreateWithFunctions(
          const_cast<redisReplyObjectFunctions*>(&Functions::kTable)) /* which it only reads */) {
  if (!reader_) throw std::bad_alloc();
  reader_->privdata = this;
}

RedisReplyReader::~RedisReplyReader() = default;

// Where the value of a task goes: an array's place of its own, made when the array was.
RedisReply* RedisReplyReader::place(const redisReadTask& task) {
  if (task.parent == nullptr) return &root_;
  auto* array = static_cast<RedisReply*>(task.parent->obj);
  const auto index = static_cast<std::size_t>(task.idx);
  return index < array->items.size() ? &array->items[index] : nullptr;
}

// The rest of a text whose length is known, or "$-1" and the like. Whatever else is not complete is
// read from its beginning again with each piece, so it must not be long.
bool RedisReplyReader::awaits_text() const noexcept {
  constexpr std::size_t kLengthBytes = 24;  // digits, CR LF
  if (reader_->ridx < 0 || reader_->rstack[reader_->ridx].type != REDIS_REPLY_STRING) return false;
  const std::string_view rest(reader_->buf + reader_->pos, reader_->len - reader_->pos);
  return rest.substr(0, kLengthBytes).find('\n') != std::string_view::npos;
}

void RedisReplyReader::feed(std::string_view bytes) {
  if (broken_) return;
  bytes_ += bytes.size();
  broken_ = redisReaderFeed(reader_.get(), bytes.data(), bytes.size()) != REDIS_OK;
}

std::optional<RedisReply> RedisReplyReader::next() {
  if (broken_) return std::nullopt;
  void* complete = nullptr;
  if (redisReaderGetReply(reader_.get(), &complete) != REDIS_OK) {
    broken_ = true;
    return std::nullopt;
  }
  if (complete == nullptr) {
    broken_ = bytes_ > (awaits_text() ? most_bytes_ : std::min(most_bytes_, kMostBytes));
    return std::nullopt;
  }
  bytes_ = reader_->len - reader_->pos;
  items_ = 0;
  std::optional<RedisReply> reply(std::move(root_));
  root_ = RedisReply();
  return reply;
}

}  // namespace aifd::services
