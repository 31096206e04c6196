// A call for those of a batch's inputs that the cache does not have.
#pragma once

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <string>

#include "aifd/chain/upstream_calls.hpp"
#include "aifd/services/aside.hpp"
#include "aifd/services/shared_answer.hpp"
#include "embedding_batch.hpp"

namespace aifd::middleware {

// Takes the upstream's answer whole, keeps its items, and brings `answer`: what came, byte for
// byte, where all inputs went up, else what came joined with what was in the cache. Where that
// cannot be done it calls once more, for all. Any other status than 200 is passed on as it comes;
// so is an answer to all inputs that is longer than `max_bytes` or cannot be kept.
//
// On the loop of its calls, where it may outlive the exchange it was made from.
class EmbeddingCall final : public chain::AnswerSink,
                            public std::enable_shared_from_this<EmbeddingCall> {
 public:
  // These outlive it.
  struct Surroundings {
    chain::UpstreamCalls& calls;
    services::CacheStore& store;
    services::Aside& aside;
    std::chrono::seconds time_to_live;  // of what is kept; 0: for ever
    std::size_t max_bytes;              // of an answer, as it came and joined
  };

  // Made by std::make_shared. The batch is its own from now on; `inputs`: at least those that are
  // missing in it.
  EmbeddingCall(const chain::Exchange& exchange, std::shared_ptr<EmbeddingBatch> batch,
                EmbeddingBatch::Inputs inputs, std::shared_ptr<services::SharedAnswer> answer,
                const Surroundings& surroundings);

  // Once.
  void start();

  void begin(LoopExecutor loop, chain::Stopper& stopper, const chain::Outcome& progress) override;
  void head(const protocol::ResponseHead& head, const protocol::BodyFraming& framing,
            const chain::Outcome& progress) override;
  bool piece(std::string_view bytes) override;
  Task<Result<void>> wait_for_room() override;
  void end(const Result<void>& result, const chain::Outcome& progress) override;
  Task<void> settle() override;

 private:
  enum class Does { pass_on, collect, drop };

  // Stops one where the other stops.
  class StopLink final : private chain::Stoppable {
   public:
    StopLink(chain::Stopper& from, chain::Stopper& to)
        : from_(from), to_(to), guard_(from, *this) {}

   private:
    void stop() noexcept override { to_.stop(*from_.reason()); }

    chain::Stopper& from_;
    chain::Stopper& to_;
    const chain::Stopper::Guard guard_;
  };

  bool is_for_all() const noexcept { return batch_->is_all(inputs_); }
  bool give_up_collecting(std::string_view bytes);
  Task<void> take_apart();
  void make_reply();
  void finish();
  void call_for_all();

  const Surroundings use_;
  const std::shared_ptr<EmbeddingBatch> batch_;
  const std::shared_ptr<services::SharedAnswer> answer_;
  std::unique_ptr<chain::DetachedExchange> next_;  // of the call that is to begin
  std::unique_ptr<chain::DetachedExchange> all_;   // for all inputs; null: that is the first

  bool begun_ = false;
  // What ends the calls; lasts from one to the other.
  chain::Stopper stopper_;
  chain::Outcome progress_;  // of the one or two calls together, as far as the answer is to know
  std::optional<StopLink> to_call_;
  std::optional<StopLink> from_call_;

  // Of the call that runs or has just ended.
  EmbeddingBatch::Inputs inputs_;
  Does does_ = Does::pass_on;
  services::SharedHead head_;
  std::string text_;
  std::optional<std::string> reply_;  // nullopt: there is none in what came
  bool failed_ = false;               // inside aifd
};

}  // namespace aifd::middleware
