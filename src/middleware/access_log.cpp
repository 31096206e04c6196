#include "aifd/middleware/access_log.hpp"

#include <span>

#include "aifd/base/hex.hpp"
#include "aifd/base/local_time.hpp"
#include "aifd/base/text_buffer.hpp"
#include "aifd/protocol/dialect.hpp"
#include "aifd/protocol/media_type.hpp"
#include "aifd/protocol/target.hpp"

namespace aifd::middleware {

using chain::Exchange;
using chain::Outcome;

namespace {

// Builds one line of JSON. `before` is all that stands before a value: R"(,"status":)", and of a
// text its first quote, too.
class Line {
 public:
  Line(TextBuffer& text, std::string_view time) : text_(text) {
    text_.text(R"({"ts":")", time, R"(","level":"info","msg":"request")");
  }

  // A text that needs no escaping.
  void plain(std::string_view before, std::string_view value) { text_.text(before, value, "\""); }

  void hex(std::string_view before, std::span<const unsigned char> value) {
    plain(before, aifd::hex(value));
  }

  void text(std::string_view before, std::string_view value) {
    text_.text(before);
    escaped(value);
    text_.text("\"");
  }

  void text_if(std::string_view before, std::string_view value) {
    if (!value.empty()) text(before, value);
  }

  void path(const protocol::Target& target) {
    text_.text(R"(,"path":")");
    escaped(target.path);
    if (target.has_query) {
      text_.text("?");
      escaped(protocol::redact_query(target.query));
    }
    text_.text("\"");
  }

  void number(std::string_view before, std::uint64_t value) {
    text_.text(before);
    text_.number(value);
  }

  void time(std::string_view before, Clock::duration value) {
    text_.text(before);
    text_.millis(value);
  }

  void flag(std::string_view before, bool value) {
    text_.text(before);
    text_.text(value ? "true" : "false");
  }

  std::string_view end() {
    text_.text("}\n");
    return text_.view();
  }

 private:
  void escaped(std::string_view value) {
    if (text_.text_unless(value, protocol::mark_json_escaped)) return;
    std::string made;
    protocol::append_json_escaped(made, value);
    text_.text(made);
  }

  TextBuffer& text_;
};

std::string_view model_of(Exchange& exchange) {
  constexpr std::size_t kMostBytes = std::size_t{1} << 20;
  constexpr std::size_t kMostShown = 200;
  const bool is_upload = protocol::is_binary(protocol::media_type(exchange.request.fields));
  if (is_upload || exchange.body.held().empty()) return {};
  return exchange.body.asked_model(kMostBytes).substr(0, kMostShown);
}

void add_tokens(Line& line, const Exchange& exchange) {
  const protocol::UsageScanner* counted = exchange.usage();
  const auto usage = counted == nullptr ? std::nullopt : counted->usage();
  if (!usage) return;
  line.number(R"(,"tokens_in":)", usage->input);
  line.number(R"(,"tokens_out":)", usage->output);
}

void add_end(Line& line, const Outcome& outcome) {
  line.plain(R"(,"ended_by":")", to_string(outcome.ended_by));
  if (outcome.ended_by != chain::EndedBy::complete || outcome.error) {
    line.plain(R"(,"phase":")", to_string(outcome.phase));
  }
  if (outcome.ended_by != chain::EndedBy::complete && !outcome.answered) {
    line.plain(
        R"(,"abort":")",
        std::string(to_string(outcome.ended_by)).append(1, '_').append(to_string(outcome.phase)));
  }
  if (outcome.drained != chain::Drained::no) {
    line.plain(R"(,"drained":")", to_string(outcome.drained));
    line.number(R"(,"bytes_drained":)", outcome.bytes_drained);
  }
  if (outcome.error) {
    line.plain(R"(,"error":")", error_name(outcome.error->kind));
    line.text_if(R"(,"detail":")", outcome.error->detail);
  }
}

class AccessTap final : public chain::Tap {
 public:
  AccessTap(Exchange& exchange, services::LineWriter& writer)
      : exchange_(exchange), writer_(writer) {}

  void on_head(protocol::ResponseHead& head) override {
    answer_.upstream_request_id = head.fields.get("x-request-id");
    if (answer_.upstream_request_id.empty()) {
      answer_.upstream_request_id = head.fields.get("request-id");
    }
    answer_.streams = protocol::is_stream(protocol::media_type(head.fields));
  }

  void on_done(const Outcome& outcome) noexcept override {
    TextBuffer text;
    writer_.add(access_line(text, timestamp_now(), exchange_, outcome, answer_));
  }

 private:
  Exchange& exchange_;
  services::LineWriter& writer_;
  AnswerHead answer_;
};

}  // namespace

std::string_view access_line(TextBuffer& text, std::string_view time, Exchange& exchange,
                             const Outcome& outcome, const AnswerHead& answer) {
  Line line(text, time);
  line.plain(R"(,"request_id":")", exchange.request_id);
  line.text_if(R"(,"upstream_request_id":")", answer.upstream_request_id);
  line.plain(R"(,"client_ip":")", exchange.client.address.to_string());
  line.text_if(R"(,"key":")", exchange.key_alias);
  line.text_if(R"(,"route":")", exchange.route.prefix);
  line.text(R"(,"method":")", exchange.request.method);
  line.path(exchange.target);
  line.text_if(R"(,"model":")", model_of(exchange));
  if (answer.streams) line.flag(R"(,"stream":)", *answer.streams);
  line.number(R"(,"status":)", static_cast<std::uint64_t>(outcome.status));
  line.number(R"(,"bytes_in":)", outcome.bytes_in);
  line.number(R"(,"bytes_out":)", outcome.bytes_out - outcome.bytes_drained);
  line.time(R"(,"dur_ms":)", outcome.ended - outcome.started);
  if (outcome.head_received != Clock::time_point{}) {
    line.time(R"(,"ttfb_ms":)", outcome.head_received - outcome.started);
  }
  if (outcome.upstream_time() != Clock::duration{0}) {
    line.time(R"(,"upstream_ms":)", outcome.upstream_time());
  }
  add_tokens(line, exchange);
  line.text_if(R"(,"cache":")", chain::to_string(exchange.cache));
  if (exchange.cache_key) line.hex(R"(,"cache_key":")", *exchange.cache_key);
  if (outcome.attempts > 0) line.number(R"(,"attempts":)", outcome.attempts);
  if (outcome.attempts > 1) line.number(R"(,"retries":)", outcome.attempts - 1);
  add_end(line, outcome);
  return line.end();
}

Result<chain::Verdict> AccessLog::decide(Exchange& exchange) const {
  exchange.count_usage();
  exchange.add_tap(std::make_unique<AccessTap>(exchange, writer_));
  return chain::Verdict{chain::Pass{}};
}

}  // namespace aifd::middleware
