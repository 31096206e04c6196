#include "aifd/services/flights.hpp"

#include <map>
#include <mutex>

namespace aifd::services {

Lead::~Lead() {
  if (!answer_) return;
  answer_->fail({ErrorKind::internal, ErrorSource::aifd, false,
                 "The request that was to bring this answer failed inside aifd."});
}

class Flights::Table : public std::enable_shared_from_this<Table> {
 public:
  struct Found {
    CacheKey key;
    std::shared_ptr<SharedAnswer> answer;
    bool is_new = false;
  };

  Found find_or_make(const CacheKey& key, std::span<const CacheKey> others, const Make& make) {
    const std::scoped_lock lock(mutex_);
    if (const auto here = find(key)) return {key, here, false};
    for (const CacheKey& other : others) {
      if (const auto here = find(other)) return {other, here, false};
    }
    auto answer = std::make_shared<SharedAnswer>(
        make(), [table = weak_from_this(), key](const SharedAnswer& closed) {
          if (const auto open = table.lock()) open->remove(key, closed);
        });
    answers_.emplace(key, answer);
    return {key, std::move(answer), true};
  }

  // Another may have taken its place.
  void remove(const CacheKey& key, const SharedAnswer& answer) {
    std::shared_ptr<SharedAnswer> removed;  // goes once the mutex is free
    const std::scoped_lock lock(mutex_);
    const auto found = answers_.find(key);
    if (found == answers_.end() || found->second.get() != &answer) return;
    removed = std::move(found->second);
    answers_.erase(found);
  }

  std::size_t size() const {
    const std::scoped_lock lock(mutex_);
    return answers_.size();
  }

 private:
  std::shared_ptr<SharedAnswer> find(const CacheKey& key) const {
    const auto found = answers_.find(key);
    return found == answers_.end() ? nullptr : found->second;
  }

  mutable std::mutex mutex_;
  std::map<CacheKey, std::shared_ptr<SharedAnswer>> answers_;
};

Flights::Flights() : table_(std::make_shared<Table>()) {}

// One that was found may close before it is boarded.
Flights::Boarding Flights::board(const CacheKey& key, LoopExecutor loop, chain::Stopper& stopper,
                                 const Make& make, std::span<const CacheKey> others) {
  for (;;) {
    const Table::Found found = table_->find_or_make(key, others, make);
    if (auto reader = found.answer->read(loop, stopper)) {
      return {std::move(reader), found.is_new ? Lead(found.answer) : Lead()};
    }
    table_->remove(found.key, *found.answer);
  }
}

std::size_t Flights::size() const {
  return table_->size();
}

}  // namespace aifd::services
