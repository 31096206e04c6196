#include "aifd/chain/request_body.hpp"

#include <algorithm>

namespace aifd::chain {

using protocol::BodyFraming;
using protocol::BodyKind;

namespace {

// What a client says of its body's length is taken for granted up to here.
constexpr std::uint64_t kReservedBytes = 256 * 1024;

// Where more than this is to come, it is read to where it is held.
constexpr std::uint64_t kLongBytes = 16 * 1024;

}  // namespace

RequestBody::RequestBody(BodySource& source, BodyFraming framing)
    : source_(source), framing_(framing), source_ended_(framing.kind == BodyKind::none) {}

void RequestBody::note(const Result<Piece>& piece) {
  if (!piece) return;
  bytes_read_ += piece->bytes.size();
  source_ended_ = piece->last;
}

bool RequestBody::exceeds(std::uint64_t max_bytes) const noexcept {
  return held_.size() > max_bytes ||
         (!source_ended_ && framing_.kind == BodyKind::length && framing_.length > max_bytes);
}

std::optional<Result<bool>> RequestBody::try_hold(std::uint64_t max_bytes) {
  while (!source_ended_ && !exceeds(max_bytes)) {
    if (reads_ahead()) return std::nullopt;
    const std::optional<Result<Piece>> piece = source_.try_next();
    if (!piece) return std::nullopt;
    note(*piece);
    if (!*piece) return piece->error();
    keep((*piece)->bytes);
  }
  return !exceeds(max_bytes);
}

Task<Result<bool>> RequestBody::hold(std::uint64_t max_bytes) {
  for (;;) {
    if (const std::optional<Result<bool>> whole = try_hold(max_bytes)) co_return *whole;
    Task<Result<Piece>> read = reads_ahead() ? source_.next_into(room()) : source_.next();
    const Result<Piece> piece = co_await std::move(read);
    note(piece);
    if (!piece) co_return piece.error();
    keep(piece->bytes);
  }
}

// Not before something of it is here: what a client says of its length costs it nothing.
bool RequestBody::reads_ahead() const noexcept {
  const bool is_long =
      framing_.kind == BodyKind::length && framing_.length - bytes_read_ > kLongBytes;
  return is_long && (!held_.empty() || source_.ready());
}

std::span<char> RequestBody::room() {
  const std::uint64_t left = framing_.length - bytes_read_;
  if (text_.room().size() < std::min(left, kLongBytes) + protocol::kPeekSlack) {
    text_.make_room(std::min(left, kReservedBytes) + protocol::kPeekSlack);
  }
  const std::size_t most = text_.room().size() - protocol::kPeekSlack;
  return text_.room().first(std::min<std::uint64_t>(left, most));
}

void RequestBody::keep(std::string_view bytes) {
  if (bytes.data() == text_.room().data()) {
    text_.take(bytes.size());
  } else if (held_.empty() && source_ended_) {  // the usual case: it came with the head
    held_ = bytes;
    return;
  } else {
    if (text_.empty()) text_.make_room(std::min(framing_.length, kReservedBytes));
    text_.append(bytes);
  }
  held_ = text_.view();
}

SharedText RequestBody::share() const {
  return held_.data() == text_.view().data() ? text_.share() : SharedText::copy_of(held_);
}

const protocol::JsonPeek* RequestBody::peek() {
  if (!source_ended_ || passed_unheld_) return nullptr;
  if (!peek_) {
    const bool is_own = held_.data() == text_.view().data();
    peek_.emplace(protocol::peek_json(held_, is_own ? text_.room().size() : 0));
    const bool names_model = *peek_ && (*peek_)->model;
    if (!asked_model_) asked_model_.emplace(names_model ? *(*peek_)->model : std::string());
  }
  return *peek_ ? &**peek_ : nullptr;
}

std::string_view RequestBody::asked_model(std::size_t max_bytes) {
  if (!asked_model_ && held_.size() <= max_bytes) peek();
  return asked_model_ ? std::string_view(*asked_model_) : std::string_view();
}

void RequestBody::replace(std::size_t offset, std::size_t length, std::string_view with) {
  GrowingText edited;
  edited.make_room(held_.size() - length + with.size() + protocol::kPeekSlack);
  edited.append(held_.substr(0, offset));
  edited.append(with);
  edited.append(held_.substr(offset + length));
  text_ = std::move(edited);
  held_ = text_.view();
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
