#include "event_feed.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace aifd::protocol {
namespace {

using Events = std::vector<std::pair<std::string, std::string>>;
using Kind = EventFeed::Kind;

void collect(EventFeed& feed, Events& events) {
  while (feed.next()) events.emplace_back(feed.name(), feed.data());
}

Events fed(Kind kind, const std::vector<std::string_view>& pieces, std::size_t most = 1000) {
  EventFeed feed(kind, most);
  Events events;
  for (const std::string_view piece : pieces) {
    const std::string copy(piece);  // nothing may be looked at when it is gone
    feed.give(copy);
    collect(feed, events);
  }
  feed.give({});
  feed.end();
  collect(feed, events);
  if (feed.was_cut()) events.emplace_back("cut", "");
  return events;
}

void expect_events(std::string_view stream, const Events& events, Kind kind = Kind::sse,
                   std::size_t most = 1000) {
  EXPECT_EQ(fed(kind, {stream}, most), events) << stream;
  std::vector<std::string_view> bytes;
  for (std::size_t i = 0; i < stream.size(); ++i) bytes.push_back(stream.substr(i, 1));
  EXPECT_EQ(fed(kind, bytes, most), events) << stream;
  for (std::size_t i = 0; i <= stream.size(); ++i) {
    for (std::size_t j = i; j <= std::min(stream.size(), i + 8); ++j) {
      ASSERT_EQ(fed(kind, {stream.substr(0, i), stream.substr(i, j - i), stream.substr(j)}, most),
                events)
          << stream << " cut at " << i << " and " << j;
    }
  }
}

TEST(EventFeed, GivesEventsAsTheyEnd) {
  EventFeed feed(Kind::sse, 1000);
  feed.give("data: a\n\ndata: b\n");
  EXPECT_TRUE(feed.next());
  EXPECT_EQ(feed.data(), "a");
  EXPECT_FALSE(feed.next());
  feed.give("\r\n");
  EXPECT_TRUE(feed.next());
  EXPECT_EQ(feed.data(), "b");
  EXPECT_FALSE(feed.next());
}

TEST(EventFeed, ReadsFields) {
  expect_events("event: x\ndata: a\ndata:b\ndata\ndata:  c\n\n", {{"x", "a\nb\n\n c"}});
  expect_events("data: a\n\n\n\nevent: y\n\ndata: b\n\n", {{"", "a"}, {"", "b"}});
  expect_events(": c\nid: 1\ndatax: z\n data: z\nretry: 3\ndata: a\n:data: z\n\n", {{"", "a"}});
  expect_events("data:\n\n", {{"", ""}});
  expect_events("", {});
  expect_events("\n\n\n", {});
  expect_events("event: " + std::string(300, 'x') + "\ndata: a\n\n", {{"", "a"}});
}

TEST(EventFeed, EndsLinesInThreeWays) {
  expect_events("data: a\r\ndata: b\r\n\r\ndata: c\r\n\r\n", {{"", "a\nb"}, {"", "c"}});
  expect_events("data: a\rdata: b\r\rdata: c\r\r", {{"", "a\nb"}, {"", "c"}});
  expect_events("data: a\r\n\ndata: b\n\r\ndata: c\r\r\ndata: d\n\r",
                {{"", "a"}, {"", "b"}, {"", "c"}, {"", "d"}});
}

TEST(EventFeed, PassesAByteOrderMarkAtTheStart) {
  expect_events(
      "\xEF\xBB\xBF"
      "data: a\n\n\xEF\xBB\xBF"
      "data: b\n\ndata: c\n\n",
      {{"", "a"}, {"", "c"}});
  expect_events(
      "\xEF\xBB\xBF"
      "data: a",
      {{"", "a"}});
  expect_events("\xEF\xBB\xBF", {});
  expect_events(
      "\xEF\xBB"
      "data: a\n\n",
      {});
}

TEST(EventFeed, TheEndEndsAnEvent) {
  expect_events("data: a\n\ndata: b", {{"", "a"}, {"", "b"}});
  expect_events("data: a\n\nevent: x\ndata: b\r", {{"", "a"}, {"x", "b"}});
  expect_events("data: a\n\nevent: x\nda", {{"", "a"}});
}

TEST(EventFeed, PassesOverWhatIsTooLarge) {
  const std::string large(60, 'x');
  const Events without{{"", "a"}, {"", "b"}, {"cut", ""}};
  expect_events("data: a\n\ndata: " + large + "\nevent: z\ndata: z\n\ndata: b\n\n", without,
                Kind::sse, 40);
  expect_events("data: a\n\nevent: z\n" + large + "\r\ndata: z\r\n\r\ndata: b\n\n", without,
                Kind::sse, 40);
  expect_events(
      "data: a\n\ndata: 123456789\ndata: 123456789\ndata: 123456789\ndata: "
      "123456789\n\ndata: b\n\n",
      without, Kind::sse, 40);
  expect_events("data: a\n\ndata: b\n\ndata: " + large, without, Kind::sse, 40);
  expect_events("a\n" + large + "\nb", without, Kind::lines, 40);
}

TEST(EventFeed, TakesLinesForEvents) {
  expect_events("{1}\n\n{2}\r\n{3}\r{4}", {{"", "{1}"}, {"", "{2}"}, {"", "{3}"}, {"", "{4}"}},
                Kind::lines);
}

TEST(EventFeed, TakesLinearTime) {
  for (const std::string& stream :
       {std::string(3'000'000, '\r'), std::string(3'000'000, 'x'), std::string(3'000'000, ':')}) {
    EXPECT_TRUE(fed(Kind::sse, {stream}, 10'000'000).empty());
    std::vector<std::string_view> pieces;
    for (std::size_t i = 0; i < stream.size(); i += 100) {
      pieces.push_back(std::string_view{stream}.substr(i, 100));
    }
    EXPECT_TRUE(fed(Kind::sse, pieces, 10'000'000).empty());
  }
}

}  // namespace
}  // namespace aifd::protocol
