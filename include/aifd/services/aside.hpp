// Work that would hold an event loop for too long, done on a thread of its own.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "aifd/chain/task.hpp"

namespace aifd::services {

// Used from any loop. One thread, begun with the first work, does one after the other: each belongs
// to a request that waits for it, so that there are no more than requests. Goes after the loops
// have ended: what has not begun by then is dropped.
class Aside {
 public:
  // Owns all it touches, since its caller's frame may go before it when the loop ends.
  using Work = std::function<void()>;

  // Work on as many bytes takes a loop about a millisecond, as much as the way here and back.
  static constexpr std::size_t kSmall = std::size_t{256} * 1024;

  Aside() = default;
  Aside(const Aside&) = delete;
  Aside& operator=(const Aside&) = delete;
  ~Aside();

  // Resumes on the caller's loop when the work is done, and not before; throws what it threw. Work
  // on no more than kSmall bytes is done here, at once.
  Task<void> run(std::size_t bytes, Work work);

 private:
  struct Job;

  void add(std::shared_ptr<Job> job);
  void serve();

  std::mutex mutex_;  // of all below
  std::condition_variable wake_;
  std::deque<std::shared_ptr<Job>> jobs_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace aifd::services
