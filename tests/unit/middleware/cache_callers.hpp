// Callers of the cache link on one loop, and an upstream that answers when the test says so.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "aifd/chain/upstream_calls.hpp"
#include "aifd/middleware/cache.hpp"
#include "aifd/services/memory_store.hpp"
#include "support/test_exchange.hpp"

namespace aifd::middleware {

// One call to the upstream, as it went up.
class ScriptedCall {
 public:
  ScriptedCall(std::unique_ptr<chain::DetachedExchange> exchange,
               std::shared_ptr<chain::AnswerSink> sink)
      : exchange_(std::move(exchange)), sink_(std::move(sink)) {}

  chain::Exchange& operator*() { return **exchange_; }
  chain::Exchange* operator->() { return &**exchange_; }
  bool stopped() { return (*exchange_)->stopper.stopped(); }

  std::string body() { return test::read_all((*exchange_)->body).bytes; }

  // `fields` may hold a Content-Type.
  void head(std::vector<services::CacheField> fields, int status = 200) {
    protocol::ResponseHead head;
    head.status = status;
    head.reason = "Said by the upstream";
    for (const auto& field : fields) head.fields.add(field.name, field.value);
    progress_.attempts = 2;
    progress_.phase = chain::Phase::stream;
    progress_.head_received = Clock::time_point(std::chrono::seconds(5));
    sink_->head(head, {protocol::BodyKind::chunked, 0}, progress_);
  }
  void piece(std::string_view bytes) { sink_->piece(bytes); }
  void end(const Result<void>& result = Result<void>()) {
    sink_->end(result, progress_);
    sink_.reset();
  }

  void answer(std::string_view body, std::vector<services::CacheField> fields = {},
              int status = 200) {
    fields.push_back({"Content-Type", "application/json"});
    head(std::move(fields), status);
    piece(body);
    end();
  }
  void stream(const std::vector<std::string>& pieces,
              std::vector<services::CacheField> fields = {}) {
    fields.push_back({"Content-Type", "text/event-stream"});
    head(std::move(fields));
    for (const std::string& bytes : pieces) piece(bytes);
    end();
  }

 private:
  std::unique_ptr<chain::DetachedExchange> exchange_;
  std::shared_ptr<chain::AnswerSink> sink_;
  chain::Outcome progress_;
};

class ScriptedCalls final : public chain::UpstreamCalls {
 public:
  explicit ScriptedCalls(asio::io_context& loop) : loop_(loop) {}

  void start(std::unique_ptr<chain::DetachedExchange> exchange,
             std::shared_ptr<chain::AnswerSink> sink) override {
    chain::Stopper& stopper = (*exchange)->stopper;
    const chain::Outcome& progress = (*exchange)->progress;
    calls_.push_back(std::make_unique<ScriptedCall>(std::move(exchange), sink));
    sink->begin(loop_.get_executor(), stopper, progress);
  }

  std::size_t size() const { return calls_.size(); }
  ScriptedCall& operator[](std::size_t index) { return *calls_.at(index); }

 private:
  asio::io_context& loop_;
  std::vector<std::unique_ptr<ScriptedCall>> calls_;
};

// What all callers of a test share. It goes last.
struct CacheWorld {
  CacheWorld() { settings.cache.openai = true; }

  Cache& link() {
    if (!cache) cache = std::make_unique<Cache>(settings, *store, flights, aside);
    return *cache;
  }
  void poll() {
    loop.restart();
    loop.poll();
  }

  asio::io_context loop;
  config::Settings settings;  // before the first caller
  std::int64_t now = services::wall_clock_seconds();
  std::unique_ptr<services::CacheStore> store = std::make_unique<services::MemoryStore>(
      services::MemoryStore::Limits{}, [this] { return now; });
  services::Flights flights;
  services::Aside aside;
  ScriptedCalls calls{loop};
  std::unique_ptr<Cache> cache;
};

// One request to the link and its answer, as its session would take it.
class Caller {
 public:
  // `lines` and `body` as those of test::TestExchange; sent up at once.
  Caller(CacheWorld& world, const std::string& lines, std::string body, bool openai = true)
      : Caller(world, lines, std::move(body), openai, [](chain::Exchange&) {}) {}

