#include "aifd/middleware/token_budget.hpp"

#include <gtest/gtest.h>

#include "support/test_exchange.hpp"

namespace aifd::middleware {
namespace {

using chain::EndedBy;
using chain::Outcome;
using chain::Phase;
using test::TestExchange;

constexpr std::uint64_t kMostBytes = 2000;
const char* const kChat = "POST /v1/chat/completions\nContent-Type: application/json";
const char* const kJson = "application/json";
const char* const kEvents = "text/event-stream; charset=utf-8";

Outcome ended(int status, EndedBy by = EndedBy::complete, unsigned attempts = 1,
              Phase phase = Phase::stream) {
  Outcome outcome;
  outcome.status = status;
  outcome.ended_by = by;
  outcome.attempts = attempts;
  outcome.phase = phase;
  outcome.ended = Clock::now();
  return outcome;
}

class TokenBudgetTest : public testing::Test {
 protected:
  TestExchange& request(const std::string& head, std::string body) {
    return prepare(exchanges_.emplace_back(std::make_unique<TestExchange>(head, std::move(body))));
  }

  TestExchange& prepare(const std::unique_ptr<TestExchange>& exchange) {
    (*exchange)->route = {"/", (*exchange)->target.path, true};
    return *exchange;
  }

  // A body of so many bytes that lets the answer have so many tokens.
  static std::string body(std::size_t bytes, std::uint64_t max_tokens = 0) {
    std::string text = R"({"max_tokens":)" + std::to_string(max_tokens) + R"(,"messages":")";
    return text + std::string(bytes - text.size() - 2, 'x') + "\"}";
  }

  // As the session does with an upstream's answer.
  protocol::ResponseHead answer(TestExchange& exchange, int status, std::string_view type,
                                std::string_view text, const Outcome& outcome,
                                protocol::Fields fields = {}) {
    protocol::ResponseHead head;
    head.status = status;
    head.fields = std::move(fields);
    head.fields.set("Content-Type", type);
    exchange->show_head(head);
    for (; !text.empty(); text.remove_prefix(std::min<std::size_t>(text.size(), 7))) {
      EXPECT_EQ(exchange->show(text.substr(0, 7)), chain::kAtOnce);
    }
    for (const auto& tap : exchange->taps()) tap->on_done(outcome);
    return head;
  }

  std::uint64_t used(const chain::CallerId& caller = {}) {
    const services::LimitRule& rule = *rules_.find("/v1", "/", 0);
    return 1000 - quota_.reserve(caller, rule, 0, Clock::now()).decision.remaining;
  }

