#include "aifd/services/redis_reply.hpp"

#include <gtest/gtest.h>

#include <array>

namespace aifd::services {
namespace {

using Kind = RedisReply::Kind;

std::string command(std::initializer_list<std::string_view> arguments) {
  std::string out;
  append_redis_command({arguments.begin(), arguments.size()}, out);
  return out;
}

std::vector<RedisReply> replies(RedisReplyReader& reader) {
  std::vector<RedisReply> all;
  while (std::optional<RedisReply> reply = reader.next()) all.push_back(std::move(*reply));
  return all;
}

TEST(AppendRedisCommand, WritesAnyBytes) {
  using namespace std::string_view_literals;
  EXPECT_EQ(command({"PING"}), "*1\r\n$4\r\nPING\r\n");
  EXPECT_EQ(command({"AUTH", "a\r\nb\0c"sv, ""}),
            "*3\r\n$4\r\nAUTH\r\n$6\r\na\r\nb\0c\r\n$0\r\n\r\n"sv);
  EXPECT_EQ(command({"X", std::string_view()}), "*2\r\n$1\r\nX\r\n$0\r\n\r\n");
}

constexpr std::string_view kEveryKind =
    "+OK\r\n-ERR no\r\n:-42\r\n$-1\r\n*-1\r\n$0\r\n\r\n$4\r\na\r\nb\r\n*0\r\n"
    "*3\r\n:1\r\n*2\r\n$1\r\nx\r\n+y\r\n:2\r\n";

void expect_every_kind(const std::vector<RedisReply>& all) {
  ASSERT_EQ(all.size(), 9U);
  EXPECT_TRUE(all[0].is_status("OK"));
  EXPECT_TRUE(all[1].is_error("ERR"));
  EXPECT_EQ(all[1].text, "ERR no");
  EXPECT_EQ(all[2].kind, Kind::integer);
  EXPECT_EQ(all[2].integer, -42);
  EXPECT_EQ(all[3].kind, Kind::nil);
  EXPECT_EQ(all[4].kind, Kind::nil);
  EXPECT_EQ(all[5].kind, Kind::text);
  EXPECT_EQ(all[5].text, "");
  EXPECT_EQ(all[6].text, "a\r\nb");
  EXPECT_EQ(all[7].kind, Kind::array);
  EXPECT_TRUE(all[7].items.empty());
  ASSERT_EQ(all[8].items.size(), 3U);
  EXPECT_EQ(all[8].items[0].integer, 1);
  ASSERT_EQ(all[8].items[1].items.size(), 2U);
  EXPECT_EQ(all[8].items[1].items[0].text, "x");
  EXPECT_TRUE(all[8].items[1].items[1].is_status("y"));
  EXPECT_EQ(all[8].items[2].integer, 2);
}

TEST(RedisReplyReader, ReadsEveryKind) {
  RedisReplyReader reader;
  reader.feed(kEveryKind);
  expect_every_kind(replies(reader));
  EXPECT_FALSE(reader.broken());
}

TEST(RedisReplyReader, ReadsByteByByte) {
  RedisReplyReader reader;
  std::vector<RedisReply> all;
  for (const char byte : kEveryKind) {
    reader.feed({&byte, 1});
    for (RedisReply& reply : replies(reader)) all.push_back(std::move(reply));
  }
  expect_every_kind(all);
}

TEST(RedisReplyReader, NoticesWhatIsNotRedis) {
  for (const std::string_view bytes :
       {"HTTP/1.1 200 OK\r\n", "*99999999999\r\n", "*-2\r\n", ":x\r\n", "$-2\r\n", "\r\n",
        "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n"}) {
    RedisReplyReader reader;
    reader.feed(bytes);
    EXPECT_FALSE(reader.next()) << bytes;
    EXPECT_TRUE(reader.broken()) << bytes;
    reader.feed("+OK\r\n");
    EXPECT_FALSE(reader.next()) << bytes;
  }
}

TEST(RedisReplyReader, BoundsTheItemsOfAReply) {
  const std::string most = "*" + std::to_string(RedisReplyReader::kMostItems) + "\r\n";
  std::string full = most;
  for (std::size_t i = 0; i < RedisReplyReader::kMostItems; ++i) full += ":7\r\n";
  RedisReplyReader reader;
  reader.feed(full + full);
  EXPECT_EQ(replies(reader).size(), 2U);
  reader.feed(most + "*1\r\n:1\r\n");
  EXPECT_FALSE(reader.next());
  EXPECT_TRUE(reader.broken());
}

TEST(RedisReplyReader, BoundsTheBytesOfAReply) {
  const std::size_t most = RedisReplyReader::kMostBytes;
  RedisReplyReader reader;
  const std::string fits = "$" + std::to_string(most - 100) + "\r\n" + std::string(most - 100, 'x');
  for (int i = 0; i < 3; ++i) {
    reader.feed(fits + "\r\n");
    ASSERT_TRUE(reader.next());
  }
  const std::string piece(16 * 1024, 'x');
  reader.feed("+");
  std::size_t fed = 0;
  while (!reader.broken() && fed < 2 * most) {
    reader.feed(piece);
    fed += piece.size();
    EXPECT_FALSE(reader.next());
  }
  EXPECT_TRUE(reader.broken());
  EXPECT_LE(fed, most + piece.size());
}

TEST(RedisReplyReader, ReadsLongerTextsWhereItMay) {
  constexpr std::size_t kMost = 3 * RedisReplyReader::kMostBytes;
  const std::string piece(16 * 1024, '7');
  const auto fed_until_broken = [&](const std::string& begin) {
    RedisReplyReader reader(kMost);
    reader.feed(begin);
    std::size_t fed = begin.size();
    for (; !reader.broken() && !reader.next() && fed < 2 * kMost; fed += piece.size()) {
      reader.feed(piece);
    }
    EXPECT_TRUE(reader.broken()) << begin;
    return fed;
  };
  for (const std::string begin : {"$99999999\r\n", "*2\r\n$99999999\r\n"}) {
    const std::size_t fed = fed_until_broken(begin);
    EXPECT_GT(fed, kMost);
    EXPECT_LE(fed, kMost + 2 * piece.size());
  }
  for (const std::string begin : {"+", "-", ":", "$", "*", "*1\r\n$", "*2\r\n$1\r\na\r\n+"}) {
    EXPECT_LE(fed_until_broken(begin), RedisReplyReader::kMostBytes + 2 * piece.size()) << begin;
  }
  RedisReplyReader reader(kMost);
  reader.feed("$2000000\r\n");
  for (std::size_t fed = 0; fed < 2'000'000; fed += 16'000) {
    EXPECT_FALSE(reader.next());
    reader.feed(std::string_view(piece).substr(0, 16'000));
  }
  reader.feed("\r\n");
  ASSERT_TRUE(reader.next());
}

TEST(RedisReply, KnowsErrorsByTheirFirstWord) {
  RedisReply reply;
  reply.kind = Kind::error;
  reply.text = "NOSCRIPT No matching script";
  EXPECT_TRUE(reply.is_error("NOSCRIPT"));
  EXPECT_FALSE(reply.is_error("NO"));
  reply.text = "NOSCRIPT";
  EXPECT_TRUE(reply.is_error("NOSCRIPT"));
  reply.kind = Kind::text;
  EXPECT_FALSE(reply.is_error("NOSCRIPT"));
}

}  // namespace
}  // namespace aifd::services
