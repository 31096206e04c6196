// Requests for embeddings, and an upstream that answers them, for tests without a socket.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "aifd/chain/upstream_calls.hpp"

namespace aifd::middleware {

using Json = nlohmann::json;

inline std::string embedding_request(const Json& input, const Json& more = Json::object()) {
  Json body{{"model", "m"}, {"input", input}};
  body.update(more);
  return body.dump();
}

// An answer to `inputs`, in which each is told by its length and first letter.
inline std::string embedding_answer(const std::vector<std::string>& inputs,
                                    const std::string& model = "m") {
  Json data = Json::array();
  for (const std::string& input : inputs) {
    data.push_back({{"object", "embedding"},
                    {"index", data.size()},
                    {"embedding", {static_cast<double>(input.size()), input.front() - 'a' + 0.5}}});
  }
  const std::size_t tokens = inputs.size() * 2;
  return Json{{"object", "list"},
              {"data", data},
              {"model", model},
              {"usage", {{"prompt_tokens", tokens}, {"total_tokens", tokens}}}}
      .dump();
}

// Notes each call, which the test then answers.
class FakeCalls final : public chain::UpstreamCalls {
 public:
  struct Call {
    std::unique_ptr<chain::DetachedExchange> exchange;
    std::shared_ptr<chain::AnswerSink> sink;
  };

  explicit FakeCalls(asio::io_context& loop) : loop_(loop) {}

  void start(std::unique_ptr<chain::DetachedExchange> exchange,
             std::shared_ptr<chain::AnswerSink> sink) override {
    bodies.emplace_back((*exchange)->body.held());
    if (bodies.back().empty()) bodies.back() = body_of(**exchange);
    calls.push_back({std::move(exchange), std::move(sink)});
    chain::Exchange& begun = **calls.back().exchange;
    calls.back().sink->begin(loop_.get_executor(), begun.stopper, begun.progress);
  }

  // Of the newest call.
  Json inputs() const { return Json::parse(bodies.back()).at("input"); }
  chain::Stopper& stopper() { return (*calls.back().exchange)->stopper; }

  void head(int status = 200, const protocol::Fields& fields = {}) {
    protocol::ResponseHead head;
    head.status = status;
    head.fields.add("Content-Type", "application/json");
    for (const protocol::Field& field : fields) head.fields.add(field.name, field.value);
    calls.back().sink->head(head, {protocol::BodyKind::chunked, 0}, {});
  }
  void piece(std::string_view bytes) { calls.back().sink->piece(bytes); }
  // Its exchange goes with it, as a real one does.
  void end(const Result<void>& result = Result<void>()) {
    const auto ended = std::make_shared<Call>(std::move(calls.back()));
    calls.pop_back();
    ended->sink->end(result, {});
    asio::co_spawn(loop_, ended->sink->settle(), [ended](const std::exception_ptr&) {});
    loop_.restart();
    loop_.poll();
  }
  void answer(std::string_view body, int status = 200, const protocol::Fields& fields = {}) {
    head(status, fields);
    piece(body);
    end();
  }

  std::vector<std::string> bodies;  // of all calls there were
  std::vector<Call> calls;          // that have not ended

 private:
  static std::string body_of(chain::Exchange& exchange) {
    const auto piece = exchange.body.try_next();
    return piece && *piece ? std::string((*piece)->bytes) : std::string();
  }

  asio::io_context& loop_;
};

}  // namespace aifd::middleware
