#include "aifd/middleware/forward_key.hpp"

#include <gtest/gtest.h>

#include "support/test_exchange.hpp"

namespace aifd::middleware {
namespace {

using test::TestExchange;

services::KeyRing ring() {
  return services::KeyRing({{Secret("fk-0"), 0}, {Secret("fk-1"), 1}, {Secret("fk-9"), 9}},
                           {{Secret("sk-a"), {0}}, {Secret("sk-b"), {0}}, {Secret("sk-c"), {1}}});
}

TEST(ForwardKey, IsReplacedInEachPlaceWhereSdksPutIt) {
  struct Case {
    const char* request;
    std::string_view field;
    std::string_view value;
  };
  const Case cases[] = {
      {"GET /v1\nAuthorization: Bearer fk-0", "authorization", "Bearer sk-a"},
      {"GET /v1\nauthorization: bearer fk-0", "authorization", "bearer sk-a"},
      {"GET /v1\nx-api-key: fk-0", "x-api-key", "sk-a"},
      {"GET /v1\napi-key: fk-0", "api-key", "sk-a"},
      {"GET /v1\nx-goog-api-key: fk-0", "x-goog-api-key", "sk-a"},
      {"GET /v1\nSec-WebSocket-Protocol: realtime, openai-insecure-api-key.fk-0, x",
       "sec-websocket-protocol", "realtime, openai-insecure-api-key.sk-a, x"},
  };
  for (const Case& c : cases) {
    const services::KeyRing keys = ring();
    TestExchange exchange(c.request);
    EXPECT_TRUE(test::passed(exchange.run(ForwardKey(keys, {})))) << c.request;
    EXPECT_EQ(exchange->request.fields.get(c.field), c.value) << c.request;
    EXPECT_EQ(exchange->request.fields.count(c.field), 1U) << c.request;
  }
}

TEST(ForwardKey, IsReplacedInTheQuery) {
  const services::KeyRing keys = ring();
  TestExchange exchange("GET /v1beta/models?a=b&key=fk-0&c=d");
  EXPECT_TRUE(test::passed(exchange.run(ForwardKey(keys, {}))));
  EXPECT_EQ(exchange->target.query, "a=b&key=sk-a&c=d");
}

TEST(ForwardKey, IsKnownInTheQueryHoweverItIsEncoded) {
  const services::KeyRing keys({{Secret("fk+/=0"), 0}}, {{Secret("sk-a"), {0}}});
  const ForwardKey link(keys, {.required = true});
  for (const char* key : {"fk+/=0", "fk%2B%2F%3D0", "fk%2b%2f%3d0", "%66k+/=0"}) {
    TestExchange exchange(std::string("GET /v1beta/models?key=") + key);
    EXPECT_TRUE(test::passed(exchange.run(link))) << key;
    EXPECT_EQ(exchange->target.query, "key=sk-a") << key;
  }
}

TEST(ForwardKey, NotesLevelAndAliasButNeverTheKey) {
  const services::KeyRing keys = ring();
  TestExchange exchange("GET /v1\nAuthorization: Bearer fk-1");
  EXPECT_TRUE(test::passed(exchange.run(ForwardKey(keys, {.required = true}))));
  EXPECT_EQ(exchange->level, 1);
  EXPECT_EQ(exchange->key_alias, keys.identify("fk-1").known->alias);
  EXPECT_EQ(exchange->key_alias.find("fk"), std::string_view::npos);
  EXPECT_EQ(exchange->request.fields.get("Authorization"), "Bearer sk-c");
}

TEST(ForwardKey, IsReplacedByTheKeysOfItsLevelInTurn) {
  const services::KeyRing keys = ring();
  const ForwardKey link(keys, {});
  std::string seen;
  for (int i = 0; i < 4; ++i) {
    TestExchange exchange("GET /v1\nx-api-key: fk-0");
    EXPECT_TRUE(test::passed(exchange.run(link)));
    seen.append(exchange->request.fields.get("x-api-key")).append(" ");
  }
  EXPECT_EQ(seen, "sk-a sk-b sk-a sk-b ");
}

TEST(ForwardKey, LeavesAKeyOfAnotherKindAsItIs) {
  for (const std::string value : {"Bearer sk-mine", "Bearer fk-00", "Bearer FK-0", "Basic fk-00"}) {
    const services::KeyRing keys = ring();
    TestExchange exchange("GET /v1\nAuthorization: " + value);
    EXPECT_TRUE(test::passed(exchange.run(ForwardKey(keys, {})))) << value;
    EXPECT_EQ(exchange->request.fields.get("Authorization"), value);
    EXPECT_EQ(exchange->key_alias, "");
    EXPECT_EQ(exchange->level, 0);
  }
}

TEST(ForwardKey, IsReplacedBesideAKeyOfAnotherKind) {
  const services::KeyRing keys = ring();
  TestExchange exchange("GET /v1\nAuthorization: Bearer sk-mine\nx-api-key: fk-0");
  EXPECT_TRUE(test::passed(exchange.run(ForwardKey(keys, {.required = true}))));
  EXPECT_EQ(exchange->request.fields.get("Authorization"), "Bearer sk-mine");
  EXPECT_EQ(exchange->request.fields.get("x-api-key"), "sk-a");
}

TEST(ForwardKey, IsNeverLeftInAnyPlace) {
  const services::KeyRing keys = ring();
  TestExchange exchange("GET /v1?key=fk-0\nAuthorization: Bearer fk-0\nx-api-key: fk-0");
  EXPECT_TRUE(test::passed(exchange.run(ForwardKey(keys, {}))));
  for (const protocol::Field& field : exchange->request.fields) {
    EXPECT_EQ(field.value.find("fk-"), std::string_view::npos) << field.name.text();
  }
  EXPECT_EQ(exchange->target.query.find("fk-"), std::string_view::npos);
}

TEST(ForwardKey, IsDemandedWhereItIsRequired) {
  for (const char* request :
       {"GET /v1", "GET /v1\nAuthorization: Bearer sk-mine", "GET /v1\nAuthorization: Bearer",
        "GET /v1\nAuthorization: Basic fk-0", "GET /v1?key=nothing"}) {
    const services::KeyRing keys = ring();
    TestExchange exchange(request);
    EXPECT_TRUE(test::refused_as(exchange.run(ForwardKey(keys, {.required = true})),
                                 ErrorKind::unauthorized))
        << request;
  }
  const services::KeyRing no_keys({}, {});
  TestExchange exchange("GET /v1\nAuthorization: Bearer sk-mine");
  EXPECT_TRUE(test::refused_as(exchange.run(ForwardKey(no_keys, {.required = true})),
                               ErrorKind::unauthorized));
}

TEST(ForwardKey, UnderAnotherSchemeIsRefusedAndNotSentOn) {
  const services::KeyRing keys = ring();
  const ForwardKey link(keys, {});
  for (const char* value : {"fk-0", "Token fk-0", "Basic fk-0", "BearerX fk-0", "Token\tfk-0"}) {
    TestExchange exchange(std::string("POST /v1/x\nAuthorization: ") + value);
    EXPECT_TRUE(test::refused_as(exchange.run(link), ErrorKind::unauthorized)) << value;
  }
  for (const char* field : {"x-api-key", "api-key", "x-goog-api-key"}) {
    TestExchange exchange(std::string("POST /v1/x\n") + field + ": Bearer fk-0");
    EXPECT_TRUE(test::refused_as(exchange.run(link), ErrorKind::unauthorized)) << field;
  }
  for (const char* value : {"sk-of-another", "Basic dXNlcjpwYXNz"}) {
    TestExchange exchange(std::string("POST /v1/x\nAuthorization: ") + value);
    EXPECT_TRUE(test::passed(exchange.run(link))) << value;
  }
}

TEST(ForwardKey, OfALevelWithoutApiKeyIsRefusedAndNotSentOn) {
  const services::KeyRing keys = ring();
  TestExchange exchange("GET /v1\nAuthorization: Bearer fk-9");
  const auto verdict = exchange.run(ForwardKey(keys, {}));
  ASSERT_TRUE(test::refused_as(verdict, ErrorKind::unauthorized));
  EXPECT_NE(verdict.error().detail.find("level 9"), std::string::npos);
  EXPECT_EQ(verdict.error().detail.find("fk-9"), std::string::npos);
}

TEST(ForwardKey, GivenTwiceInOnePlaceIsRefused) {
  const services::KeyRing keys = ring();
  TestExchange exchange("GET /v1\nx-api-key: fk-0\nx-api-key: sk-mine");
  EXPECT_TRUE(test::refused_as(exchange.run(ForwardKey(keys, {})), ErrorKind::bad_request));
}

TEST(ForwardKey, ChangesNothingWhereNoneIsConfigured) {
  const services::KeyRing no_keys({}, {{Secret("sk-a"), {}}});
  TestExchange exchange("GET /v1\nAuthorization: Bearer anything");
  EXPECT_TRUE(test::passed(exchange.run(ForwardKey(no_keys, {}))));
  EXPECT_EQ(exchange->request.fields.get("Authorization"), "Bearer anything");
}

TEST(ForwardKey, OfTwoKindsInOneRequestIsRefused) {
  const services::KeyRing keys = ring();
  TestExchange exchange("GET /v1\nAuthorization: Bearer fk-0\nx-api-key: fk-1");
  EXPECT_TRUE(test::refused_as(exchange.run(ForwardKey(keys, {})), ErrorKind::bad_request));
}

TEST(ForwardKey, InTwoPlacesTakesOneTurn) {
  const services::KeyRing keys = ring();
  TestExchange exchange("GET /v1\nAuthorization: Bearer fk-0\nx-api-key: fk-0");
  EXPECT_TRUE(test::passed(exchange.run(ForwardKey(keys, {}))));
  EXPECT_EQ(exchange->request.fields.get("Authorization"), "Bearer sk-a");
  EXPECT_EQ(exchange->request.fields.get("x-api-key"), "sk-a");
}

chain::CallerId caller(const std::string& request) {
  const services::KeyRing keys = ring();
  TestExchange exchange(request);
  EXPECT_TRUE(test::passed(exchange.run(ForwardKey(keys, {.tell_callers = true})))) << request;
  return exchange->caller;
}

TEST(ForwardKeyCaller, IsOneHoweverTheKeyTravels) {
  const chain::CallerId known = caller("GET /v1\nAuthorization: Bearer fk-0");
  for (const char* request :
       {"GET /v1\nAuthorization: bearer   fk-0", "GET /v1\nx-api-key: fk-0", "GET /v1?key=fk-0",
        "GET /v1?key=%66k-0", "GET /v1\nAuthorization: Bearer decoy\nx-api-key: fk-0",
        "GET /v1?key=decoy\nAuthorization: Bearer fk-0"}) {
    EXPECT_EQ(caller(request), known) << request;
  }
  const chain::CallerId own = caller("GET /v1\nAuthorization: Bearer sk-mine");
  EXPECT_EQ(caller("GET /v1?key=sk%2Dmine"), own);
  EXPECT_EQ(caller("GET /v1?key=sk-mine\nAuthorization: Bearer sk-mine"), own);
  EXPECT_NE(own, known);
  EXPECT_NE(own, caller("GET /v1\nAuthorization: Bearer sk-other"));
}

TEST(ForwardKeyCaller, IsTheAddressWithoutAKeyOrWithSeveralThatAreUnknown) {
  for (const char* request : {"GET /v1", "GET /v1\nAuthorization: Basic dXNlcg==",
                              "GET /v1\nAuthorization: Bearer decoy-1\nx-api-key: sk-mine",
                              "GET /v1?key=decoy-2\nx-api-key: sk-mine"}) {
    EXPECT_EQ(caller(request), test::ip("192.0.2.7").bytes) << request;
  }
}

// What the caller sees of a field of the answer.
std::string seen_by_caller(const std::string& request, std::string_view value) {
  const services::KeyRing keys({{Secret("fk-0"), 0}}, {{Secret("sk/secret"), {0}}});
  TestExchange exchange(request);
  EXPECT_TRUE(test::passed(exchange.run(ForwardKey(keys, {})))) << request;
  protocol::ResponseHead head;
  head.fields.add("Location", value);
  for (const auto& tap : exchange->taps()) tap->on_head(head);
  return std::string(head.fields.get("Location"));
}

TEST(ForwardKeyEcho, GivesTheCallerItsOwnKeyBack) {
  const std::string query = "GET /v1/x?key=fk-0";
  EXPECT_EQ(seen_by_caller(query, "/v1/x/?key=sk%2Fsecret&a=sk/secret"), "/v1/x/?key=fk-0&a=fk-0");
  EXPECT_EQ(seen_by_caller("GET /v1/x?key=%66k-0", "/?key=sk%2Fsecret"), "/?key=%66k-0");
  EXPECT_EQ(seen_by_caller(query, "/v1/x/"), "/v1/x/");
  EXPECT_EQ(seen_by_caller("GET /v1/x\nSec-WebSocket-Protocol: a, openai-insecure-api-key.fk-0",
                           "openai-insecure-api-key.sk/secret"),
            "openai-insecure-api-key.fk-0");
}

TEST(ForwardKey, TellsByWhatTheUpstreamMayKnowTheCaller) {
  using enum chain::Identity;
  const std::pair<const char*, chain::Identity> cases[] = {
      {"GET /v1", anonymous},
      {"GET /v1\nAuthorization: Basic YTpi", anonymous},
      {"GET /v1\nx-api-key: mine", key},
      {"GET /v1\nx-api-key: mine\nAuthorization: Bearer mine", key},
      {"GET /v1?key=mine\nx-api-key: mine", key},
      {"GET /v1\nx-api-key: mine\nAuthorization: Bearer another", mixed},
      {"GET /v1\nx-api-key: fk-0", forward_key},
      {"GET /v1?key=fk-0\nAuthorization: Bearer fk-0", forward_key},
      {"GET /v1\nx-api-key: fk-0\nAuthorization: Bearer mine", mixed},
      {"GET /v1?key=mine\nAuthorization: Bearer fk-0", mixed},
  };
  const services::KeyRing keys = ring();
  for (const auto& [request, identity] : cases) {
    TestExchange exchange(request);
    EXPECT_TRUE(test::passed(exchange.run(ForwardKey(keys, {})))) << request;
    EXPECT_EQ(exchange->identity, identity) << request;
  }
}

TEST(ForwardKey, TellsCallersWithoutForwardKeysWhereALinkAsks) {
  const services::KeyRing none({}, {});
  TestExchange exchange("GET /v1\nx-api-key: mine");
  EXPECT_TRUE(test::passed(exchange.run(ForwardKey(none, {.tell_callers = true}))));
  EXPECT_EQ(exchange->identity, chain::Identity::key);
}

// The upstream's answer to a request with fk-0, and the API key of the request after it.
std::string key_after(int status, bool from_upstream, const char* retry_after = nullptr,
                      const std::string& more_fields = {}) {
  const services::KeyRing keys = ring();
  const ForwardKey link(keys, {.rest = std::chrono::hours(1)});
  const std::string request = "GET /v1\nx-api-key: fk-0";
  TestExchange first(request + more_fields);
  EXPECT_TRUE(test::passed(first.run(link)));
  if (from_upstream) first->progress.head_received = Clock::now();
  protocol::ResponseHead head;
  head.status = status;
  if (retry_after != nullptr) head.fields.add("Retry-After", retry_after);
  for (const auto& tap : first->taps()) tap->on_head(head);
  std::string seen;
  for (int i = 0; i < 2; ++i) {
    TestExchange next(request);
    EXPECT_TRUE(test::passed(next.run(link)));
    seen.append(next->request.fields.get("x-api-key")).append(" ");
  }
  return seen;
}

TEST(ForwardKeyRest, FollowsTheUpstreamsRefusal) {
  EXPECT_EQ(key_after(429, true), "sk-b sk-b ");
  EXPECT_EQ(key_after(401, true), "sk-b sk-b ");
  EXPECT_EQ(key_after(429, true, "100"), "sk-b sk-b ");
  EXPECT_EQ(key_after(429, true, "0"), "sk-b sk-a ") << "asked for no rest";
  EXPECT_EQ(key_after(403, true), "sk-b sk-a ");
  EXPECT_EQ(key_after(200, true), "sk-b sk-a ");
  EXPECT_EQ(key_after(429, false), "sk-b sk-a ") << "a limit of aifd's own";
  EXPECT_EQ(key_after(401, true, nullptr, "\nAuthorization: Bearer fk-0"), "sk-b sk-b ");
  EXPECT_EQ(key_after(401, true, nullptr, "\nAuthorization: Bearer junk"), "sk-b sk-a ")
      << "perhaps the junk was refused";
}

}  // namespace
}  // namespace aifd::middleware
