#include "redis_writer.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <exception>
#include <utility>
#include <vector>

#include "aifd/base/log.hpp"
#include "aifd/services/cache_entry_codec.hpp"
#include "aifd/services/redis_connection.hpp"

namespace aifd::services {
namespace {

constexpr int kMostUnderWay = 4;  // their copies on the way do not count as queued
constexpr std::size_t kMostQueued = 65536;
constexpr std::int64_t kLongestTime = std::int64_t{100} * 366 * 24 * 3600;  // seconds

void report(const std::exception_ptr& thrown) {
  try {
    if (thrown) std::rethrow_exception(thrown);
  } catch (const std::exception& fault) {
    log::error("writing to the answer cache in Redis failed inside aifd: {}", fault.what());
  }
}

// The cursor with which SCAN goes on, "0" after all; null: it is no reply of SCAN.
const std::string* cursor_of(const RedisReply& reply) {
  using Kind = RedisReply::Kind;
  const bool is_scan = reply.kind == Kind::array && reply.items.size() == 2 &&
                       reply.items[0].kind == Kind::text && reply.items[1].kind == Kind::array;
  return is_scan ? &reply.items[0].text : nullptr;
}

}  // namespace

RedisWriter::RedisWriter(std::shared_ptr<RedisAnswers> answers)
    : answers_(std::move(answers)),
      connection_(redis_connection(loop_, answers_->server())),
      work_(loop_.get_executor()),
      end_(loop_),
      thread_([this] { loop_.run(); }) {}

RedisWriter::~RedisWriter() {
  asio::post(loop_, [this] { stop_soon(); });
  thread_.join();
}

void RedisWriter::put(const CacheKey& key, CacheEntryPtr entry) {
  const std::size_t bytes = memory_bytes(*entry);
  if (bytes <= answers_->options().max_entry_bytes && enqueue({key, std::move(entry), bytes})) {
    asio::post(loop_, [this] { wake(); });
  } else {
    answers_->count_dropped(1);
  }
}

bool RedisWriter::enqueue(Put put) {
  const std::size_t most_bytes = answers_->options().max_queued_bytes;
  const std::scoped_lock lock(mutex_);
  if (put.bytes > most_bytes || queued_bytes_ > most_bytes - put.bytes) return false;
  if (queue_.size() >= kMostQueued) return false;
  queued_bytes_ += put.bytes;
  queue_.push_back(std::move(put));
  return true;
}

void RedisWriter::clear() {
  std::deque<Put> dropped;
  {
    const std::scoped_lock lock(mutex_);
    clear_wanted_ = true;
    dropped.swap(queue_);
    for (const Put& put : dropped) queued_bytes_ -= put.bytes;
  }
  answers_->count_dropped(dropped.size());
  asio::post(loop_, [this] { wake(); });
}

std::optional<RedisWriter::Put> RedisWriter::take_put() {
  const std::scoped_lock lock(mutex_);
  if (queue_.empty()) return std::nullopt;
  Put put = std::move(queue_.front());
  queue_.pop_front();
  return put;
}

void RedisWriter::release(std::size_t bytes) {
  const std::scoped_lock lock(mutex_);
  queued_bytes_ -= bytes;
}

// Commands go out in the order in which their work is started.
void RedisWriter::wake() {
  while (under_way_ < kMostUnderWay) {
    const bool clear = [this] {
      const std::scoped_lock lock(mutex_);
      return std::exchange(clear_wanted_, false);
    }();
    if (clear) {
      start(remove_all(), 0);
    } else if (std::optional<Put> put = take_put()) {
      const std::size_t bytes = put->bytes;
      start(write(*std::move(put)), bytes);
    } else {
      break;
    }
  }
  if (stopping_ && under_way_ == 0) loop_.stop();
}

void RedisWriter::start(Task<void> work, std::size_t bytes) {
  ++under_way_;
  asio::co_spawn(loop_, std::move(work), [this, bytes](const std::exception_ptr& thrown) {
    report(thrown);
    release(bytes);
    --under_way_;
    wake();
  });
}

void RedisWriter::stop_soon() {
  stopping_ = true;
  end_.expires_after(answers_->options().drain);
  end_.async_wait([this](const boost::system::error_code&) { loop_.stop(); });
  wake();
}

Task<void> RedisWriter::write(Put put) {
  const CacheEntry& entry = *put.entry;
  const std::int64_t time =
      std::min(entry.expires_at - answers_->options().wall_clock(), kLongestTime);
  const bool expires = entry.expires_at != 0;
  if (connection_.away() || (expires && time <= 0)) {
    answers_->count_dropped(1);
    co_return;
  }
  const std::string name = RedisAnswers::name_of(put.key);
  const std::string record = encode_cache_entry(put.key, entry);
  const std::string seconds = std::to_string(time);
  std::vector<std::string_view> arguments{"SET", name, record};
  if (expires) arguments.insert(arguments.end(), {"EX", seconds});
  answers_->take_written(co_await ask(arguments));
}

Task<void> RedisWriter::remove_all() {
  std::optional<std::string> cursor = "0";
  do {
    cursor = co_await remove_some(*cursor);
  } while (cursor && *cursor != "0");
}

// The next cursor; null where it was in vain.
Task<std::optional<std::string>> RedisWriter::remove_some(std::string cursor) {
  static constexpr std::string_view kAtOnce = "500";
  const std::string pattern = std::string(RedisAnswers::kPrefix) + '*';
  const std::array<std::string_view, 6> scan{"SCAN", cursor, "MATCH", pattern, "COUNT", kAtOnce};
  const std::optional<RedisReply> found = co_await ask(scan);
  const std::string* next = found ? cursor_of(*found) : nullptr;
  std::optional<RedisReply> removed;
  if (next != nullptr && !found->items[1].items.empty()) {
    std::vector<std::string_view> unlink{"UNLINK"};
    for (const RedisReply& name : found->items[1].items) unlink.push_back(name.text);
    removed = co_await ask(unlink);
    if (!removed || removed->kind != RedisReply::Kind::integer) next = nullptr;
  }
  if (next == nullptr) {
    const std::optional<RedisReply>& last = removed ? removed : found;
    answers_->warn("could not be cleared: " +
                   (last ? printable(last->text) : std::string("it does not answer")));
    co_return std::nullopt;
  }
  co_return *next;
}

Task<std::optional<RedisReply>> RedisWriter::ask(std::span<const std::string_view> arguments) {
  co_return co_await connection_.command(arguments, answers_->options().write_budget);
}

}  // namespace aifd::services
