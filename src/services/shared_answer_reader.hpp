// One reader's side of a shared answer.
#pragma once

#include <list>
#include <memory>
#include <string>

#include "shared_answer_turn.hpp"

namespace aifd::services {

class SharedAnswer::Reader final : public AnswerReader {
 public:
  // With a seat of its own, which it gives back.
  Reader(std::shared_ptr<SharedAnswer> answer, LoopExecutor loop, chain::Stopper& stopper);
  ~Reader() override;

  // Takes its seat; false: there is none to be had.
  bool sit_down();

  Task<Result<const SharedHead*>> head() override;
  Task<Result<CacheEntryPtr>> whole() override;
  CallProgress progress() const override;
  std::optional<Result<chain::Piece>> try_next() override;
  Task<Result<chain::Piece>> next() override;
  bool ready() const noexcept override;

 private:
  // What there is, if anything, while it has its turn.
  std::optional<Result<const SharedHead*>> head_here(Turn& turn) const;
  std::optional<Result<CacheEntryPtr>> whole_here(Turn& turn);
  std::optional<Result<chain::Piece>> piece_here(Turn& turn);
  chain::Piece take_piece(Turn& turn);

  const std::shared_ptr<SharedAnswer> answer_;
  chain::Stopper& stopper_;
  Sleeper sleeper_;
  std::list<Seat> own_seat_;  // until it is among the answer's
  std::list<Seat>::iterator seat_;
  std::string piece_;
};

}  // namespace aifd::services