  template <class Prepare>
  Caller(CacheWorld& world, const std::string& lines, std::string body, bool openai,
         Prepare prepare)
      : world_(world), exchange_(lines, std::move(body)) {
    exchange_->route = {"/", exchange_->target.path, openai};
    exchange_->destination.server.authority = "up.example";
    exchange_->calls = &world.calls;
    prepare(*exchange_);
    running_ = std::make_unique<test::Running<Result<chain::Verdict>>>(
        world.loop, world.link().on_request(*exchange_));
    world.poll();
  }
  ~Caller() { leave(); }
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;

  chain::Exchange& operator*() { return *exchange_; }
  chain::Exchange* operator->() { return &*exchange_; }

  bool answered() {
    world_.poll();
    return running_->finished();
  }
  bool passed() { return answered() && test::passed(verdict()); }
  ErrorKind refused() { return verdict().error().kind; }
  std::string refusal() { return verdict().error().detail; }

  // Of its answer. Text is read as far as there is an end; "(broken)" behind it where it broke.
  int status() { return reply().head.status; }
  std::string field(std::string_view name) { return std::string(head().fields.get(name)); }
  bool has(std::string_view name) { return head().fields.contains(name); }
  std::string cache() { return std::string(chain::to_string(exchange_->cache)); }
  const std::string& text() {
    if (!text_) {
      const test::WholeBody read = test::run_task(world_.loop, test::read_pieces(*reply().body));
      text_ = read.whole ? read.bytes : read.bytes + "(broken)";
    }
    return *text_;
  }
  // What there is of it now.
  std::string bytes_here() {
    world_.poll();
    const auto piece = reply().body->try_next();
    return piece && *piece ? std::string((*piece)->bytes) : std::string();
  }
  chain::Reply& reply() { return test::answer_of(verdict()); }

  // The client closes its connection.
  void leave() {
    exchange_->stopper.stop({ErrorKind::client_gone, ErrorSource::client, false, "It left."});
    world_.poll();
    verdict_.reset();
    if (running_ && running_->finished()) running_.reset();
    world_.poll();
  }

 private:
  Result<chain::Verdict>& verdict() {
    world_.poll();
    if (!verdict_) verdict_ = running_->take();
    return *verdict_;
  }
  // As the taps leave it.
  protocol::ResponseHead& head() {
    chain::Reply& answer = reply();
    if (!std::exchange(shown_, true)) {
      for (const auto& tap : exchange_->taps()) tap->on_head(answer.head);
    }
    return answer.head;
  }

  CacheWorld& world_;
  test::TestExchange exchange_;
  std::unique_ptr<test::Running<Result<chain::Verdict>>> running_;
  std::optional<Result<chain::Verdict>> verdict_;
  std::optional<std::string> text_;
  bool shown_ = false;
};

inline const std::string kChatPost = "POST /v1/chat/completions\nContent-Type: application/json";

// A body of the same question. `more` are further members: R"(,"stream":true)".
inline std::string ask(const std::string& more = {}) {
  return R"({"model":"m","messages":[],"caching":true)" + more + "}";
}

inline std::string ask_stream(bool with_usage = false) {
  return ask(with_usage ? R"(,"stream":true,"stream_options":{"include_usage":true})"
                        : R"(,"stream":true)");
}

inline const std::string kJsonAnswer =
    R"({"id":"c1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,)"
    R"("message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}],)"
    R"("usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}})";

inline std::string chunk(const std::string& rest) {
  return R"(data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m",)" + rest +
         "}\n\n";
}

// The same answer as a stream, in pieces.
inline std::vector<std::string> stream_answer(bool with_usage = false) {
  std::vector<std::string> pieces{
      chunk(R"("choices":[{"index":0,"delta":{"role":"assistant","content":"Hel"},)"
            R"("finish_reason":null}])"),
      chunk(R"("choices":[{"index":0,"delta":{"content":"lo"},"finish_reason":null}])"),
      chunk(R"("choices":[{"index":0,"delta":{},"finish_reason":"stop"}])")};
  if (with_usage) {
    pieces.push_back(chunk(
        R"("choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3})"));
  }
  pieces.emplace_back("data: [DONE]\n\n");
  return pieces;
}

inline std::string joined(const std::vector<std::string>& pieces) {
  std::string text;
  for (const std::string& piece : pieces) text += piece;
  return text;
}

}  // namespace aifd::middleware
