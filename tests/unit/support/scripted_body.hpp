// A body that comes as a test says: piece by piece, late, or broken.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aifd/chain/body_source.hpp"
#include "support/run_task.hpp"

namespace aifd::test {

class ScriptedBody final : public chain::BodySource {
 public:
  struct Step {
    std::string bytes;
    bool last = false;
    bool late = false;  // ready() is false before it
    bool broken = false;
  };

  ScriptedBody() = default;
  explicit ScriptedBody(std::vector<Step> steps) : steps_(std::move(steps)) {}

  static Error broken() {
    return {ErrorKind::upstream_broke, ErrorSource::upstream, false, "It broke."};
  }

  Task<Result<chain::Piece>> next() override {
    if (reads_ == steps_.size()) throw std::logic_error("read past its end");
    // What an earlier piece pointed to is gone, as a real source's buffer would be.
    current_ = std::make_unique<Step>(steps_[reads_++]);
    if (current_->broken) co_return broken();
    co_return chain::Piece{current_->bytes, current_->last};
  }

  bool ready() const noexcept override { return reads_ < steps_.size() && !steps_[reads_].late; }

  std::size_t reads() const noexcept { return reads_; }
  std::string_view current() const noexcept { return current_->bytes; }

 private:
  std::vector<Step> steps_;
  std::unique_ptr<Step> current_;
  std::size_t reads_ = 0;
};

// What came of a body; `whole` where it did not break.
struct WholeBody {
  std::string bytes;
  std::size_t pieces = 0;
  bool whole = false;
};

template <class Source>
Task<WholeBody> read_pieces(Source& source) {
  WholeBody read;
  for (;;) {
    const Result<chain::Piece> piece = co_await source.next();
    if (!piece) co_return read;
    read.bytes.append(piece->bytes);
    ++read.pieces;
    if (piece->last) {
      read.whole = true;
      co_return read;
    }
  }
}

template <class Source>
WholeBody read_all(Source& source) {
  return run_task(read_pieces(source));
}

}  // namespace aifd::test
