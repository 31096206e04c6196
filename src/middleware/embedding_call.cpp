#include "embedding_call.hpp"

#include "aifd/base/log.hpp"
#include "aifd/chain/faults.hpp"
#include "kept_head.hpp"

namespace aifd::middleware {
namespace {

using chain::DetachedExchange;
using services::SharedHead;

constexpr int kOk = 200;

chain::Outcome progress_of(const SharedHead& shared) {
  chain::Outcome progress;
  progress.attempts = shared.attempts;
  progress.head_received = shared.head_received;
  return progress;
}

void describe_other_bytes(SharedHead& head) {
  std::erase_if(head.fields,
                [](const services::CacheField& field) { return is_of_bytes(field.name); });
  head.fields.push_back({"Content-Type", "application/json"});
}

}  // namespace

EmbeddingCall::EmbeddingCall(const chain::Exchange& exchange, std::shared_ptr<EmbeddingBatch> batch,
                             EmbeddingBatch::Inputs inputs,
                             std::shared_ptr<services::SharedAnswer> answer,
                             const Surroundings& surroundings)
    : use_(surroundings),
      batch_(std::move(batch)),
      answer_(std::move(answer)),
      inputs_(std::move(inputs)) {
  auto all = std::make_unique<DetachedExchange>(exchange);
  if (is_for_all()) {
    next_ = std::move(all);
    return;
  }
  const std::string body = batch_->body_with(exchange.body.held(), inputs_);
  next_ = std::make_unique<DetachedExchange>(exchange, body);
  all_ = std::move(all);
}

void EmbeddingCall::start() {
  use_.calls.start(std::move(next_), shared_from_this());
}

void EmbeddingCall::begin(LoopExecutor loop, chain::Stopper& stopper,
                          const chain::Outcome& /*progress*/) {
  to_call_.emplace(stopper_, stopper);
  from_call_.emplace(stopper, stopper_);
  if (std::exchange(begun_, true)) return;
  progress_.phase = chain::Phase::wait_head;
  answer_->begin(loop, stopper_, progress_);
}

void EmbeddingCall::head(const protocol::ResponseHead& head, const protocol::BodyFraming& framing,
                         const chain::Outcome& progress) {
  if (head.status == kOk && kept_head(head, true, use_.time_to_live)) {
    does_ = Does::collect;
    head_ = services::shared_head(head, framing, progress);
    return;
  }
  does_ = head.status == kOk && !is_for_all() ? Does::drop : Does::pass_on;
  if (does_ == Does::pass_on) answer_->head(head, framing, progress);
}

bool EmbeddingCall::piece(std::string_view bytes) {
  if (does_ == Does::drop) return true;
  if (does_ == Does::pass_on) return answer_->piece(bytes);
  if (bytes.size() > use_.max_bytes - text_.size()) return give_up_collecting(bytes);
  text_.append(bytes);
  return true;
}

// The answer is too long.
bool EmbeddingCall::give_up_collecting(std::string_view bytes) {
  const std::string text = std::exchange(text_, {}).append(bytes);
  if (!is_for_all()) {
    does_ = Does::drop;
    return true;
  }
  does_ = Does::pass_on;
  answer_->head(services::head_view(head_), head_.framing, progress_of(head_));
  return answer_->piece(text);
}

Task<Result<void>> EmbeddingCall::wait_for_room() {
  return answer_->wait_for_room();
}

void EmbeddingCall::end(const Result<void>& result, const chain::Outcome& progress) {
  const bool is_told = does_ == Does::pass_on || (does_ == Does::collect && !result);
  if (!is_told) return;
  answer_->end(result, progress);
  does_ = Does::pass_on;
}

// Before a second call begins, and before what this one links goes.
Task<void> EmbeddingCall::settle() {
  if (does_ == Does::collect) co_await take_apart();
  to_call_.reset();
  from_call_.reset();
  if (does_ == Does::collect) {
    finish();
  } else if (does_ == Does::drop) {
    call_for_all();
  }
}

Task<void> EmbeddingCall::take_apart() {
  services::Aside::Work work = [self = shared_from_this()] { self->make_reply(); };
  const std::size_t bytes = text_.size() + batch_->item_bytes();
  try {
    co_await use_.aside.run(bytes, std::move(work));
  } catch (const std::exception& fault) {
    log::error("an answer to a request for embeddings failed inside aifd: {}", fault.what());
    failed_ = true;
  }
}

void EmbeddingCall::make_reply() {
  const std::int64_t now = services::wall_clock_seconds();
  const bool is_taken = batch_->take(text_, inputs_, now, use_.time_to_live);
  if (is_taken) batch_->keep(inputs_, use_.store);
  if (is_for_all()) {
    reply_ = std::move(text_);
  } else if (is_taken) {
    std::string().swap(text_);  // it may be as large as what is made now
    reply_ = batch_->join(use_.max_bytes);
    describe_other_bytes(head_);
  }
}

void EmbeddingCall::finish() {
  if (failed_) {
    answer_->end(chain::failed_here(), {});
  } else if (reply_) {
    answer_->end_with(std::move(head_), *std::move(reply_));
  } else {
    call_for_all();
  }
}

void EmbeddingCall::call_for_all() {
  if (stopper_.stopped()) {
    answer_->end(*stopper_.reason(), {});
    return;
  }
  inputs_ = batch_->all();
  text_.clear();
  does_ = Does::pass_on;
  next_ = std::move(all_);
  start();
}

}  // namespace aifd::middleware