  config::RouteLimits limits_{{"/v1", {{std::nullopt, {{1000, std::chrono::hours(1)}}}}}};
  services::LimitRules rules_{limits_, {}, {"/"}};
  services::TokenQuota quota_;
  TokenBudget link_{rules_, quota_, kMostBytes};
  std::vector<std::unique_ptr<TestExchange>> exchanges_;
};

TEST_F(TokenBudgetTest, ReservesThePromptAndTheMostOutput) {
  TestExchange& exchange = request(kChat, body(399, 300));
  EXPECT_TRUE(test::passed(exchange.run(link_)));
  EXPECT_EQ(used(), 400U);
  EXPECT_EQ(exchange->request.fields.get("Accept-Encoding"), "identity");
  EXPECT_EQ(exchange->taps().size(), 1U);
  EXPECT_EQ(link_.name(), "token_quota");
}

TEST_F(TokenBudgetTest, PassesWhatNoLimitHoldsForOrHasNoBody) {
  for (TestExchange* exchange :
       {&request("POST /other\nAccept-Encoding: gzip", body(400)),
        &request("GET /v1/models\nAccept-Encoding: gzip", ""),
        &request("POST /v1/x\nContent-Length: 0\nAccept-Encoding: gzip", "")}) {
    EXPECT_TRUE(test::passed(exchange->run(link_)));
    EXPECT_EQ((*exchange)->request.fields.get("Accept-Encoding"), "gzip");
    EXPECT_TRUE((*exchange)->taps().empty());
  }
  EXPECT_EQ(used(), 0U);
}

TEST_F(TokenBudgetTest, AnotherSpellingOfThePathIsCountedToo) {
  EXPECT_TRUE(test::passed(request("POST /%761/chat", body(400)).run(link_)));
  EXPECT_EQ(used(), 100U);
}

TEST_F(TokenBudgetTest, CallersAreCountedApart) {
  TestExchange& other = request(kChat, body(400, 900));
  other->caller[3] = 1;
  EXPECT_TRUE(test::passed(other.run(link_)));
  EXPECT_EQ(used(), 0U);
}

TEST_F(TokenBudgetTest, EstimatesOtherBodies) {
  EXPECT_TRUE(test::passed(request(kChat, std::string(400, '[')).run(link_)));
  EXPECT_EQ(used(), 100U) << "no JSON";
  EXPECT_TRUE(test::passed(request("POST /v1/files\nContent-Type: Multipart/Form-Data; boundary=b",
                                   std::string(9000, 'x'))
                               .run(link_)));
  EXPECT_EQ(used(), 101U) << "an upload is no prompt";
  TestExchange& large = request(kChat, body(2004, 300));
  EXPECT_TRUE(test::passed(large.run(link_)));
  EXPECT_EQ(large.source().reads(), 0U) << "only its length is taken";
  EXPECT_EQ(used(), 101U + 501U);
}

TEST_F(TokenBudgetTest, RefusesAsOpenAiDoes) {
  ASSERT_TRUE(test::passed(request(kChat, body(400, 800)).run(link_)));
  TestExchange& exchange = request(kChat, body(400, 100));
  auto verdict = exchange.run(link_);
  chain::Reply& reply = test::answer_of(verdict);
  EXPECT_EQ(reply.head.status, 429);
  EXPECT_EQ(reply.head.fields.get("x-ratelimit-limit-tokens"), "1000");
  EXPECT_EQ(reply.head.fields.get("x-ratelimit-remaining-tokens"), "100");
  EXPECT_EQ(reply.head.fields.get("x-ratelimit-reset-tokens"), "1h0m0s");
  EXPECT_EQ(reply.head.fields.get("Retry-After"), "3600");
  EXPECT_TRUE(reply.head.fields.contains("retry-after-ms"));
  EXPECT_EQ(reply.head.fields.get("x-should-retry"), "false");
  EXPECT_EQ(
      test::body_of(reply),
      R"({"error":{"message":"Rate limit reached for tokens: Limit 1000, Used 900, Requested )"
      R"(200. Please try again in 1h0m0s.","type":"rate_limit_error","param":null,)"
      R"("code":"rate_limit_exceeded"}})");
  ASSERT_TRUE(exchange->progress.error);
  EXPECT_EQ(exchange->progress.error->kind, ErrorKind::rate_limited);
  EXPECT_EQ(exchange->progress.error->source, ErrorSource::client);
  EXPECT_TRUE(exchange->taps().empty());
  EXPECT_EQ(used(), 900U);
}

TEST_F(TokenBudgetTest, SaysWhereNoWaitHelps) {
  for (const std::uint64_t most : {std::uint64_t{1900}, ~std::uint64_t{0}}) {
    TestExchange& exchange = request(kChat, body(400, most));
    auto verdict = exchange.run(link_);
    chain::Reply& reply = test::answer_of(verdict);
    EXPECT_EQ(reply.head.status, 429);
    EXPECT_EQ(reply.head.fields.get("x-should-retry"), "false");
    EXPECT_EQ(reply.head.fields.get("Retry-After"), "3600");
    const std::string requested = most == 1900 ? "2000" : std::to_string(most);
    EXPECT_NE(test::body_of(reply).find("Request too large: Limit 1000, Requested " + requested +
                                        " tokens; it can never be admitted. Shorten the prompt or "
                                        "lower max_tokens."),
              std::string::npos);
  }
}

