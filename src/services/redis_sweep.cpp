#include "redis_sweep.hpp"

#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "aifd/services/redis_connection.hpp"
#include "redis_answers.hpp"

namespace aifd::services {
namespace {

constexpr std::string_view kFirst = "0";     // the cursor, and again after the last page
constexpr std::string_view kAtOnce = "500";  // about as many keys are looked at for a page

struct Page {
  std::string next;
  std::vector<std::string> names;
  std::string trouble;
};

std::string why(const RedisConnection& connection, const std::optional<RedisReply>& reply) {
  if (reply) return printable(reply->text);
  const std::string trouble = connection.server().trouble();
  return trouble.empty() ? "it does not answer" : trouble;
}

bool is_page(const RedisReply& reply) {
  using Kind = RedisReply::Kind;
  return reply.kind == Kind::array && reply.items.size() == 2 &&
         reply.items[0].kind == Kind::text && reply.items[1].kind == Kind::array;
}

Task<Page> page_at(RedisConnection& connection, std::string cursor,
                   std::chrono::milliseconds time) {
  const std::string pattern = std::string(RedisAnswers::kPrefix) + '*';
  const std::array<std::string_view, 6> scan{"SCAN", cursor, "MATCH", pattern, "COUNT", kAtOnce};
  std::optional<RedisReply> reply = co_await connection.command(scan, time);
  Page page;
  if (!reply || !is_page(*reply)) {
    page.trouble = why(connection, reply);
    co_return page;
  }
  page.next = std::move(reply->items[0].text);
  for (RedisReply& name : reply->items[1].items) page.names.push_back(std::move(name.text));
  co_return page;
}

// Gives what Redis says was removed, which leaves out names that it gave twice.
Task<RedisSweep> remove_page(RedisConnection& connection, std::span<const std::string> names,
                             std::chrono::milliseconds time) {
  if (names.empty()) co_return RedisSweep{};
  std::vector<std::string_view> unlink{"UNLINK"};
  unlink.insert(unlink.end(), names.begin(), names.end());
  const std::optional<RedisReply> reply = co_await connection.command(unlink, time);
  const bool removed = reply && reply->kind == RedisReply::Kind::integer && reply->integer >= 0;
  if (!removed) co_return RedisSweep{0, why(connection, reply)};
  co_return RedisSweep{static_cast<std::uint64_t>(reply->integer), {}};
}

}  // namespace

Task<RedisSweep> remove_answers(RedisConnection& connection, std::chrono::milliseconds time) {
  RedisSweep sweep;
  std::string cursor(kFirst);
  do {
    Page page = co_await page_at(connection, cursor, time);
    sweep.trouble = std::move(page.trouble);
    if (!sweep.trouble.empty()) break;
    RedisSweep removed = co_await remove_page(connection, page.names, time);
    sweep.entries += removed.entries;
    sweep.trouble = std::move(removed.trouble);
    cursor = std::move(page.next);
  } while (sweep.trouble.empty() && cursor != kFirst);
  co_return sweep;
}

Task<RedisSweep> count_answers(RedisConnection& connection, std::chrono::milliseconds time,
                               Clock::time_point until) {
  RedisSweep sweep;
  std::string cursor(kFirst);
  do {
    Page page = co_await page_at(connection, cursor, time);
    sweep.entries += page.names.size();
    sweep.trouble = std::move(page.trouble);
    cursor = std::move(page.next);
    const bool late = cursor != kFirst && Clock::now() >= until;
    if (late && sweep.trouble.empty()) sweep.trouble = "it has too many keys to count";
  } while (sweep.trouble.empty() && cursor != kFirst);
  co_return sweep;
}

}  // namespace aifd::services
