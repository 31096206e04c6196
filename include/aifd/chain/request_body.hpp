// The body of a request: streamed up as it comes, or held whole where a link must read it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "aifd/base/shared_text.hpp"
#include "aifd/chain/body_source.hpp"
#include "aifd/protocol/framing.hpp"
#include "aifd/protocol/json_peek.hpp"

namespace aifd::chain {

class RequestBody {
 public:
  // `source` outlives this object and is not read while framing says that there is no body.
  RequestBody(BodySource& source, protocol::BodyFraming framing);

  // Reads until the body is whole or `max_bytes` are passed. True: held() is the whole body. False:
  // it is larger; what was read stays held and goes up first. May be called again.
  Task<Result<bool>> hold(std::uint64_t max_bytes);
  // What hold() would give, as a plain call; nullopt where it has to wait.
  std::optional<Result<bool>> try_hold(std::uint64_t max_bytes);

  // What is held so far; the whole body after hold() gave true.
  std::string_view held() const noexcept { return held_; }
  bool held_whole() const noexcept { return source_ended_; }
  // A body held whole, for who needs it beyond the exchange.
  SharedText share() const;

  // A look into a body held whole, once for all who want to know. Null: it is no JSON object, or
  // not held whole. Valid until the body is replaced.
  const protocol::JsonPeek* peek();

  // The model that the client asked for, whatever became of the body since; empty: none is known.
  // Looks if nobody has, at a body of at most `max_bytes`.
  std::string_view asked_model(std::size_t max_bytes);

  // Replaces bytes of a body held whole; its length follows.
  void replace(std::size_t offset, std::size_t length, std::string_view with);

  // How the body goes up: a body held whole goes with its length, another as it came.
  protocol::BodyFraming framing() const noexcept;

  // For whoever sends it up: what is held, then the rest from the client.
  std::optional<Result<Piece>> try_next();
  Task<Result<Piece>> next();
  bool ready() const noexcept;
  bool sent_whole() const noexcept { return held_sent_ && source_ended_; }

  // Begins again from the first byte. False where bytes are gone that were not held.
  bool rewind() noexcept;

  std::uint64_t bytes_read() const noexcept { return bytes_read_; }

 private:
  bool reads_ahead() const noexcept;
  std::span<char> room();
  bool exceeds(std::uint64_t max_bytes) const noexcept;
  void keep(std::string_view bytes);
  void note(const Result<Piece>& piece);
  void pass(const Result<Piece>& piece);

  BodySource& source_;
  protocol::BodyFraming framing_;
  std::string_view held_;  // the source's first piece while that is all, else text_
  GrowingText text_;
  std::uint64_t bytes_read_ = 0;
  std::optional<std::optional<protocol::JsonPeek>> peek_;  // none: not looked yet
  std::optional<std::string> asked_model_;                 // of the first look
  bool source_ended_;
  bool held_sent_ = false;
  bool passed_unheld_ = false;
};

}  // namespace aifd::chain
