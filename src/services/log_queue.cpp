#include "log_queue.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <utility>

namespace aifd::services {
namespace {

using namespace std::chrono_literals;

constexpr auto kGather = 50ms;               // how long jobs wait for company
constexpr std::size_t kEnough = 512 * 1024;  // then they do not wait
constexpr std::size_t kShareEnough = 8;      // nor when the queue is full to one part of so many
constexpr std::size_t kBytesPerExchange = 2048;
constexpr std::size_t kBytesPerPart = 512;
constexpr const char* kDraining = "aifd is shutting down, and its conversation log takes no more";
constexpr std::size_t kMoreRoom = 2;  // of the bound, for answers under way

}  // namespace

std::size_t LogJob::bytes() const noexcept {
  if (part) return kBytesPerPart + part->bytes.size();
  return kBytesPerExchange + exchange->start.body.size();
}

LogQueue::LogQueue(std::size_t most_bytes, bool waits)
    : most_bytes_(most_bytes),
      enough_(std::min(kEnough, most_bytes / kShareEnough)),
      waits_(waits) {}

LogQueue::Push LogQueue::push(LogJob& job) {
  return push(job, false);
}

LogQueue::Push LogQueue::push_always(LogJob& job) {
  return push(job, true);
}

LogQueue::Push LogQueue::push(LogJob& job, bool always) {
  const std::size_t bytes = job.bytes();
  bool wake = false;
  {
    const std::scoped_lock lock(mutex_);
    if (closed_) return Push::closed;
    if (!always && !takes(job)) return Push::full;
    wake = jobs_.empty() || (fresh_ < enough_ && fresh_ + bytes >= enough_);
    jobs_.push_back(std::move(job));
    fresh_ += bytes;
    bytes_ += bytes;
  }
  if (wake) wake_.notify_one();
  return Push::done;
}

// Who begins has waited for room; answers under way cannot wait, and find some more of it.
bool LogQueue::takes(const LogJob& job) const noexcept {
  if (!waits_) return !full();
  return !job.part || bytes_ + held_ < kMoreRoom * most_bytes_;
}

bool LogQueue::has_room() const {
  if (!waits_) return true;
  const std::scoped_lock lock(mutex_);
  return closed_ || !full();
}

Task<Result<void>> LogQueue::wait_for_room(chain::Stopper& stopper) {
  if (has_room()) co_return Result<void>{};
  const LoopExecutor loop = co_await asio::this_coro::executor;
  Sleeper sleeper(loop);
  for (;;) {
    const Door door = enter(sleeper.bell());
    if (door == Door::open) co_return Result<void>{};
    if (door == Door::shut)
      co_return Error{ErrorKind::draining, ErrorSource::aifd, false, kDraining};
    co_await sleeper.sleep(stopper);
    if (stopper.stopped()) {
      leave(sleeper.bell());
      co_return *stopper.reason();
    }
  }
}

LogQueue::Door LogQueue::enter(const std::shared_ptr<Bell>& bell) {
  const std::scoped_lock lock(mutex_);
  if (closed_ || !full()) return Door::open;
  if (draining_) return Door::shut;
  waiting_.push_back(bell);
  return Door::crowded;
}

void LogQueue::leave(const std::shared_ptr<Bell>& bell) {
  const std::scoped_lock lock(mutex_);
  std::erase(waiting_, bell);
}

LogQueue::Taken LogQueue::take(Clock::time_point until) {
  Taken taken;
  std::unique_lock lock(mutex_);
  wake_.wait_until(lock, until, [this] { return closed_ || reopen_ || !jobs_.empty(); });
  if (!jobs_.empty()) {
    wake_.wait_for(lock, kGather, [this] { return closed_ || reopen_ || fresh_ >= enough_; });
  }
  taken.jobs.swap(jobs_);
  fresh_ = 0;
  taken.reopen = std::exchange(reopen_, false);
  taken.closed = closed_;
  return taken;
}

// Those who wait are told when half of the queue is free: one by one they would come back in vain.
void LogQueue::release(std::size_t bytes, std::size_t held) {
  std::vector<std::shared_ptr<Bell>> ringing;
  {
    const std::scoped_lock lock(mutex_);
    bytes_ -= bytes;
    held_ = held;
    if (bytes_ + held_ <= most_bytes_ / 2) ringing.swap(waiting_);
  }
  for (std::shared_ptr<Bell>& bell : ringing) Bell::ring(std::move(bell));
}

void LogQueue::reopen() noexcept {
  {
    const std::scoped_lock lock(mutex_);
    reopen_ = true;
  }
  wake_.notify_one();
}

void LogQueue::drain() noexcept {
  std::vector<std::shared_ptr<Bell>> ringing;
  {
    const std::scoped_lock lock(mutex_);
    draining_ = true;
    ringing.swap(waiting_);
  }
  for (std::shared_ptr<Bell>& bell : ringing) Bell::ring(std::move(bell));
}

void LogQueue::close() noexcept {
  std::vector<std::shared_ptr<Bell>> ringing;
  {
    const std::scoped_lock lock(mutex_);
    closed_ = true;
    ringing.swap(waiting_);
  }
  wake_.notify_one();
  for (std::shared_ptr<Bell>& bell : ringing) Bell::ring(std::move(bell));
}

}  // namespace aifd::services
