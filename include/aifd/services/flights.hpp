// The answers that are on their way, each shared by all who ask for the same.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>

#include "aifd/services/cache_key.hpp"
#include "aifd/services/shared_answer.hpp"

namespace aifd::services {

// The duty to bring an answer that others may wait for: where it is not brought before this goes,
// they all get an error. Empty where there is no such duty.
class Lead {
 public:
  Lead() = default;
  explicit Lead(std::shared_ptr<SharedAnswer> answer) : answer_(std::move(answer)) {}
  Lead(Lead&&) = default;
  Lead& operator=(Lead&&) = delete;
  ~Lead();

  explicit operator bool() const noexcept { return answer_ != nullptr; }
  // To supply() or fail(), or the sink of a call. Null where empty.
  const std::shared_ptr<SharedAnswer>& answer() const noexcept { return answer_; }

 private:
  std::shared_ptr<SharedAnswer> answer_;
};

// Shared by all workers, thread-safe. An answer is here from the first board() with its key until
// it takes no more readers: it has ended and been kept, it grew too large, all its readers left.
// Who boards then begins anew, so a leader looks into the store after it has boarded.
class Flights {
 public:
  struct Boarding {
    std::unique_ptr<AnswerReader> reader;  // never null
    Lead lead;                             // empty: another brings the answer
  };

  // How to make an answer that is not here; called at once, under a lock: only gathers.
  using Make = std::function<SharedAnswer::Options()>;

  Flights();

  // On the thread of `loop`; as SharedAnswer::read(). Where none with this key is here, one with
  // another of `others` does, the first in their order.
  Boarding board(const CacheKey& key, LoopExecutor loop, chain::Stopper& stopper, const Make& make,
                 std::span<const CacheKey> others = {});

  std::size_t size() const;

 private:
  class Table;

  const std::shared_ptr<Table> table_;
};

}  // namespace aifd::services
