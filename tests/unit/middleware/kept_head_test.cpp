#include "kept_head.hpp"

#include <gtest/gtest.h>

#include <string>

namespace aifd::middleware {
namespace {

using std::chrono::seconds;

protocol::ResponseHead head_with(std::initializer_list<protocol::Field> fields, int status = 200) {
  protocol::ResponseHead head;
  head.status = status;
  for (const protocol::Field& field : fields) head.fields.add(field.name, field.value);
  head.fields.add("Content-Length", "2");
  return head;
}

bool is_kept(const protocol::ResponseHead& head, bool openai) {
  return kept_head(head, openai, seconds(0)).has_value();
}

std::string names(const KeptHead& kept) {
  std::string text;
  for (const services::CacheField& field : kept.fields)
    text += field.name + "=" + field.value + ";";
  return text;
}

TEST(KeptHead, KeepsOnly200) {
  EXPECT_TRUE(is_kept(head_with({}), true));
  for (const int status : {201, 203, 204, 206, 301, 400, 401, 404, 429, 500, 503}) {
    EXPECT_FALSE(is_kept(head_with({}, status), true)) << status;
    EXPECT_FALSE(is_kept(head_with({}, status), false)) << status;
  }
}

TEST(KeptHead, LeavesOutWhatIsTrueOfOneExchangeAlone) {
  const auto kept = kept_head(head_with({{"Content-Type", "application/json"},
                                         {"Set-Cookie", "__cf_bm=1"},
                                         {"X-Request-Id", "req_9"},
                                         {"x-ratelimit-remaining-requests", "9"},
                                         {"Anthropic-RateLimit-Tokens-Limit", "9"},
                                         {"openai-processing-ms", "8"},
                                         {"openai-version", "2020-10-01"},
                                         {"Connection", "X-Hop, keep-alive"},
                                         {"X-Hop", "1"},
                                         {"Content-Length", "12"},
                                         {"Transfer-Encoding", "chunked"},
                                         {"Date", "Mon, 23 Nov 2026 00:00:00 GMT"},
                                         {"Age", "7"},
                                         {"x-aifd-cache", "miss"},
                                         {"Access-Control-Allow-Origin", "*"}}),
                              true, seconds(0));
  ASSERT_TRUE(kept);
  EXPECT_EQ(names(*kept),
            "Content-Type=application/json;openai-version=2020-10-01;"
            "Date=Mon, 23 Nov 2026 00:00:00 GMT;");
}

TEST(KeptHead, KeepsNothingThatIsCoded) {
  EXPECT_FALSE(is_kept(head_with({{"Content-Encoding", "gzip"}}), true));
  EXPECT_TRUE(is_kept(head_with({{"Content-Encoding", "identity"}}), true));
  EXPECT_FALSE(
      is_kept(head_with({{"Content-Encoding", "identity"}, {"content-encoding", "gzip"}}), true));
}

TEST(KeptHead, KeepsNothingThatVariesByWhatTheKeyDoesNotHold) {
  EXPECT_TRUE(is_kept(head_with({{"Vary", "Origin, Accept-Encoding"}}), true));
  EXPECT_TRUE(is_kept(head_with({{"Vary", "anthropic-version"}}), true));
  EXPECT_FALSE(is_kept(head_with({{"Vary", "*"}}), true));
  EXPECT_FALSE(is_kept(head_with({{"Vary", "Origin"}, {"vary", "User-Agent"}}), true));
}

TEST(KeptHead, HearsTheUpstreamOnGeneralRoutesOnly) {
  for (const char* value : {"no-store", "no-cache", "private, max-age=60", "max-age=0"}) {
    EXPECT_TRUE(is_kept(head_with({{"Cache-Control", value}}), true)) << value;
    EXPECT_FALSE(is_kept(head_with({{"Cache-Control", value}}), false)) << value;
  }
  EXPECT_TRUE(is_kept(head_with({{"Set-Cookie", "a=b"}}), true));
  EXPECT_FALSE(is_kept(head_with({{"Set-Cookie", "a=b"}}), false));
}

TEST(KeptHead, KeepsNothingWhoseEndIsUnknown) {
  struct Case {
    const char* type;
    bool tells_by_itself;  // where it is a model's answer
  };
  for (const auto& [type, tells_by_itself] :
       {Case{"", false}, Case{"text/plain", false}, Case{"audio/mpeg", false},
        Case{"application/json; charset=utf-8", true}, Case{"Text/Event-Stream", true}}) {
    protocol::ResponseHead head;
    head.status = 200;
    head.fields.add("Content-Type", type);
    EXPECT_EQ(is_kept(head, true), tells_by_itself) << type;
    EXPECT_FALSE(is_kept(head, false)) << type;
    head.fields.add("Transfer-Encoding", "chunked");
    EXPECT_TRUE(is_kept(head, true)) << type;
    EXPECT_TRUE(is_kept(head, false)) << type;
  }
}

TEST(KeptHead, TakesTheShorterTime) {
  struct Case {
    const char* control;
    bool openai;
    int ttl;
    int kept;
  };
  const Case cases[] = {{"public", false, 0, 0},    {"public", false, 9, 9},
                        {"max-age=5", false, 9, 5}, {"max-age=50", false, 9, 9},
                        {"max-age=5", false, 0, 5}, {"max-age=5, s-maxage=7", false, 0, 7},
                        {"max-age=5", true, 0, 0}};
  for (const Case& c : cases) {
    const auto kept =
        kept_head(head_with({{"Cache-Control", c.control}}), c.openai, seconds(c.ttl));
    ASSERT_TRUE(kept) << c.control;
    EXPECT_EQ(kept->ttl, seconds(c.kept)) << c.control;
  }
}

TEST(IsForOthers, WhatTheUpstreamOfAGeneralRouteGivesToAll) {
  EXPECT_TRUE(is_for_others(head_with({}), false));
  EXPECT_TRUE(is_for_others(head_with({{"Cache-Control", "no-cache, max-age=0"}}), false));
  EXPECT_TRUE(is_for_others(head_with({{"Vary", "Accept-Language, Origin"}}), false));
  const protocol::Field for_one[] = {{"Cache-Control", "private"},
                                     {"Cache-Control", "max-age=9, no-store"},
                                     {"Set-Cookie", "a=1"},
                                     {"Vary", "Accept, User-Agent"},
                                     {"Vary", "*"}};
  for (const protocol::Field& field : for_one) {
    EXPECT_FALSE(is_for_others(head_with({field}), false)) << field.value;
    EXPECT_FALSE(is_for_others(head_with({field}, 302), false)) << field.value;
    EXPECT_TRUE(is_for_others(head_with({field}, 503), false)) << field.value;
    EXPECT_TRUE(is_for_others(head_with({field}), true)) << field.value;
  }
}

TEST(IsReplayed, WhatIsTrueOfEveryAnswerToTheRequest) {
  for (const char* name : {"Content-Type", "ETag", "Date", "openai-version", "X-Rate", "Accept"}) {
    EXPECT_TRUE(is_replayed(name)) << name;
  }
  for (const char* name :
       {"SET-COOKIE", "x-request-id", "X-RateLimit-Reset", "X-Aifd-Cache", "Transfer-Encoding",
        "Content-Length", "Vary", "Age", "Access-Control-Allow-Origin"}) {
    EXPECT_FALSE(is_replayed(name)) << name;
  }
}

}  // namespace
}  // namespace aifd::middleware
