// Ends what an exchange waits for when there is no use in waiting: the client has left, time is up.
#pragma once

#include <algorithm>
#include <boost/container/small_vector.hpp>
#include <optional>
#include <utility>

#include "aifd/base/error.hpp"

namespace aifd::chain {

// Something that waits and can be told to give up: its wait then ends with an error soon.
class Stoppable {
 public:
  Stoppable() = default;
  Stoppable(const Stoppable&) = delete;
  Stoppable& operator=(const Stoppable&) = delete;
  virtual ~Stoppable() = default;

  virtual void stop() noexcept = 0;
};

// One an exchange, on its loop's thread. The first reason counts.
class Stopper {
 public:
  Stopper() = default;
  Stopper(const Stopper&) = delete;
  Stopper& operator=(const Stopper&) = delete;

  void stop(Error why) noexcept {
    if (reason_) return;
    reason_ = std::move(why);
    for (std::size_t i = current_.size(); i > 0; --i) current_[i - 1]->stop();
  }

  bool stopped() const noexcept { return reason_.has_value(); }
  const std::optional<Error>& reason() const noexcept { return reason_; }

  // Registers a Stoppable for as long as it lives. One that comes too late is stopped at once.
  class Guard {
   public:
    Guard(Stopper& stopper, Stoppable& stoppable) : stopper_(stopper), stoppable_(stoppable) {
      stopper_.current_.push_back(&stoppable);
      if (stopper_.stopped()) stoppable.stop();
    }
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;
    ~Guard() {
      auto& current = stopper_.current_;
      current.erase(std::remove(current.begin(), current.end(), &stoppable_), current.end());
    }

   private:
    Stopper& stopper_;
    Stoppable& stoppable_;
  };

 private:
  boost::container::small_vector<Stoppable*, 4> current_;
  std::optional<Error> reason_;
};

}  // namespace aifd::chain
