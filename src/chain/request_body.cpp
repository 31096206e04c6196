#include "aifd/chain/request_body.hpp"

#include <algorithm>

namespace aifd::chain {

using protocol::BodyFraming;
using protocol::BodyKind;

namespace {

// What a client says of its body's length is taken for granted up to here.
constexpr std::uint64_t kReservedBytes = 256 * 1024;

}  // namespace

RequestBody::RequestBody(BodySource& source, BodyFraming framing)
    : source_(source), framing_(framing), source_ended_(framing.kind == BodyKind::none) {}

void RequestBody::note(const Result<Piece>& piece) {
  if (!piece) return;
  bytes_read_ += piece->bytes.size();
  source_ended_ = piece->last;
}

Task<Result<bool>> RequestBody::hold(std::uint64_t max_bytes) {
  while (!source_ended_) {
    if (held_.size() > max_bytes) co_return false;
    if (framing_.kind == BodyKind::length && framing_.length > max_bytes) co_return false;
    Result<Piece> piece = co_await source_.next();
    note(piece);
    if (!piece) co_return piece.error();
    if (held_.empty() && copy_.empty() && piece->last) {  // the usual case: it came with the head
      held_ = piece->bytes;
      break;
    }
    if (copy_.empty()) {
      copy_.reserve(std::min(framing_.length, kReservedBytes) + protocol::kPeekSlack);
    }
    copy_.append(piece->bytes);
    held_ = copy_;
  }
  co_return held_.size() <= max_bytes;
}

const protocol::JsonPeek* RequestBody::peek() {
  if (!source_ended_ || passed_unheld_) return nullptr;
  if (!peek_) {
    const bool is_copied = held_.data() == copy_.data();
    peek_ = protocol::peek_json(held_, is_copied ? copy_.capacity() - copy_.size() : 0);
    if (!asked_model_) asked_model_ = *peek_ ? (*peek_)->model.value_or("") : "";
  }
  return *peek_ ? &**peek_ : nullptr;
}

std::string_view RequestBody::asked_model(std::size_t max_bytes) {
  if (!asked_model_ && held_.size() <= max_bytes) peek();
  return asked_model_ ? std::string_view(*asked_model_) : std::string_view();
}

void RequestBody::replace(std::size_t offset, std::size_t length, std::string_view with) {
  std::string edited;
  edited.reserve(held_.size() - length + with.size());
  edited.append(held_.substr(0, offset)).append(with).append(held_.substr(offset + length));
  copy_ = std::move(edited);
  held_ = copy_;
  peek_.reset();
}

BodyFraming RequestBody::framing() const noexcept {
  if (framing_.kind == BodyKind::none || !source_ended_ || passed_unheld_) return framing_;
  return {BodyKind::length, held_.size()};
}

// A piece that goes up unheld.
void RequestBody::pass(const Result<Piece>& piece) {
  note(piece);
  const bool first = !passed_unheld_ && held_.empty();
  if (first && piece && piece->last) {  // whole in one piece, which stays: it can be sent again
    held_ = piece->bytes;
  } else {
    passed_unheld_ = true;
  }
}

std::optional<Result<Piece>> RequestBody::try_next() {
  if (!held_sent_ && (!held_.empty() || source_ended_)) {
    held_sent_ = true;
    return Piece{held_, source_ended_};
  }
  std::optional<Result<Piece>> piece = source_.try_next();
  if (!piece) return std::nullopt;
  held_sent_ = true;
  pass(*piece);
  return piece;
}

Task<Result<Piece>> RequestBody::next() {
  if (std::optional<Result<Piece>> piece = try_next()) co_return *std::move(piece);
  held_sent_ = true;
  Result<Piece> piece = co_await source_.next();
  pass(piece);
  co_return piece;
}

bool RequestBody::ready() const noexcept {
  return (!held_sent_ && (!held_.empty() || source_ended_)) || source_.ready();
}

bool RequestBody::rewind() noexcept {
  if (passed_unheld_) return false;
  held_sent_ = false;
  return true;
}

}  // namespace aifd::chain