TEST_F(TokenBudgetTest, NothingPassesWhereNothingRemains) {
  TestExchange& first = request(kChat, body(400));
  ASSERT_TRUE(test::passed(first.run(link_)));
  answer(first, 200, kJson, R"({"usage":{"total_tokens":5000}})", ended(200));
  EXPECT_EQ(used(), 1000U);
  EXPECT_FALSE(test::passed(request(kChat, "{}").run(link_)));
  EXPECT_FALSE(
      test::passed(request("POST /v1/a\nContent-Type: multipart/form-data", "x").run(link_)));
}

TEST_F(TokenBudgetTest, AnswerSaysWhatIsLeftAndUpstreamsErrorsKeepTheirOwn) {
  protocol::Fields own;
  own.add("x-ratelimit-limit-tokens", "7");
  own.add("x-ratelimit-remaining-tokens", "6");
  TestExchange& good = request(kChat, body(400, 300));
  ASSERT_TRUE(test::passed(good.run(link_)));
  const auto head = answer(good, 200, kJson, "{}", ended(200), own);
  EXPECT_EQ(head.fields.get("x-ratelimit-limit-tokens"), "1000");
  EXPECT_EQ(head.fields.get("x-ratelimit-remaining-tokens"), "600");
  EXPECT_EQ(head.fields.get("x-ratelimit-reset-tokens"), "1h0m0s");
  TestExchange& bad = request(kChat, body(400, 300));
  ASSERT_TRUE(test::passed(bad.run(link_)));
  const auto refused = answer(bad, 429, kJson, "{}", ended(429), own);
  EXPECT_EQ(refused.fields.get("x-ratelimit-limit-tokens"), "7");
  EXPECT_EQ(refused.fields.get("x-ratelimit-remaining-tokens"), "6");
}

TEST_F(TokenBudgetTest, AnAbandonedExchangeGivesItsReservationBack) {
  TestExchange& exchange = request(kChat, body(400, 300));
  ASSERT_TRUE(test::passed(exchange.run(link_)));
  EXPECT_EQ(used(), 400U);
  exchange.destroy();
  EXPECT_EQ(used(), 0U);
}

TEST_F(TokenBudgetTest, ABodyThatBreaksReservesNothing) {
  const auto exchange = std::make_unique<TestExchange>(
      kChat, std::vector<test::ScriptedBody::Step>{{"{", false}, {"}", false, false, true}});
  EXPECT_TRUE(test::refused_as(prepare(exchange).run(link_), ErrorKind::upstream_broke));
  EXPECT_EQ(used(), 0U);
}

