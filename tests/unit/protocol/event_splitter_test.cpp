#include "aifd/protocol/event_splitter.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace aifd::protocol {
namespace {

using Kind = EventSplitter::Kind;
using Events = std::vector<std::string>;

// Fed in pieces of so many bytes; what stands between two ends is joined again.
Events split(Kind kind, std::string_view bytes, std::size_t piece_size) {
  EventSplitter splitter(kind);
  Events events;
  while (!bytes.empty()) {
    std::string_view piece = bytes.substr(0, piece_size);
    bytes.remove_prefix(piece.size());
    while (!piece.empty()) {
      const bool begins = splitter.begins_event(piece);
      const std::size_t length = splitter.take(piece);
      if (length == 0 || length > piece.size()) return {"takes nothing"};
      const std::string part(piece.substr(0, length));
      if (begins) {
        events.push_back(part);
      } else {
        events.back() += part;
      }
      piece.remove_prefix(length);
    }
  }
  return events;
}

TEST(EventSplitter, FindsTheEndOfEachEventAtAnySplit) {
  struct Case {
    Kind kind;
    Events events;
  };
  const Case cases[] = {
      {Kind::sse, {"data: a\n\n", "data: b\n\n", "data: [DONE]\n\n"}},
      {Kind::sse, {"data: a\r\n\r\n", "event: x\r\ndata: b\r\n\r\n"}},
      {Kind::sse, {"data: a\r\r", "data: b\r\r"}},
      {Kind::sse, {"data: a\n\r\n", "data: b\r\n\n", "data: c"}},
      {Kind::sse, {": ping\n\n", "data: a\ndata: b\n\n"}},
      {Kind::sse, {"data: a\\n\\nb\n\n", "data: half"}},
      {Kind::lines, {"{\"a\":1}\n", "{\"b\":2}\r\n", "{\"c\":3}"}},
  };
  for (const Case& c : cases) {
    std::string bytes;
    for (const std::string& event : c.events) bytes += event;
    for (std::size_t size = 1; size <= bytes.size(); ++size) {
      EXPECT_EQ(split(c.kind, bytes, size), c.events) << "in pieces of " << size;
    }
  }
}

TEST(EventSplitter, KnowsWhetherAnEventIsUnderWay) {
  EventSplitter splitter;
  EXPECT_TRUE(splitter.begins_event("d"));
  EXPECT_EQ(splitter.take("data: a"), 7U);
  EXPECT_FALSE(splitter.begins_event("\n"));
  EXPECT_EQ(splitter.take("\n"), 1U);
  EXPECT_FALSE(splitter.begins_event("\n"));
  EXPECT_EQ(splitter.take("\ndata"), 1U);
  EXPECT_TRUE(splitter.begins_event("d"));
  EXPECT_EQ(splitter.take(""), 0U);
  EXPECT_TRUE(splitter.begins_event("d"));
}

TEST(EventSplitter, LeavesTheSecondHalfOfALineEndToItsEvent) {
  EventSplitter splitter;
  EXPECT_EQ(splitter.take("data: a\r\n\r"), 10U);
  EXPECT_FALSE(splitter.begins_event("\ndata: b"));
  EXPECT_EQ(splitter.take("\ndata: b"), 1U);
  EXPECT_TRUE(splitter.begins_event("data: b"));
}

}  // namespace
}  // namespace aifd::protocol
