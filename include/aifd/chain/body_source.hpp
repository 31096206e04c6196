// A message body as something to read piece by piece, wherever it comes from.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "aifd/base/error.hpp"
#include "aifd/chain/task.hpp"

namespace aifd::chain {

struct Piece {
  std::string_view bytes;  // decoded payload; valid until the next call of next()
  bool last = false;       // nothing follows; bytes may still hold the final ones
};

// Read by one coroutine at a time. A request body, an upstream's answer, a cache hit, an error text
// and the benchmark model's stream are all of this kind.
class BodySource {
 public:
  BodySource() = default;
  BodySource(const BodySource&) = delete;
  BodySource& operator=(const BodySource&) = delete;
  virtual ~BodySource() = default;

  // What next() would give without waiting, as a plain call; nullopt where it may have to wait.
  virtual std::optional<Result<Piece>> try_next() { return std::nullopt; }

  // Waits for the next bytes and gives all that arrived. Not called again after `last` or an error.
  // An error means that the body is cut: it must not be passed on as whole.
  virtual Task<Result<Piece>> next() = 0;

  // As next(), for a reader who keeps all of it: the piece may lie at the beginning of this room,
  // which is not empty, and what lies there stays.
  virtual Task<Result<Piece>> next_into(std::span<char> room) {
    static_cast<void>(room);
    return next();
  }

  // Whether next() would return without waiting, so that a head can share the write of its first
  // bytes.
  virtual bool ready() const noexcept = 0;
};

// A body made here, given in one piece.
class TextBody final : public BodySource {
 public:
  explicit TextBody(std::string text) : text_(std::move(text)) {}
  std::optional<Result<Piece>> try_next() override { return Piece{text_, true}; }
  Task<Result<Piece>> next() override;
  bool ready() const noexcept override { return true; }
  std::size_t size() const noexcept { return text_.size(); }

 private:
  std::string text_;
};

}  // namespace aifd::chain
