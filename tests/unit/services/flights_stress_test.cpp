// Shared answers under real threads: readers join, leave and stop while their answers come.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <condition_variable>
#include <mutex>
#include <random>
#include <thread>

#include "aifd/services/flights.hpp"
#include "cache_samples.hpp"
#include "services/shared_answer_samples.hpp"

namespace aifd::services {
namespace {

using namespace std::chrono_literals;
using Random = std::minstd_rand;

// The bodies are known, so that each byte that is read can be checked.
class Body {
 public:
  explicit Body(unsigned key) : length_(key % 3 == 0 ? 300'000 : 2'000 * (key + 1)) {
    text_.resize(length_);
    for (std::size_t i = 0; i < length_; ++i)
      text_[i] = static_cast<char>((i * 31 + i / 251 + key));
  }
  const std::string& text() const noexcept { return text_; }

 private:
  std::size_t length_;
  std::string text_;
};

// An event loop on a thread of its own.
class Worker {
 public:
  Worker() : work_(loop_.get_executor()), thread_([this] { loop_.run(); }) {}
  ~Worker() { finish(); }
  void finish() {
    work_.reset();
    if (thread_.joinable()) thread_.join();
  }
  void abort() { loop_.stop(); }
  asio::io_context& loop() noexcept { return loop_; }

 private:
  asio::io_context loop_;
  asio::executor_work_guard<LoopExecutor> work_;
  std::thread thread_;
};

Task<void> yield() {
  co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable_t<LoopExecutor>());
}

Task<void> yield(std::size_t times) {
  for (std::size_t i = 0; i < times; ++i) co_await yield();
}

// What all threads share.
class Stress {
 public:
  static constexpr unsigned kKeys = 6;

  Stress() {
    for (unsigned key = 0; key < kKeys; ++key) bodies_.emplace_back(key);
  }

  // Coroutines of a test; all have ended when wait() returns true.
  void spawn(Worker& worker, Task<void> task) {
    ++running_;
    asio::co_spawn(worker.loop(), std::move(task), [this](const std::exception_ptr& thrown) {
      if (thrown) ++faults;
      const std::scoped_lock lock(mutex_);
      if (--running_ == 0) done_.notify_all();
    });
  }
  bool wait() {
    std::unique_lock lock(mutex_);
    return done_.wait_for(lock, 120s, [this] { return running_ == 0; });
  }

  SharedAnswer::Options options(unsigned key) {
    SharedAnswer::Options options;
    options.max_bytes = key % 3 == 0 ? 20'000 : 1'000'000;
    options.max_behind_bytes = 20'000;
    options.choose = [](const protocol::ResponseHead&) { return SharedAnswer::Keeping{}; };
    options.keep = [this, key](const CacheEntryPtr& entry) {
      ++kept;
      if (entry->body != bodies_[key].text()) ++wrong;
    };
    return options;
  }

  Task<void> call(Lead lead, unsigned key, Random random);
  // Does anything that a reader may do.
  Task<void> request(Worker& worker, unsigned key, Random random);
  // One of so many that come before their call begins.
  Task<void> request_of(Worker& worker, int requests);
  Task<void> read(AnswerReader& reader, unsigned key, std::size_t most_pieces, std::size_t pause);
  Task<void> read_whole(AnswerReader& reader, unsigned key);

  Flights flights;
  std::atomic<int> boarded{0}, calls{0}, kept{0}, wrong{0}, faults{0};
  // How the requests ended.
  std::atomic<int> wholes{0}, too_large{0}, cut{0}, stopped{0}, broken{0}, not_brought{0}, left{0};

 private:
  Task<Result<void>> send(SharedAnswer& sink, chain::Stopper& stopper, unsigned key, Random random);
  void count(const Error& error);

