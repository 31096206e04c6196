#include "aifd/middleware/access_log.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <ctime>

#include "aifd/protocol/dialect.hpp"
#include "aifd/protocol/target.hpp"

namespace aifd::middleware {

using chain::Exchange;
using chain::Outcome;

namespace {

// RFC 3339 with milliseconds. localtime_r and strftime are asked once a second and thread.
std::string now_text() {
  const auto now = std::chrono::system_clock::now();
  const auto since = now.time_since_epoch();
  const auto second = std::chrono::duration_cast<std::chrono::seconds>(since);
  thread_local std::time_t cached = -1;
  thread_local std::string date;
  thread_local std::string zone;
  if (cached != second.count()) {
    cached = second.count();
    std::tm local{};
    ::localtime_r(&cached, &local);
    std::array<char, 32> text{};
    date.assign(text.data(), std::strftime(text.data(), text.size(), "%FT%T.", &local));
    zone.assign(text.data(), std::strftime(text.data(), text.size(), "%z", &local));
    zone.insert(3, ":");
  }
  const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(since - second).count();
  return date + std::to_string(1000 + millis).substr(1) + zone;
}

class Line {
 public:
  explicit Line(std::string_view time) {
    text_.reserve(512);
    text_ += R"({"ts":")";
    text_ += time;
    text_ += R"(","level":"info","msg":"request")";
  }

  void text(std::string_view name, std::string_view value) {
    key(name);
    text_ += '"';
    protocol::append_json_escaped(text_, value);
    text_ += '"';
  }

  void text_if(std::string_view name, std::string_view value) {
    if (!value.empty()) text(name, value);
  }

  void number(std::string_view name, std::uint64_t value) {
    key(name);
    digits(value);
  }

  // Milliseconds with microseconds behind the point.
  void time(std::string_view name, Clock::duration value) {
    const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(value).count();
    const auto whole = static_cast<std::uint64_t>(std::max<std::int64_t>(micros, 0));
    key(name);
    digits(whole / 1000);
    const auto rest = static_cast<char>(whole % 1000 / 100);
    text_ += '.';
    text_ += static_cast<char>('0' + rest);
    text_ += static_cast<char>('0' + whole % 100 / 10);
    text_ += static_cast<char>('0' + whole % 10);
  }

  std::string end() && {
    text_ += "}\n";
    return std::move(text_);
  }

 private:
  void key(std::string_view name) {
    text_ += ",\"";
    text_ += name;
    text_ += "\":";
  }

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

std::string path_of(const Exchange& exchange) {
  std::string path = exchange.target.path;
  if (exchange.target.has_query) {
    path += '?';
    path += protocol::redact_query(exchange.target.query);
  }
  return path;
}

}  // namespace

std::string access_line(std::string_view time, const Exchange& exchange, const Outcome& outcome,
                        std::string_view upstream_request_id) {
  Line line(time);
  line.text("request_id", exchange.request_id);
  line.text_if("upstream_request_id", upstream_request_id);
  line.text("client_ip", exchange.client.address.to_string());
  line.text_if("key", exchange.key_alias);
  line.text_if("route", exchange.route.prefix);
  line.text("method", exchange.request.method);
  line.text("path", path_of(exchange));
  line.number("status", static_cast<std::uint64_t>(outcome.status));
  line.number("bytes_in", outcome.bytes_in);
  line.number("bytes_out", outcome.bytes_out);
  line.time("dur_ms", outcome.ended - outcome.started);
  if (outcome.head_received != Clock::time_point{}) {
    line.time("ttfb_ms", outcome.head_received - outcome.started);
  }
  if (outcome.attempts > 0) line.number("attempts", outcome.attempts);
  line.text("ended_by", to_string(outcome.ended_by));
  if (outcome.ended_by != chain::EndedBy::complete || outcome.error) {
    line.text("phase", to_string(outcome.phase));
  }
  if (outcome.error) {
    line.text("error", error_name(outcome.error->kind));
    line.text_if("detail", outcome.error->detail);
  }
  return std::move(line).end();
}

Task<Result<chain::Verdict>> AccessLog::on_request(Exchange& exchange) const {
  exchange.add_tap(std::make_unique<AccessTap>(exchange, writer_));
  co_return chain::Verdict{chain::Pass{}};
}

}  // namespace aifd::middleware
