#include "aifd/middleware/access_log.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "support/test_exchange.hpp"

namespace aifd::middleware {
namespace {

using nlohmann::json;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using test::TestExchange;

constexpr const char* kTime = "2026-11-22T21:05:19.123+08:00";
const Clock::time_point kStart{std::chrono::hours(5)};

chain::Outcome complete() {
  chain::Outcome outcome;
  outcome.status = 200;
  outcome.bytes_in = 12;
  outcome.bytes_out = 3456;
  outcome.attempts = 1;
  outcome.started = kStart;
  outcome.head_received = kStart + microseconds(1500);
  outcome.ended = kStart + milliseconds(20) + microseconds(7);
  return outcome;
}

json parse(const std::string& line) {
  EXPECT_EQ(line.find('\n'), line.size() - 1) << "one line: " << line;
  return json::parse(line);
}

std::string line_for(std::string_view time, chain::Exchange& exchange,
                     const chain::Outcome& outcome, const AnswerHead& answer) {
  TextBuffer text;
  return std::string(access_line(text, time, exchange, outcome, answer));
}

json line_of(const char* request, const chain::Outcome& outcome) {
  TestExchange exchange(request);
  return parse(line_for(kTime, *exchange, outcome, {}));
}

TEST(AccessLine, TellsAllOfAnExchangeThatWentWell) {
  TestExchange exchange("POST /openai/v1/chat/completions?stream=1");
  exchange->route.prefix = "/openai";
  exchange->key_alias = "0a1b2c3d";
  exchange->client.address = test::ip("198.51.100.1");
  const json line = parse(line_for(kTime, *exchange, complete(), {"theirs", true}));
  EXPECT_EQ(line, json::parse(R"({
    "ts": "2026-11-22T21:05:19.123+08:00", "level": "info", "msg": "request",
    "request_id": "req_1", "upstream_request_id": "theirs", "client_ip": "198.51.100.1",
    "key": "0a1b2c3d", "route": "/openai", "method": "POST",
    "path": "/openai/v1/chat/completions?stream=1", "stream": true, "status": 200, "bytes_in": 12,
    "bytes_out": 3456, "dur_ms": 20.007, "ttfb_ms": 1.5, "attempts": 1, "ended_by": "complete"})"));
}

TEST(AccessLine, NamesTheModelAndTheTokens) {
  TestExchange exchange("POST /v1/chat/completions", R"({"model":"gpt-\"4\"","messages":[]})");
  ASSERT_TRUE(test::run_task(exchange->body.hold(1000)).value());
  exchange->count_usage();
  protocol::ResponseHead head;
  head.status = 200;
  exchange->show_head(head);
  exchange->show(R"({"usage":{"prompt_tokens":5,"completion_tokens":7,"total_tokens":12}})");
  const json line = parse(line_for(kTime, *exchange, complete(), {"", false}));
  EXPECT_EQ(line["model"], "gpt-\"4\"");
  EXPECT_EQ(line["stream"], false);
  EXPECT_EQ(line["tokens_in"], 5);
  EXPECT_EQ(line["tokens_out"], 7);
}

TEST(AccessLine, HasNoModelOfABodyThatIsNotHere) {
  TestExchange exchange("POST /v1/chat/completions", R"({"model":"gpt-4"})");
  EXPECT_FALSE(parse(line_for(kTime, *exchange, complete(), {})).contains("model"));
}

TEST(AccessLine, TellsTheUpstreamsTimeAndTheTries) {
  chain::Outcome outcome = complete();
  outcome.asked = kStart + microseconds(500);
  outcome.attempts = 3;
  const json line = line_of("GET /v1/models", outcome);
  EXPECT_EQ(line["upstream_ms"], 1.0);
  EXPECT_EQ(line["retries"], 2);
}

TEST(AccessLine, NamesAnEndThatLeftTheClientWithoutAWholeAnswer) {
  chain::Outcome outcome = complete();
  outcome.ended_by = chain::EndedBy::client;
  outcome.phase = chain::Phase::stream;
  outcome.drained = chain::Drained::whole;
  outcome.bytes_drained = 3000;
  const json line = line_of("GET /v1/models", outcome);
  EXPECT_EQ(line["abort"], "client_stream");
  EXPECT_EQ(line["drained"], "whole");
  EXPECT_EQ(line["bytes_drained"], 3000);
  EXPECT_EQ(line["bytes_out"], 456);
  outcome.answered = true;
  EXPECT_FALSE(line_of("GET /v1/models", outcome).contains("abort"));
}

TEST(AccessLine, SaysWhichAnswerOfTheCache) {
  TestExchange exchange("POST /v1/chat/completions");
  exchange->cache = chain::CacheUse::hit;
  exchange->cache_key = chain::CacheDigest{0x00, 0xff};
  const json line = parse(line_for(kTime, *exchange, complete(), {}));
  EXPECT_EQ(line["cache"], "hit");
  EXPECT_EQ(line["cache_key"], "00ff" + std::string(60, '0'));
}

TEST(AccessLine, LeavesOutWhatThereWasNot) {
  chain::Outcome outcome;
  const json line = line_of("GET /healthz", outcome);
  for (const char* name : {"upstream_request_id", "key", "route", "ttfb_ms", "attempts", "phase",
                           "error", "detail", "cache", "cache_key"}) {
    EXPECT_FALSE(line.contains(name)) << name;
  }
  EXPECT_EQ(line["status"], 0);
}

TEST(AccessLine, SaysWhereAndWhyAnExchangeEndedBadly) {
  chain::Outcome outcome = complete();
  outcome.ended_by = chain::EndedBy::upstream;
  outcome.phase = chain::Phase::stream;
  outcome.error = Error{ErrorKind::upstream_broke, ErrorSource::upstream, false, "It said \"no\"."};
  const json line = line_of("GET /", outcome);
  EXPECT_EQ(line["ended_by"], "upstream");
  EXPECT_EQ(line["phase"], "stream");
  EXPECT_EQ(line["error"], "upstream_broke");
  EXPECT_EQ(line["detail"], "It said \"no\".");
}

TEST(AccessLine, WritesTimesAsMillisecondsWithThreeDigits) {
  struct Case {
    Clock::duration took;
    const char* text;
  };
  const Case cases[] = {
      {microseconds(0), "\"dur_ms\":0.000,"},
      {microseconds(7), "\"dur_ms\":0.007,"},
      {microseconds(70), "\"dur_ms\":0.070,"},
      {microseconds(999), "\"dur_ms\":0.999,"},
      {microseconds(1000), "\"dur_ms\":1.000,"},
      {microseconds(-5), "\"dur_ms\":0.000,"},
      {microseconds(3'600'000'001), "\"dur_ms\":3600000.001,"},
  };
  for (const Case& c : cases) {
    chain::Outcome outcome = complete();
    outcome.ended = outcome.started + c.took;
    TestExchange exchange("GET /");
    const std::string line = line_for(kTime, *exchange, outcome, {});
    EXPECT_NE(line.find(c.text), std::string::npos) << line;
  }
}

TEST(AccessLine, TellsWhatTheCacheDidWhereItHadAPart) {
  TestExchange exchange("POST /v1/chat/completions");
  EXPECT_FALSE(parse(line_for(kTime, *exchange, complete(), {})).contains("cache"));
  const std::pair<chain::CacheUse, const char*> uses[] = {{chain::CacheUse::hit, "hit"},
                                                          {chain::CacheUse::miss, "miss"},
                                                          {chain::CacheUse::bypass, "bypass"}};
  for (const auto& [use, text] : uses) {
    exchange->cache = use;
    EXPECT_EQ(parse(line_for(kTime, *exchange, complete(), {}))["cache"], text);
  }
}

TEST(AccessLine, NeverShowsSecretsOfTheRequest) {
  const std::string request =
      "GET /v1/x?key=sk-1&a=b&K%65y=sk-2&access_token=sk-3&api_key=sk-4&sig=sk-5\n"
      "Authorization: Bearer sk-6\nCookie: session=sk-7\nx-api-key: sk-8";
  TestExchange exchange(request);
  const std::string line = line_for(kTime, *exchange, complete(), {});
  EXPECT_EQ(line.find("sk-"), std::string::npos) << line;
  EXPECT_EQ(parse(line)["path"],
            "/v1/x?key=***&a=b&K%65y=***&access_token=***&api_key=***&sig=***");
}

TEST(AccessLine, KeepsAnEmptyQueryApartFromNone) {
  EXPECT_EQ(line_of("GET /a?", complete())["path"], "/a?");
  EXPECT_EQ(line_of("GET /a", complete())["path"], "/a");
}

TEST(AccessLine, IsOneLineOfJsonWhateverBytesItIsGiven) {
  std::string hostile = "\"}\n{\"forged\":true}\\\r\t\x01\x1F\x7F\xFF\xC3(\xED\xA0\x80\xE2\x80\xA8";
  hostile += '\0';
  TestExchange exchange("GET /");
  exchange->target.path = hostile;
  exchange->target.query = hostile;
  exchange->target.has_query = true;
  exchange->request.method = hostile;
  exchange->route.prefix = hostile;
  chain::Outcome outcome = complete();
  outcome.error = Error{ErrorKind::internal, ErrorSource::aifd, false, hostile};
  const std::string line = line_for(kTime, *exchange, outcome, AnswerHead{hostile, {}});
  const json parsed = parse(line);
  EXPECT_FALSE(parsed.contains("forged"));
  EXPECT_EQ(parsed["status"], 200);
  EXPECT_EQ(line.find('\x01'), std::string::npos);
}

// The line that an exchange leaves behind, through the whole link.
json logged(const std::function<void(TestExchange&)>& happen) {
  std::string folder = (std::filesystem::temp_directory_path() / "aifd-XXXXXX").string();
  EXPECT_NE(::mkdtemp(folder.data()), nullptr);
  const std::string path = folder + "/access.log";
  {
    const auto writer = std::move(services::LineWriter::open(path)).value();
    const AccessLog link(*writer);
    TestExchange exchange("GET /v1/models");
    EXPECT_TRUE(test::passed(exchange.run(link)));
    happen(exchange);
    exchange.destroy();
  }
  std::string line;
  std::getline(std::ifstream(path), line);
  std::filesystem::remove_all(folder);
  return json::parse(line);
}

TEST(AccessLog, WritesTheLineWhenTheExchangeEnds) {
  const json line = logged([](TestExchange& exchange) {
    protocol::ResponseHead head;
    head.fields.add("Request-Id", "of anthropic");
    exchange->show_head(head);
    exchange->progress.status = 200;
    exchange->finish(chain::EndedBy::complete);
  });
  EXPECT_EQ(line["upstream_request_id"], "of anthropic");
  EXPECT_EQ(line["status"], 200);
  EXPECT_EQ(line["ended_by"], "complete");
  // RFC 3339 with milliseconds and an offset.
  EXPECT_TRUE(line["ts"].get<std::string>().size() == 29) << line["ts"];
  EXPECT_EQ(line["ts"].get<std::string>()[19], '.');
  EXPECT_EQ(line["ts"].get<std::string>()[26], ':');
}

TEST(AccessLog, WritesALineForAnExchangeThatNobodyFinished) {
  const json line = logged([](TestExchange&) {});
  EXPECT_EQ(line["ended_by"], "aifd");
  EXPECT_EQ(line["error"], "internal");
}

}  // namespace
}  // namespace aifd::middleware
