#include "aifd/services/aside.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <stdexcept>
#include <vector>

#include "support/run_task.hpp"

namespace aifd::services {
namespace {

constexpr std::size_t kLarge = Aside::kSmall + 1;

// Where work was done, and where it came back to.
struct Places {
  std::thread::id work;
  std::thread::id after;
};

Task<Places> places_of(Aside& aside, std::size_t bytes) {
  const auto places = std::make_shared<Places>();
  Aside::Work work = [places] { places->work = std::this_thread::get_id(); };
  co_await aside.run(bytes, std::move(work));
  places->after = std::this_thread::get_id();
  co_return *places;
}

// Until nothing is left to wait for.
template <class T>
T finish(Task<T> task) {
  asio::io_context loop;
  test::Running<T> running(loop, std::move(task));
  loop.run();
  return running.take();
}

TEST(Aside, LargeWorkIsDoneOnAnotherThreadAndComesBack) {
  Aside aside;
  const Places places = finish(places_of(aside, kLarge));
  EXPECT_NE(places.work, std::this_thread::get_id());
  EXPECT_NE(places.work, std::thread::id());
  EXPECT_EQ(places.after, std::this_thread::get_id());
}

TEST(Aside, SmallWorkIsDoneAtOnce) {
  Aside aside;
  const Places places = test::run_task(places_of(aside, Aside::kSmall));
  EXPECT_EQ(places.work, std::this_thread::get_id());
}

TEST(Aside, WhatWorkThrowsIsThrownToWhoWaits) {
  Aside aside;
  for (const std::size_t bytes : {Aside::kSmall, kLarge}) {
    asio::io_context loop;
    test::Running<void> running(loop, aside.run(bytes, [] { throw std::runtime_error("no"); }));
    loop.run();
    EXPECT_THROW(running.take(), std::runtime_error) << bytes;
  }
}

TEST(Aside, ManyLoopsHaveTheirWorkDone) {
  Aside aside;
  constexpr int kEach = 200;
  std::vector<int> done(4);
  std::vector<std::thread> threads;
  for (int& count : done) {
    threads.emplace_back([&aside, &count] {
      asio::io_context loop;
      for (int i = 0; i < kEach; ++i) {
        asio::co_spawn(loop, aside.run(kLarge, [] {}),
                       [&count](const std::exception_ptr&) { ++count; });
      }
      loop.run();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(done, std::vector<int>(4, kEach));
}

// Holds the thread until it is let go.
class Gate {
 public:
  Aside::Work work() {
    return [state = state_] {
      std::unique_lock lock(state->mutex);
      state->opened.wait(lock, [&] { return state->open; });
    };
  }
  void open() {
    const std::scoped_lock lock(state_->mutex);
    state_->open = true;
    state_->opened.notify_all();
  }

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable opened;
    bool open = false;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

TEST(Aside, ALoopMayEndBeforeItsWork) {
  Aside aside;
  Gate gate;
  const auto owned = std::make_shared<int>(1);
  {
    asio::io_context loop;
    Aside::Work first = gate.work();
    test::Running<void> waits(loop, aside.run(kLarge, first));
    test::Running<void> queued(loop, aside.run(kLarge, [owned] { ++*owned; }));
    loop.poll();
    EXPECT_FALSE(waits.finished());
  }
  gate.open();
  EXPECT_NE(finish(places_of(aside, kLarge)).work, std::thread::id());
  EXPECT_EQ(*owned, 2);
}

TEST(Aside, WhatHasNotBegunIsDroppedAtItsEnd) {
  Gate gate;
  const auto owned = std::make_shared<int>(1);
  asio::io_context loop;
  {
    Aside aside;
    asio::co_spawn(loop, aside.run(kLarge, gate.work()), asio::detached);
    asio::co_spawn(loop, aside.run(kLarge, [owned] { ++*owned; }), asio::detached);
    loop.poll();
    std::thread opener([&gate] { gate.open(); });
    opener.join();
  }
  EXPECT_LE(*owned, 2);
}

}  // namespace
}  // namespace aifd::services
