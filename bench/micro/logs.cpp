#include <benchmark/benchmark.h>

#include <memory>

#include "aifd/middleware/access_log.hpp"
#include "aifd/protocol/conversation.hpp"
#include "aifd/services/redactor.hpp"
#include "operation.hpp"
#include "samples.hpp"
#include "support/test_exchange.hpp"

namespace aifd::bench {
namespace {

using benchmark::DoNotOptimize;
using protocol::ConversationApi;

protocol::RequestNote request_note() {
  protocol::RequestNote note;
  note.uid = "0123456789abcdef0123456789abcdef";
  note.ip = "192.0.2.7";
  note.datetime = "2026-11-22 21:32:35";
  note.route = "/";
  note.key = "0a1b2c3d";
  note.body_bytes = kRequestBody.size();
  return note;
}

protocol::AnswerNote answer_note() {
  protocol::AnswerNote note;
  note.uid = "0123456789abcdef0123456789abcdef";
  note.datetime = "2026-11-22 21:32:36";
  note.status = 200;
  note.ended_by = "complete";
  note.phase = "stream";
  note.first_byte = std::chrono::microseconds(412'345);
  note.duration = std::chrono::microseconds(1'412'345);
  note.attempts = 1;
  note.route = "/";
  note.upstream = "api.openai.com";
  note.key = "0a1b2c3d";
  note.request_bytes = kRequestBody.size();
  return note;
}

// What has room for them already, as it has between two records.
void record_request(LineBuffer& line, std::string_view body) {
  line.cut(0);
  protocol::append_request_record(line, ConversationApi::chat, request_note(), body);
}

void record_answer(LineBuffer& line, std::string_view content_type, std::string_view body) {
  line.cut(0);
  protocol::AnswerRecorder recorder(ConversationApi::chat, {});
  recorder.head(200, content_type, "");
  recorder.feed(std::string(body));
  recorder.append_record(line, answer_note());
}

auto record_requests(std::string body) {
  return [body = std::move(body), line = std::make_shared<LineBuffer>()] {
    record_request(*line, body);
    DoNotOptimize(line->view().data());
  };
}

auto record_answers(std::string_view content_type, std::string body) {
  return [content_type, body = std::move(body), line = std::make_shared<LineBuffer>()] {
    record_answer(*line, content_type, body);
    DoNotOptimize(line->view().data());
  };
}

auto redact(const std::vector<std::string>& patterns, const LineBuffer& line) {
  return
      [redactor = std::make_shared<services::Redactor>(patterns),
       secrets = std::vector{Secret("fk-abcdefghijklmnopqrstuvwxyz"),
                             Secret("sk-abcdefghijklmnopqrstuvwxyz")},
       record = std::string(line.view())] { DoNotOptimize(redactor->redacted(record, secrets)); };
}

auto redact_answer(const std::vector<std::string>& patterns, const std::string& answer) {
  LineBuffer line;
  record_answer(line, "application/json", answer);
  return redact(patterns, line);
}

auto redact_request(std::string_view body) {
  LineBuffer line;
  record_request(line, body);
  return redact({}, line);
}

// What most answers are: with line feeds.
std::string answer_of_lines() {
  std::string text;
  for (int line = 0; line < 20; ++line) text += std::string(70, 'c') + "\\n";
  return R"({"choices":[{"index":0,"message":{"content":")" + text + R"("}}]})";
}

std::function<void()> access_line() {
  const auto exchange = std::make_shared<test::TestExchange>("POST /v1/chat/completions");
  (*exchange)->route.prefix = "/";
  (*exchange)->key_alias = "0a1b2c3d";
  chain::Outcome outcome;
  outcome.status = 200;
  outcome.bytes_in = kRequestBody.size();
  outcome.bytes_out = 600;
  outcome.attempts = 1;
  outcome.started = Clock::time_point{std::chrono::hours(5)};
  outcome.asked = outcome.started + std::chrono::microseconds(60);
  outcome.head_received = outcome.started + std::chrono::microseconds(412'345);
  outcome.ended = outcome.started + std::chrono::microseconds(1'412'345);
  return [exchange, outcome] {
    TextBuffer text;
    DoNotOptimize(middleware::access_line(text, "2026-11-22T21:05:19.123+08:00", **exchange,
                                          outcome, {"req_0123456789abcdef", false}));
  };
}

}  // namespace

void add_log_operations(Operations& operations) {
  operations.push_back({"access log's line", access_line});
  operations.push_back({"record of a request of 113 bytes",
                        [] { return record_requests(std::string(kRequestBody)); }});
  operations.push_back(
      {"record of a request of 30 KB", [] { return record_requests(long_request_body()); }});
  operations.push_back({"record of a request of 100 KB in lines",
                        [] { return record_requests(document_request_body()); }});
  operations.push_back({"record of a request of 100 KB with many escapes",
                        [] { return record_requests(foreign_request_body()); }});
  operations.push_back({"record of an answer of 30 KB",
                        [] { return record_answers("application/json", long_answer_body()); }});
  operations.push_back({"record of an answer of 600 bytes",
                        [] { return record_answers("application/json", answer_body()); }});
  operations.push_back({"record of a stream of 100 events, by event",
                        [] { return record_answers("text/event-stream", stream()); }, kEvents});
  operations.push_back(
      {"redact a record, two keys", [] { return redact_answer({}, answer_body()); }});
  operations.push_back({"redact a record of 20 lines, two keys",
                        [] { return redact_answer({}, answer_of_lines()); }});
  operations.push_back({"redact a record of 100 KB in lines, two keys",
                        [] { return redact_request(document_request_body()); }});
  operations.push_back({"redact a record of 100 KB with many escapes, two keys",
                        [] { return redact_request(foreign_request_body()); }});
  operations.push_back({"redact a record, two keys and a pattern", [] {
                          return redact_answer({R"([\w.+-]+@[\w-]+\.[\w.]+)"}, answer_body());
                        }});
}

}  // namespace aifd::bench
