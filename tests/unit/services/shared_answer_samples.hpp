// A call and its readers for the tests of shared answers, each on a loop that the test runs.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "aifd/services/shared_answer.hpp"
#include "support/run_task.hpp"

namespace aifd::services {

inline Error broken_call() {
  return {ErrorKind::upstream_broke, ErrorSource::upstream, false, "It broke."};
}

inline Error client_left() {
  return {ErrorKind::client_gone, ErrorSource::client, false, "It left."};
}

inline protocol::ResponseHead answer_head(int status, std::string_view content_type) {
  protocol::ResponseHead head;
  head.status = status;
  head.reason = "Fine";
  head.fields.add("Content-Type", content_type);
  return head;
}

// Calls a sink as an upstream's call does, with no more than the test says.
class ScriptedCall {
 public:
  explicit ScriptedCall(std::shared_ptr<SharedAnswer> sink)
      : loop_(std::make_unique<asio::io_context>()), sink_(std::move(sink)) {}
  ~ScriptedCall() { room_.reset(); }
  ScriptedCall(const ScriptedCall&) = delete;
  ScriptedCall& operator=(const ScriptedCall&) = delete;

  void begin() { sink_->begin(loop_->get_executor(), stopper_, progress_); }
  void head(std::string_view content_type = "application/json", int status = 200) {
    sink_->head(answer_head(status, content_type), {protocol::BodyKind::chunked, 0}, {});
  }
  void begin_with_head() {
    begin();
    head();
  }
  bool piece(std::string_view bytes) { return sink_->piece(bytes); }
  void end(const Result<void>& result = Result<void>()) { sink_->end(result, {}); }

  // Waits in its own time: see has_room().
  void wait_for_room() {
    room_ = std::make_unique<test::Running<Result<void>>>(*loop_, sink_->wait_for_room());
  }
  bool has_room() {
    poll();
    return room_->finished();
  }
  Result<void> room() { return room_->take(); }

  void poll() {
    loop_->restart();
    loop_->poll();
  }
  bool stopped() {
    poll();
    return stopper_.stopped();
  }
  chain::Stopper& stopper() noexcept { return stopper_; }
  chain::Outcome& progress() noexcept { return progress_; }
  // With all that waits on it, as a worker's that ends.
  void destroy_loop() { loop_.reset(); }

 private:
  std::unique_ptr<asio::io_context> loop_;
  chain::Stopper stopper_;
  chain::Outcome progress_;
  std::unique_ptr<test::Running<Result<void>>> room_;
  std::shared_ptr<SharedAnswer> sink_;
};

// A reader on a loop of its own.
class TestReader {
 public:
  explicit TestReader(SharedAnswer& answer)
      : loop_(std::make_unique<asio::io_context>()),
        reader_(answer.read(loop_->get_executor(), stopper_)) {}
  ~TestReader() { leave(); }
  TestReader(const TestReader&) = delete;
  TestReader& operator=(const TestReader&) = delete;

  explicit operator bool() const noexcept { return reader_ != nullptr; }
  AnswerReader& operator*() noexcept { return *reader_; }
  AnswerReader* operator->() noexcept { return reader_.get(); }
  asio::io_context& loop() noexcept { return *loop_; }

  Result<const SharedHead*> head() { return run(reader_->head()); }
  Result<CacheEntryPtr> whole() { return run(reader_->whole()); }
  Result<chain::Piece> next() { return run(reader_->next()); }

  // One that waits until the test goes on.
  template <class T>
  std::unique_ptr<test::Running<T>> start(Task<T> task) {
    auto running = std::make_unique<test::Running<T>>(*loop_, std::move(task));
    poll();
    return running;
  }
  std::size_t poll() {
    loop_->restart();
    return loop_->poll();
  }
  void stop() { stopper_.stop(client_left()); }
  void leave() { reader_.reset(); }

  // All that is to be had at once.
  std::string drain() {
    std::string bytes;
    while (auto piece = reader_->try_next()) {
      if (!*piece) break;
      bytes += (*piece)->bytes;
      if ((*piece)->last) break;
    }
    return bytes;
  }

 private:
  template <class T>
  T run(Task<T> task) {
    return test::run_task(*loop_, std::move(task));
  }

  std::unique_ptr<asio::io_context> loop_;
  chain::Stopper stopper_;
  std::unique_ptr<AnswerReader> reader_;
};

inline std::shared_ptr<SharedAnswer> shared_answer(SharedAnswer::Options options) {
  return std::make_shared<SharedAnswer>(std::move(options));
}

inline std::shared_ptr<SharedAnswer> shared_answer(std::size_t max_bytes = 1 << 20) {
  SharedAnswer::Options options;
  options.max_bytes = max_bytes;
  return shared_answer(std::move(options));
}

}  // namespace aifd::services
