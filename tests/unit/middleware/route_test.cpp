#include "aifd/middleware/route.hpp"

#include <gtest/gtest.h>

#include "aifd/middleware/admission.hpp"
#include "support/test_exchange.hpp"

namespace aifd::middleware {
namespace {

using protocol::BodyFraming;
using protocol::BodyKind;
using protocol::Dialect;
using test::TestExchange;

config::Route route(const std::string& prefix, const std::string& base_url,
                    config::RouteType type = config::RouteType::openai) {
  return {config::parse_base_url(base_url).value(), prefix, type};
}

services::RouteTable table() {
  return services::RouteTable(
      {route("/", "https://api.openai.example"), route("/base", "http://localhost:9000/api/v1"),
       route("/gemini", "https://gemini.example"),
       route("/any", "https://any.example/v1", config::RouteType::general)});
}

TEST(ChooseUpgrade, FollowsTheTable) {
  struct Case {
    std::string_view method;
    std::string_view upgrade;  // "": none named by Connection
    BodyFraming body;
    unsigned version_minor;
    UpgradeChoice expected;
  };
  const BodyFraming none{};
  const BodyFraming empty{BodyKind::length, 0};
  const BodyFraming five{BodyKind::length, 5};
  const BodyFraming chunked{BodyKind::chunked, 0};
  const Case cases[] = {
      {"GET", "", none, 1, UpgradeChoice::none},
      {"POST", "", five, 1, UpgradeChoice::none},
      {"GET", "websocket", none, 1, UpgradeChoice::tunnel},
      {"GET", "WebSocket", none, 1, UpgradeChoice::tunnel},
      {"GET", "websocket", empty, 1, UpgradeChoice::tunnel},
      {"GET", "websocket", five, 1, UpgradeChoice::refuse},
      {"GET", "websocket", chunked, 1, UpgradeChoice::refuse},
      {"POST", "websocket", none, 1, UpgradeChoice::refuse},
      {"GET", "websocket", none, 0, UpgradeChoice::decline},
      {"GET", "h2c", none, 1, UpgradeChoice::decline},
      {"POST", "h2c", five, 1, UpgradeChoice::decline},
      {"POST", "H2C", chunked, 1, UpgradeChoice::decline},
      {"GET", "TLS/1.2", none, 1, UpgradeChoice::refuse},
      {"GET", "tls/1.3", none, 1, UpgradeChoice::refuse},
      {"GET", "HTTP/2.0", none, 1, UpgradeChoice::decline},
      {"GET", "foo, h2c", none, 1, UpgradeChoice::decline},
      {"GET", "", none, 0, UpgradeChoice::none},
  };
  for (const Case& c : cases) {
    protocol::RequestHead head;
    head.method = c.method;
    head.version_minor = c.version_minor;
    head.fields.add("Upgrade", c.upgrade);
    protocol::RequestFraming framing;
    framing.body = c.body;
    framing.wants_upgrade = !c.upgrade.empty();
    EXPECT_EQ(choose_upgrade(head, framing), c.expected)
        << c.method << " " << c.upgrade << " 1." << c.version_minor;
  }
}

TEST(Route, ChoosesTheServerAndThePath) {
  struct Case {
    const char* target;
    std::string_view prefix, path, authority, base_path;
    bool openai;
  };
  const Case cases[] = {
      {"/v1/models", "/", "/v1/models", "api.openai.example", "", true},
      {"/", "/", "/", "api.openai.example", "", true},
      {"/base/models?a=b", "/base", "/models", "localhost:9000", "/api/v1", true},
      {"/base", "/base", "/", "localhost:9000", "/api/v1", true},
      {"/baseball", "/", "/baseball", "api.openai.example", "", true},
      {"/any/v1/x", "/any", "/v1/x", "any.example", "/v1", false},
  };
  const auto routes = table();
  const Route link(routes, false);
  for (const Case& c : cases) {
    TestExchange exchange(std::string("GET ") + c.target);
    EXPECT_TRUE(test::passed(exchange.run(link))) << c.target;
    EXPECT_EQ(exchange->route.prefix, c.prefix) << c.target;
    EXPECT_EQ(exchange->route.path, c.path) << c.target;
    EXPECT_EQ(exchange->route.openai, c.openai) << c.target;
    EXPECT_EQ(exchange->destination.server.authority, c.authority) << c.target;
    EXPECT_EQ(exchange->destination.base_path, c.base_path) << c.target;
  }
}

TEST(Route, TellsWhoeverAskedForAnotherPathWhatIsServed) {
  const services::RouteTable routes({route("/openai", "https://o"), route("/gemini", "https://g")});
  TestExchange exchange("GET /v1/models?key=secret");
  const auto verdict = exchange.run(Route(routes, false));
  ASSERT_TRUE(test::refused_as(verdict, ErrorKind::no_route));
  const std::string& detail = verdict.error().detail;
  for (const char* said : {"/v1/models", "/gemini", "/openai", "base URL"}) {
    EXPECT_NE(detail.find(said), std::string::npos) << detail;
  }
  EXPECT_EQ(detail.find("secret"), std::string::npos) << detail;
}

TEST(Route, ExplainsADoubledVersion) {
  struct Case {
    const char* target;
    const char* says;  // "": it passes
  };
  const Case cases[] = {
      {"/v1/v1/models", "HOST without /v1"},
      {"/gemini/v1/v1/models", "HOST/gemini without /v1"},
      {"/base/v1/models", "http://localhost:9000/api/v1 ends in /v1"},
      {"/v1/models", ""},
      {"/base/models", ""},
      {"/v1/v10/models", ""},
      {"/v1", ""},
      {"/any/v1/v1/x", ""},
  };
  const auto routes = table();
  const Route link(routes, false);
  for (const Case& c : cases) {
    TestExchange exchange(std::string("GET ") + c.target);
    const auto verdict = exchange.run(link);
    const bool passes = std::string_view(c.says).empty();
    EXPECT_EQ(test::passed(verdict), passes) << c.target;
    if (passes) continue;
    ASSERT_TRUE(test::refused_as(verdict, ErrorKind::no_route)) << c.target;
    EXPECT_NE(verdict.error().detail.find(c.says), std::string::npos) << verdict.error().detail;
  }
}

TEST(Route, TellsTheUpstreamTheCallersAddressOnlyWhereThatIsWanted) {
  const auto routes = table();
  for (const bool wanted : {false, true}) {
    TestExchange exchange("GET /v1/models\nX-Forwarded-For: 1.1.1.1");
    exchange->client.address = test::ip("198.51.100.1");
    EXPECT_TRUE(test::passed(exchange.run(Route(routes, wanted))));
    EXPECT_EQ(exchange->destination.extra.get("X-Forwarded-For"), wanted ? "198.51.100.1" : "");
  }
}

TEST(Route, RefusesOrDropsAnUpgradeThatCannotBe) {
  const auto routes = table();
  const Route link(routes, false);
  TestExchange post("POST /v1/x\nConnection: Upgrade\nUpgrade: websocket", "body");
  EXPECT_TRUE(test::refused_as(post.run(link), ErrorKind::upgrade_refused));
  TestExchange h2c("GET /v1/x\nConnection: Upgrade\nUpgrade: h2c");
  EXPECT_TRUE(test::passed(h2c.run(link)));
  EXPECT_FALSE(h2c->framing.wants_upgrade);
  TestExchange websocket("GET /v1/x\nConnection: Upgrade\nUpgrade: websocket");
  EXPECT_TRUE(test::passed(websocket.run(link)));
  EXPECT_TRUE(websocket->framing.wants_upgrade);
}

TEST(Route, SetsTheDialectOfErrorsByPathAndRoute) {
  const auto routes = table();
  const Route link(routes, false);
  struct Case {
    const char* target;
    Dialect dialect;
  };
  const Case cases[] = {{"/v1/chat/completions", Dialect::openai},
                        {"/v1/messages", Dialect::anthropic},
                        {"/gemini/v1/x", Dialect::gemini},
                        {"/api/chat", Dialect::ollama}};
  for (const Case& c : cases) {
    TestExchange exchange(std::string("POST ") + c.target);
    EXPECT_TRUE(test::passed(exchange.run(link)));
    EXPECT_EQ(exchange->dialect, c.dialect) << c.target;
  }
}

TEST(Admission, EndsWhatWasRefusedBeforeInTheDialectOfItsPathBehindItsRoute) {
  const std::vector<config::Route> routes{{.base_url = {}, .prefix = "/some"}};
  const services::RouteTable table(routes);
  const Admission link(table);
  for (const char* target : {"POST /v1/messages", "POST /some/v1/messages"}) {
    TestExchange exchange(target);
    exchange->refused = Error{ErrorKind::draining, ErrorSource::aifd, false, ""};
    EXPECT_TRUE(test::refused_as(exchange.run(link), ErrorKind::draining));
    EXPECT_EQ(exchange->dialect, Dialect::anthropic) << target;
  }
  TestExchange fine("POST /v1/messages");
  EXPECT_TRUE(test::passed(fine.run(link)));
}

}  // namespace
}  // namespace aifd::middleware