  std::vector<Body> bodies_;
  std::mutex mutex_;
  std::condition_variable done_;
  std::atomic<int> running_{0};
};

Task<Result<void>> Stress::send(SharedAnswer& sink, chain::Stopper& stopper, unsigned key,
                                Random random) {
  co_await yield(random() % 20);
  sink.head(answer_head(200, "text/event-stream"), {protocol::BodyKind::chunked, 0}, {});
  std::string_view rest = bodies_[key].text();
  const bool breaks = random() % 8 == 0;
  while (!rest.empty()) {
    if (stopper.stopped()) co_return *stopper.reason();
    if (breaks && random() % 30 == 0) co_return broken_call();
    const std::string piece(rest.substr(0, 1 + random() % 4000));
    rest.remove_prefix(piece.size());
    if (!sink.piece(piece)) {
      if (Result<void> room = co_await sink.wait_for_room(); !room) co_return room;
    }
    co_await yield(random() % 4);
  }
  co_return Result<void>();
}

Task<void> Stress::call(Lead lead, unsigned key, Random random) {
  ++calls;
  SharedAnswer& sink = *lead.answer();
  chain::Stopper stopper;
  const LoopExecutor loop = co_await asio::this_coro::executor;
  const chain::Outcome progress;
  sink.begin(loop, stopper, progress);
  const Result<void> result = co_await send(sink, stopper, key, random);
  sink.end(result, {});
}

void Stress::count(const Error& error) {
  if (error.detail == client_left().detail) {
    ++stopped;
  } else if (error.detail == broken_call().detail) {
    ++broken;
  } else {
    ++(error.kind == ErrorKind::client_timeout ? cut : not_brought);
  }
}

Task<void> Stress::read(AnswerReader& reader, unsigned key, std::size_t most_pieces,
                        std::size_t pause) {
  const std::string_view body = bodies_[key].text();
  std::size_t position = 0;
  for (std::size_t pieces = 0; pieces < most_pieces; ++pieces) {
    co_await yield(pause);
    auto piece = reader.try_next();
    if (!piece) piece = co_await reader.next();
    if (!*piece) co_return count(piece->error());
    const std::string_view bytes = (*piece)->bytes;
    if (body.substr(position, bytes.size()) != bytes) ++wrong;
    position += bytes.size();
    if ((*piece)->last) {
      ++wholes;
      if (position != body.size()) ++wrong;
      co_return;
    }
  }
  ++left;
}

Task<void> Stress::read_whole(AnswerReader& reader, unsigned key) {
  const Result<CacheEntryPtr> entry = co_await reader.whole();
  if (!entry) co_return count(entry.error());
  if (!*entry) {
    ++too_large;
    co_return;
  }
  ++wholes;
  if ((*entry)->body != bodies_[key].text()) ++wrong;
}

Task<void> stop_later(std::shared_ptr<chain::Stopper> stopper, std::size_t yields) {
  co_await yield(yields);
  stopper->stop(client_left());
}

Task<void> Stress::request(Worker& worker, unsigned key, Random random) {
  constexpr std::size_t kAll = 1'000'000;
  co_await yield(random() % 300);
  const auto stopper = std::make_shared<chain::Stopper>();
  auto boarding = flights.board(cache_key(key), worker.loop().get_executor(), *stopper,
                                [this, key] { return options(key); });
  if (boarding.lead && random() % 16 != 0) {
    spawn(worker, call(std::move(boarding.lead), key, Random(random())));
  } else {
    const Lead dropped = std::move(boarding.lead);
  }
  const std::unique_ptr<AnswerReader> reader = std::move(boarding.reader);
  switch (random() % 8) {
    case 0:
      co_return co_await read(*reader, key, random() % 20, 0);
    case 1:
      spawn(worker, stop_later(stopper, random() % 100));
      co_return co_await read(*reader, key, kAll, 0);
    case 2:
      spawn(worker, stop_later(stopper, random() % 100));
      co_return co_await read_whole(*reader, key);
    case 3:
      co_return co_await read_whole(*reader, key);
    case 4:
      co_await reader->head();
      ++left;
      co_return;
    case 5:
      co_return co_await read(*reader, key, kAll, random() % 100);
    default:
      co_return co_await read(*reader, key, kAll, 0);
  }
}

Task<void> Stress::request_of(Worker& worker, int requests) {
  constexpr unsigned kKey = 4;
  chain::Stopper stopper;
  auto boarding = flights.board(cache_key(kKey), worker.loop().get_executor(), stopper,
                                [this] { return options(kKey); });
  ++boarded;
  if (boarding.lead) {
    while (boarded < requests) co_await yield();
    spawn(worker, call(std::move(boarding.lead), kKey, Random(2)));
  }
  co_await read(*boarding.reader, kKey, bodies_[kKey].text().size(), 0);
}

TEST(FlightsStress, ReadersJoinLeaveAndStopAtRandomWhilePiecesCome) {
  constexpr int kRequests = 3000;
  Stress stress;
  std::array<Worker, 4> workers;
  Random random(1);
  for (int i = 0; i < kRequests; ++i) {
    Worker& worker = workers[random() % workers.size()];
    stress.spawn(worker, stress.request(worker, random() % Stress::kKeys, Random(random())));
  }
  const bool all_ended = stress.wait();
  for (Worker& worker : workers) all_ended ? worker.finish() : worker.abort();
  ASSERT_TRUE(all_ended) << "somebody waits for ever";
  EXPECT_EQ(stress.faults, 0);
  EXPECT_EQ(stress.wrong, 0);
  EXPECT_EQ(stress.flights.size(), 0U);
  EXPECT_EQ(stress.wholes + stress.cut + stress.stopped + stress.broken + stress.left +
                stress.not_brought + stress.too_large,
            kRequests);
  for (const auto* some : {&stress.wholes, &stress.stopped, &stress.broken, &stress.left,
                           &stress.not_brought, &stress.too_large, &stress.kept}) {
    EXPECT_GT(*some, 0);
  }
  RecordProperty("calls", stress.calls);
  RecordProperty("cut", stress.cut);
}

TEST(FlightsStress, AThousandEqualRequestsAreOneCall) {
  constexpr int kRequests = 1000;
  Stress stress;
  std::array<Worker, 4> workers;
  for (int i = 0; i < kRequests; ++i) {
    Worker& worker = workers[static_cast<std::size_t>(i) % workers.size()];
    stress.spawn(worker, stress.request_of(worker, kRequests));
  }
  const bool all_ended = stress.wait();
  for (Worker& worker : workers) all_ended ? worker.finish() : worker.abort();
  ASSERT_TRUE(all_ended) << "somebody waits for ever";
  EXPECT_EQ(stress.calls, 1);
  EXPECT_EQ(stress.wholes, kRequests);
  EXPECT_EQ(stress.wrong, 0);
  EXPECT_EQ(stress.kept, 1);
}

}  // namespace
}  // namespace aifd::services
