#include "aifd/admin/cache_admin.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "aifd/base/hex.hpp"
#include "aifd/services/memory_store.hpp"
#include "services/cache_samples.hpp"
#include "support/test_exchange.hpp"

namespace aifd::admin {
namespace {

using services::cache_answer;
using services::cache_key;
using services::CacheKey;
using services::MemoryStore;
using test::TestExchange;

struct Answer {
  int status;
  std::string type;
  std::string body;
};

// A store that cannot be used.
class BrokenStore final : public services::CacheStore {
 public:
  Task<services::CacheEntryPtr> get(const CacheKey&) override { co_return nullptr; }
  void put(const CacheKey&, services::CacheEntryPtr) override {}
  void clear() override { ADD_FAILURE() << "cleared all the same"; }
  services::CacheStat stat() const override {
    services::CacheStat stat;
    stat.trouble = "it is \"broken\"";
    return stat;
  }
};

Answer ask(services::CacheStore& store, const std::string& request, CacheFacts facts = {"MEMORY"}) {
  const CacheAdmin link(store, std::move(facts));
  TestExchange exchange(request);
  auto verdict = exchange.run(link);
  chain::Reply& reply = test::answer_of(verdict);
  return {reply.head.status, std::string(reply.head.fields.get("Content-Type")),
          test::body_of(reply)};
}

TEST(CacheAdmin, TellsWhatIsInTheCache) {
  MemoryStore store({});
  store.put(cache_key(1), cache_answer("one"));
  store.try_get(cache_key(1));
  store.try_get(cache_key(1));
  const services::CacheKey missing = cache_key(2);
  test::run_task(store.get(missing));
  const Answer answer = ask(store, "GET /cache", {"LMDB in \"x\"", 1 << 20});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.type, "application/json");
  const auto json = nlohmann::json::parse(answer.body);
  EXPECT_EQ(json["store"], "LMDB in \"x\"");
  EXPECT_EQ(json["entries"], 1);
  EXPECT_GT(json["bytes"], 0);
  EXPECT_EQ(json["max_bytes"], 1 << 20);
  EXPECT_TRUE(json["trouble"].is_null());
  EXPECT_EQ(json["hits"], 2);
  EXPECT_EQ(json["misses"], 1);
  EXPECT_EQ(json["stored"], 1);
  for (const char* name : {"away", "dropped", "evicted"}) EXPECT_EQ(json[name], 0) << name;
}

TEST(CacheAdmin, TellsItToPeople) {
  MemoryStore store({});
  EXPECT_EQ(ask(store, "GET /cache?as=table", {"MEMORY", 256 << 20}).body,
            "store    MEMORY\n"
            "entries  0\n"
            "size     0 bytes of 256.0 MiB\n"
            "hits     0\n"
            "misses   0\n"
            "away     0\n"
            "stored   0\n"
            "dropped  0\n"
            "evicted  0\n");
  const services::CacheKey key = cache_key(1);
  test::run_task(store.get(key));
  store.put(key, cache_answer("one"));
  store.try_get(key);
  store.try_get(key);
  EXPECT_NE(ask(store, "GET /cache?as=table").body.find("\nhits     2 (66.7 %)\n"),
            std::string::npos);
}

TEST(CacheAdmin, LeavesOutCountersThatMeanNothing) {
  const MemoryStore store({});
  EXPECT_EQ(report_stat(store.stat(), {"LMDB in x", 0, false}, false).text,
            "store    LMDB in x\nentries  0\nsize     0 bytes\n");
  EXPECT_EQ(report_stat(store.stat(), {"LMDB in x", 0, false}, true).text,
            R"({"store":"LMDB in x","entries":0,"bytes":0,"max_bytes":null,"trouble":null})"
            "\n");
}

TEST(CacheAdmin, Clears) {
  MemoryStore store({});
  store.put(cache_key(1), cache_answer("one"));
  EXPECT_EQ(ask(store, "DELETE /cache").body, "Cleared MEMORY: 1 answer\n");
  EXPECT_EQ(store.stat().entries, 0U);
  EXPECT_EQ(ask(store, "DELETE /cache").body, "Cleared MEMORY: 0 answers\n");
}

TEST(CacheAdmin, GivesOneAnswer) {
  MemoryStore store({}, [] { return std::int64_t{1}; });
  store.put(cache_key(1), std::make_shared<services::CacheEntry>(services::cache_sample()));
  store.put(cache_key(2), cache_answer(""));
  const Answer answer = ask(store, "GET /cache/" + hex(cache_key(1)));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.type, "message/http");
  EXPECT_EQ(answer.body,
            "HTTP/1.1 203 \r\nContent-Type: text/event-stream\r\nX-Empty: \r\n"
            "x-aifd-stored: 2023-11-14T22:13:20Z\r\nx-aifd-expires: 2023-11-14T22:23:20Z\r\n\r\n" +
                services::cache_sample().body);
  EXPECT_EQ(ask(store, "GET /cache/" + hex(cache_key(2))).body,
            "HTTP/1.1 200 OK\r\nx-aifd-stored: 1970-01-01T00:00:01Z\r\nx-aifd-expires: never\r\n"
            "\r\n");
  const Answer none = ask(store, "GET /cache/" + hex(cache_key(3)));
  EXPECT_EQ(none.status, 404);
  EXPECT_EQ(none.body, "MEMORY has no answer of this key\n");
}