TEST_F(TokenBudgetTest, SettlesWhatTheAnswerCameTo) {
  const std::string report =
      R"({"usage":{"prompt_tokens":70,"completion_tokens":5,"total_tokens":75}})";
  const std::string events = "data: {}\n\ndata: {}\n\ndata: {}\n\n";
  struct Case {
    const char* what;
    std::string text;
    const char* type;
    Outcome outcome;
    std::uint64_t used;
  };
  // Each request is 100 tokens of prompt and 300 of output.
  const Case cases[] = {
      {"reported", report, kJson, ended(200), 75},
      {"reported in a stream", "data: " + report + "\n\n", kEvents, ended(200), 75},
      {"another 2xx", report, kJson, ended(201), 75},
      {"from the cache", report, kJson, ended(200, EndedBy::complete, 0), 75},
      {"whole stream, no report", events, kEvents, ended(200), 103},
      {"cut stream, no report", events, kEvents, ended(200, EndedBy::upstream), 103},
      {"left stream, no report", events, kEvents, ended(200, EndedBy::client), 103},
      {"cut stream, partly reported",
       "data: {\"usage\":{\"input_tokens\":50,\"output_tokens\":1}}\n\n" + events, kEvents,
       ended(200, EndedBy::client), 54},
      {"cut stream, more reported than seen",
       "data: {\"usage\":{\"input_tokens\":50,\"output_tokens\":99}}\n\n", kEvents,
       ended(200, EndedBy::client), 149},
      {"cut stream, output reported", "data: {\"usage\":{\"output_tokens\":1}}\n\n" + events,
       kEvents, ended(200, EndedBy::client), 104},
      {"text without report", std::string(401, 'x'), kJson, ended(200), 201},
      {"long text without report", std::string(4000, 'x'), kJson, ended(200), 400},
      {"audio", std::string(4000, 'x'), "audio/mpeg", ended(200), 100},
      {"no content", "", kJson, ended(204), 100},
      {"redirected", report, kJson, ended(307), 0},
      {"refused", report, kJson, ended(400), 0},
      {"limited", report, kJson, ended(429), 0},
      {"upstream broke", report, kJson, ended(502), 0},
      {"not asked", report, kJson, ended(503, EndedBy::aifd, 0, Phase::links), 0},
  };
  chain::CallerId caller{};
  for (const Case& c : cases) {
    ++caller[0];
    TestExchange& exchange = request(kChat, body(400, 300));
    exchange->caller = caller;
    ASSERT_TRUE(test::passed(exchange.run(link_))) << c.what;
    EXPECT_EQ(used(caller), 400U) << c.what;
    answer(exchange, c.outcome.status, c.type, c.text, c.outcome);
    EXPECT_EQ(used(caller), c.used) << c.what;
  }
}

TEST_F(TokenBudgetTest, UploadsCostWhatIsReported) {
  struct Case {
    std::string text;
    const char* type;
    std::uint64_t used;
  };
  const Case cases[] = {
      {R"({"text":"words","usage":{"type":"tokens","input_tokens":14,"output_tokens":45}})", kJson,
       59},
      {R"({"id":"file-abc123","object":"file"})", kJson, 0},
      {"data: {}\n\ndata: {}\n\n", kEvents, 2},
  };
  chain::CallerId caller{};
  for (const Case& c : cases) {
    ++caller[0];
    TestExchange& exchange = request("POST /v1/a\nContent-Type: multipart/form-data", "x");
    exchange->caller = caller;
    ASSERT_TRUE(test::passed(exchange.run(link_)));
    answer(exchange, 200, c.type, c.text, ended(200));
    EXPECT_EQ(used(caller), c.used) << c.text;
  }
}

TEST_F(TokenBudgetTest, ReadsTheReportOfTheExchangesDialect) {
  TestExchange& exchange = request("POST /v1/messages", body(400, 300));
  exchange->dialect = protocol::Dialect::ollama;
  ASSERT_TRUE(test::passed(exchange.run(link_)));
  answer(exchange, 200, "application/x-ndjson",
         "{\"done\":false}\n{\"done\":true,\"prompt_eval_count\":26,\"eval_count\":29}\n",
         ended(200));
  EXPECT_EQ(used(), 55U);
}

TEST(UsedTokens, WhereNoAnswerCame) {
  const TokenEstimate estimate{100, 300, false};
  const auto used = [&](unsigned attempts, Phase phase) {
    return used_tokens(ended(0, EndedBy::client, attempts, phase), estimate, {});
  };
  EXPECT_EQ(used(0, Phase::links), 0U);
  EXPECT_EQ(used(1, Phase::connect), 0U);
  EXPECT_EQ(used(1, Phase::upload), 0U);
  EXPECT_EQ(used(1, Phase::wait_head), 100U) << "the upstream is at work";
  EXPECT_EQ(used(2, Phase::stream), 100U);
}

TEST(UsedTokens, NeverOverflows) {
  const TokenEstimate estimate{~std::uint64_t{0}, {}, false};
  const AnswerSeen seen{AnswerSeen::Body::text, {}, 0, ~std::uint64_t{0}};
  EXPECT_EQ(used_tokens(ended(200), estimate, seen), ~std::uint64_t{0});
}

}  // namespace
}  // namespace aifd::middleware
