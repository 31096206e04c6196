// An exchange made from the text of a request, without a connection.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "aifd/chain/middleware.hpp"
#include "protocol/plain_head.hpp"
#include "support/run_task.hpp"
#include "support/scripted_body.hpp"

namespace aifd::test {

inline IpAddress ip(std::string_view text) {
  return parse_ip_address(text).value();
}

class TestExchange {
 public:
  // `first_lines`: "POST /v1/models" and fields, one a line; HTTP/1.1 and Host are added.
  explicit TestExchange(const std::string& first_lines, std::string body = {})
      : TestExchange(first_lines, one_piece(std::move(body)), 0) {}

  TestExchange(const std::string& first_lines, std::vector<ScriptedBody::Step> steps)
      : TestExchange(first_lines, std::move(steps), 0) {}

  chain::Exchange& operator*() noexcept { return *exchange_; }
  chain::Exchange* operator->() noexcept { return &*exchange_; }
  ScriptedBody& source() noexcept { return source_; }

  // As a session that ends without a word: the exchange is destroyed.
  void destroy() { exchange_.reset(); }

  Result<chain::Verdict> run(const chain::Middleware& link) {
    return run_task(link.on_request(*exchange_));
  }

 private:
  TestExchange(const std::string& first_lines, std::vector<ScriptedBody::Step> steps, int)
      : text_(head_text(first_lines, steps)), source_(std::move(steps)) {
    protocol::RequestHead head = protocol::read_request(text_);
    const protocol::RequestFraming framing = protocol::check_request(head).value();
    protocol::Target target = protocol::parse_target(head.target).value();
    const chain::Client client{ip("192.0.2.7"), ip("192.0.2.7"), false};
    exchange_.emplace(std::move(head), framing, std::move(target), client, "req_1", source_,
                      Clock::time_point{});
  }

  static std::vector<ScriptedBody::Step> one_piece(std::string body) {
    if (body.empty()) return {};
    return {{std::move(body), true}};
  }

  static std::string head_text(const std::string& first_lines,
                               const std::vector<ScriptedBody::Step>& steps) {
    const std::size_t line_end = first_lines.find('\n');
    std::string text = first_lines.substr(0, line_end) + " HTTP/1.1\r\nHost: aifd.example\r\n";
    if (line_end != std::string::npos) {
      for (const char c : first_lines.substr(line_end + 1))
        text += c == '\n' ? "\r\n" : std::string(1, c);
      text += "\r\n";
    }
    std::size_t length = 0;
    for (const auto& step : steps) length += step.bytes.size();
    if (!steps.empty()) text += "Content-Length: " + std::to_string(length) + "\r\n";
    return text + "\r\n";
  }

  std::string text_;
  ScriptedBody source_;
  std::optional<chain::Exchange> exchange_;
};

inline bool passed(const Result<chain::Verdict>& verdict) {
  return verdict && std::holds_alternative<chain::Pass>(*verdict);
}

inline bool refused_as(const Result<chain::Verdict>& verdict, ErrorKind kind) {
  return !verdict && verdict.error().kind == kind;
}

// The answer that a link gave; throws where it gave none.
inline chain::Reply& answer_of(Result<chain::Verdict>& verdict) {
  return std::get<chain::LocalReply>(verdict.value());
}

inline std::string body_of(chain::Reply& reply) {
  return reply.body ? read_all(*reply.body).bytes : std::string();
}

// Notes what it is told, into a journal that several taps share.
class RecordingTap final : public chain::Tap {
 public:
  RecordingTap(std::string name, std::vector<std::string>& journal,
               std::vector<Clock::time_point> not_before = {})
      : name_(std::move(name)), journal_(journal), not_before_(std::move(not_before)) {}

  void on_head(protocol::ResponseHead& head) override {
    journal_.push_back(name_ + " head " + std::to_string(head.status));
  }

  Clock::time_point on_chunk(std::string_view bytes) noexcept override {
    journal_.push_back(name_ + " chunk " + std::string(bytes));
    return chunks_ < not_before_.size() ? not_before_[chunks_++] : chain::kAtOnce;
  }

  void on_done(const chain::Outcome& outcome) noexcept override {
    journal_.push_back(name_ + " done " + std::string(to_string(outcome.ended_by)));
    if (outcome.error) journal_.back() += " " + std::string(error_name(outcome.error->kind));
  }

 private:
  std::string name_;
  std::vector<std::string>& journal_;
  std::vector<Clock::time_point> not_before_;
  std::size_t chunks_ = 0;
};

}  // namespace aifd::test
