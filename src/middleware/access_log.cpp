#include "aifd/middleware/access_log.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <ctime>
#include <span>

#include "aifd/base/hex.hpp"
#include "aifd/protocol/dialect.hpp"
#include "aifd/protocol/target.hpp"

namespace aifd::middleware {

using chain::Exchange;
using chain::Outcome;

namespace {

// RFC 3339 with milliseconds. localtime_r and strftime are asked once a second and thread.
std::string_view now_text() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  const auto second = std::chrono::duration_cast<std::chrono::seconds>(since);
  thread_local std::time_t cached = -1;
  thread_local std::string text;  // "2026-11-22T21:05:19.123+08:00"
  constexpr std::size_t kMillis = 20;
  if (cached != second.count()) {
    cached = second.count();
    std::tm local{};
    ::localtime_r(&cached, &local);
    std::array<char, 32> made{};
    text.assign(made.data(), std::strftime(made.data(), made.size(), "%FT%T.000%z", &local));
    text.insert(text.size() - 2, ":");
  }
  const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(since - second).count();
  text[kMillis] = static_cast<char>('0' + millis / 100);
  text[kMillis + 1] = static_cast<char>('0' + millis / 10 % 10);
  text[kMillis + 2] = static_cast<char>('0' + millis % 10);
  return text;
}

// Builds one line of JSON. `before` is all that stands before a value: R"(,"status":)".
class Line {
 public:
  explicit Line(std::string_view time) {
    text_.reserve(640);
    text_.append(R"({"ts":")").append(time).append(R"(","level":"info","msg":"request")");
  }

  // A value that needs no escaping, and brings no quotes.
  void plain(std::string_view before, std::string_view value) {
    text_.append(before).append(1, '"').append(value).append(1, '"');
  }

  void hex(std::string_view before, std::span<const unsigned char> value) {
    text_.append(before).append(1, '"');
    append_hex(text_, value);
    text_.append(1, '"');
  }

  void text(std::string_view before, std::string_view value) {
    text_.append(before).append(1, '"');
    protocol::append_json_escaped(text_, value);
    text_.append(1, '"');
  }

  void text_if(std::string_view before, std::string_view value) {
    if (!value.empty()) text(before, value);
  }

  void path(const protocol::Target& target) {
    text_.append(R"(,"path":")");
    protocol::append_json_escaped(text_, target.path);
    if (target.has_query) {
      text_.append(1, '?');
      protocol::append_json_escaped(text_, protocol::redact_query(target.query));
    }
    text_.append(1, '"');
  }

  void number(std::string_view before, std::uint64_t value) {
    text_.append(before);
    digits(value);
  }

  // Milliseconds with microseconds behind the point.
  void time(std::string_view before, Clock::duration value) {
    const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(value).count();
    const auto whole = static_cast<std::uint64_t>(std::max<std::int64_t>(micros, 0));
    text_.append(before);
    digits(whole / 1000);
    const std::array<char, 4> rest{'.', static_cast<char>('0' + whole % 1000 / 100),
                                   static_cast<char>('0' + whole % 100 / 10),
                                   static_cast<char>('0' + whole % 10)};
    text_.append(rest.data(), rest.size());
  }

  std::string end() && {
    text_ += "}\n";
    return std::move(text_);
  }

 private:
  void digits(std::uint64_t value) {
    std::array<char, 20> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
    text_.append(buffer.data(), end);
  }

  std::string text_;
};

class AccessTap final : public chain::Tap {
 public:
  AccessTap(const Exchange& exchange, services::LineWriter& writer)
      : exchange_(exchange), writer_(writer) {}

  void on_head(protocol::ResponseHead& head) override {
    upstream_request_id_ = head.fields.get("x-request-id");
    if (upstream_request_id_.empty()) upstream_request_id_ = head.fields.get("request-id");
  }

  void on_done(const Outcome& outcome) noexcept override {
    writer_.add(access_line(now_text(), exchange_, outcome, upstream_request_id_));
  }

 private:
  const Exchange& exchange_;
  services::LineWriter& writer_;
  std::string upstream_request_id_;
};

}  // namespace

std::string access_line(std::string_view time, const Exchange& exchange, const Outcome& outcome,
                        std::string_view upstream_request_id) {
  Line line(time);
  line.plain(R"(,"request_id":)", exchange.request_id);
  line.text_if(R"(,"upstream_request_id":)", upstream_request_id);
  line.plain(R"(,"client_ip":)", exchange.client.address.to_string());
  line.text_if(R"(,"key":)", exchange.key_alias);
  line.text_if(R"(,"route":)", exchange.route.prefix);
  line.text(R"(,"method":)", exchange.request.method);
  line.path(exchange.target);
  line.number(R"(,"status":)", static_cast<std::uint64_t>(outcome.status));
  line.number(R"(,"bytes_in":)", outcome.bytes_in);
  line.number(R"(,"bytes_out":)", outcome.bytes_out);
  line.time(R"(,"dur_ms":)", outcome.ended - outcome.started);
  if (outcome.head_received != Clock::time_point{}) {
    line.time(R"(,"ttfb_ms":)", outcome.head_received - outcome.started);
  }
  line.text_if(R"(,"cache":)", chain::to_string(exchange.cache));
  if (exchange.cache_key) line.hex(R"(,"cache_key":)", *exchange.cache_key);
  if (outcome.attempts > 0) line.number(R"(,"attempts":)", outcome.attempts);
  line.plain(R"(,"ended_by":)", to_string(outcome.ended_by));
  if (outcome.ended_by != chain::EndedBy::complete || outcome.error) {
    line.plain(R"(,"phase":)", to_string(outcome.phase));
  }
  if (outcome.error) {
    line.plain(R"(,"error":)", error_name(outcome.error->kind));
    line.text_if(R"(,"detail":)", outcome.error->detail);
  }
  return std::move(line).end();
}

Result<chain::Verdict> AccessLog::decide(Exchange& exchange) const {
  exchange.add_tap(std::make_unique<AccessTap>(exchange, writer_));
  return chain::Verdict{chain::Pass{}};
}

}  // namespace aifd::middleware