TEST(CacheAdmin, KeepsTheCachesOwnNotesToItself) {
  MemoryStore store({}, [] { return std::int64_t{1}; });
  services::CacheEntry entry;
  entry.fields = {{":asked-usage", "1"}, {"X-Kept", "y"}};
  store.put(cache_key(1), std::make_shared<services::CacheEntry>(entry));
  const std::string text = ask(store, "GET /cache/" + hex(cache_key(1))).body;
  EXPECT_TRUE(text.starts_with("HTTP/1.1 200 OK\r\nX-Kept: y\r\n")) << text;
}

TEST(CacheAdmin, SaysThatTheStoreCannotBeUsed) {
  BrokenStore store;
  for (const std::string& request :
       {std::string("DELETE /cache"), "GET /cache/" + hex(CacheKey{})}) {
    const Answer answer = ask(store, request);
    EXPECT_EQ(answer.status, 503) << request;
    EXPECT_EQ(answer.body, "MEMORY cannot be used at the moment: it is \"broken\"\n") << request;
  }
  EXPECT_EQ(nlohmann::json::parse(ask(store, "GET /cache").body)["trouble"], "it is \"broken\"");
  EXPECT_NE(ask(store, "GET /cache?as=table").body.find("\ntrouble  it is \"broken\"\n"),
            std::string::npos);
}

TEST(CacheAdmin, AnswersAllElseItself) {
  MemoryStore store({});
  const std::string key = hex(CacheKey{});
  struct Case {
    std::string request;
    int status;
  };
  const Case cases[] = {
      {"GET /", 404},
      {"GET /cached", 404},
      {"DELETE /", 404},
      {"GET /cache/x", 404},
      {"GET /cache/" + key + "0", 404},
      {"GET /cache/" + key.substr(1) + "g", 404},
      {"POST /cache", 405},
      {"PUT /cache", 405},
      {"DELETE /cache/" + key, 405},
      {"POST /v1/chat/completions", 404},
  };
  for (const Case& c : cases) {
    const Answer answer = ask(store, c.request);
    EXPECT_EQ(answer.status, c.status) << c.request;
    EXPECT_TRUE(answer.body.ends_with("\n")) << c.request;
  }
}

TEST(CacheAdmin, RefusesWhatIsNoRequest) {
  MemoryStore store({});
  const CacheAdmin link(store, {});
  TestExchange exchange("GET /cache");
  exchange->refused = Error{ErrorKind::bad_request, ErrorSource::client, false, "no"};
  EXPECT_TRUE(test::refused_as(exchange.run(link), ErrorKind::bad_request));
}

TEST(ParseCacheKey, TakesHexDigitsOfAnyCase) {
  const CacheKey key = cache_key(77);
  std::string text = hex(key);
  EXPECT_EQ(parse_cache_key(text), key);
  for (char& c : text) c = c >= 'a' ? static_cast<char>(c - 32) : c;
  EXPECT_EQ(parse_cache_key(text), key);
  EXPECT_FALSE(parse_cache_key(""));
  EXPECT_FALSE(parse_cache_key(std::string(64, 'x')));
}

}  // namespace
}  // namespace aifd::admin
