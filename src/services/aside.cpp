#include "aifd/services/aside.hpp"

#include <atomic>
#include <boost/asio/this_coro.hpp>
#include <exception>
#include <utility>

#include "aifd/base/this_thread.hpp"
#include "sleeper.hpp"

namespace aifd::services {

struct Aside::Job {
  Job(Work what, std::shared_ptr<Bell> whose) : work(std::move(what)), bell(std::move(whose)) {}

  void run() noexcept {
    try {
      work();
    } catch (...) {
      thrown = std::current_exception();
    }
    work = nullptr;
    done = true;
    Bell::ring(std::move(bell));
  }

  Work work;
  std::shared_ptr<Bell> bell;
  std::exception_ptr thrown;
  std::atomic<bool> done{false};
};

Aside::~Aside() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

Task<void> Aside::run(std::size_t bytes, Work work) {
  if (bytes <= kSmall) {
    work();
    co_return;
  }
  const LoopExecutor loop = co_await asio::this_coro::executor;
  Sleeper sleeper(loop);
  chain::Stopper never;
  const auto job = std::make_shared<Job>(std::move(work), sleeper.bell());
  add(job);
  while (!job->done) co_await sleeper.sleep(never);
  if (job->thrown) std::rethrow_exception(job->thrown);
}

void Aside::add(std::shared_ptr<Job> job) {
  {
    const std::scoped_lock lock(mutex_);
    jobs_.push_back(std::move(job));
    if (!thread_.joinable()) thread_ = std::thread([this] { serve(); });
  }
  wake_.notify_one();
}

void Aside::serve() {
  name_this_thread("aifd-aside");
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (stopping_) return;
    const std::shared_ptr<Job> job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job->run();
    lock.lock();
  }
}

}  // namespace aifd::services
