#include "cache_reply.hpp"

#include <algorithm>

#include "aifd/protocol/answer_to_stream.hpp"
#include "aifd/protocol/media_type.hpp"
#include "aifd/protocol/stream_to_answer.hpp"
#include "aifd/protocol/usage_event.hpp"
#include "aifd/protocol/whole_answer.hpp"
#include "kept_head.hpp"

namespace aifd::middleware {
namespace {

using chain::Exchange;
using chain::Piece;
using chain::Reply;
using services::CacheEntry;
using services::CacheEntryPtr;

constexpr std::string_view kEventStream = "text/event-stream; charset=utf-8";
constexpr std::string_view kJson = "application/json";

class EntryBody final : public chain::BodySource {
 public:
  explicit EntryBody(CacheEntryPtr entry) : entry_(std::move(entry)) {}
  std::optional<Result<Piece>> try_next() override { return Piece{entry_->body, true}; }
  Task<Result<Piece>> next() override { co_return Piece{entry_->body, true}; }
  bool ready() const noexcept override { return true; }

 private:
  CacheEntryPtr entry_;
};

// A text made of an entry, whose fields the head shows.
class ConvertedBody final : public chain::BodySource {
 public:
  ConvertedBody(CacheEntryPtr entry, std::string text)
      : entry_(std::move(entry)), text_(std::move(text)) {}
  std::optional<Result<Piece>> try_next() override { return Piece{text_, true}; }
  Task<Result<Piece>> next() override { co_return Piece{text_, true}; }
  bool ready() const noexcept override { return true; }

 private:
  CacheEntryPtr entry_;
  std::string text_;
};

bool asked_usage(const CacheEntry& entry) {
  return std::ranges::any_of(entry.fields, [](const auto& f) { return f.name == kAskedUsage; });
}

Reply start_reply(Exchange& exchange, const CacheEntry& entry, std::string_view new_type,
                  std::size_t length, std::int64_t now) {
  Reply reply;
  reply.head.status = entry.status;
  reply.head.reason = chain::reason_phrase(entry.status);
  reply.framing = {protocol::BodyKind::length, length};
  reply.head.fields.reserve(entry.fields.size() + 4);
  if (!new_type.empty()) reply.head.fields.add("Content-Type", new_type);
  for (const services::CacheField& field : entry.fields) {
    if (field.name.starts_with(':') || !is_replayed(field.name)) continue;
    if (!new_type.empty() && is_of_bytes(field.name)) continue;
    reply.head.fields.add(field.name, field.value);
  }
  const std::int64_t age = std::max<std::int64_t>(now - entry.stored_at, 0);
  reply.head.fields.add("Age", exchange.keep(std::to_string(age)));
  return reply;
}

Reply converted(Exchange& exchange, CacheEntryPtr entry, std::string_view new_type,
                std::string text, std::int64_t now) {
  Reply reply = start_reply(exchange, *entry, new_type, text.size(), now);
  reply.body = std::make_unique<ConvertedBody>(std::move(entry), std::move(text));
  return reply;
}

Reply as_stored(Exchange& exchange, CacheEntryPtr entry, std::int64_t now) {
  Reply reply = start_reply(exchange, *entry, {}, entry->body.size(), now);
  reply.body = std::make_unique<EntryBody>(std::move(entry));
  return reply;
}

enum class Form { stored, stream_without_usage, stream, answer };

// nullopt: the entry lacks what the caller needs.
std::optional<Form> form_for(const CacheEntry& entry, const CacheQuestion& question) {
  if (!question.converts) return Form::stored;
  if (entry.event_stream != question.wants_stream) {
    return question.wants_stream ? Form::stream : Form::answer;
  }
  if (!entry.event_stream) return Form::stored;
  const bool has_asked = asked_usage(entry);
  if (has_asked) return question.wants_usage ? Form::stored : Form::stream_without_usage;
  if (question.wants_usage && !protocol::has_usage_event(entry.body)) return std::nullopt;
  return Form::stored;
}

// nullopt: it cannot be converted.
std::optional<std::string> convert(const CacheEntry& entry, Form form, bool wants_usage) {
  switch (form) {
    case Form::stream_without_usage:
      return protocol::without_usage_event(entry.body);
    case Form::stream:
      return protocol::stream_from_answer(entry.body, wants_usage);
    case Form::answer:
      return protocol::answer_from_stream(entry.body);
    case Form::stored:
      break;
  }
  return std::nullopt;
}

// The pieces of a stream, each at its time.
class RhythmTap final : public chain::Tap, public chain::Cutter {
 public:
  explicit RhythmTap(CacheEntryPtr entry) : entry_(std::move(entry)) { follow(); }

  std::size_t cut(std::string_view bytes) noexcept override {
    const std::uint64_t next = next_offset();
    return std::min<std::uint64_t>(bytes.size(), next - offset_);
  }

  Clock::time_point on_chunk(std::string_view bytes) noexcept override {
    if (offset_ == 0) begun_ = Clock::now();
    const std::chrono::milliseconds at(entry_->rhythm[beat_].at_ms);
    offset_ += bytes.size();
    follow();
    return begun_ + at;
  }

 private:
  void follow() noexcept {
    while (offset_ >= next_offset()) ++beat_;
  }

  std::uint64_t next_offset() const noexcept {
    return beat_ + 1 < entry_->rhythm.size() ? entry_->rhythm[beat_ + 1].offset
                                             : std::numeric_limits<std::uint64_t>::max();
  }

  CacheEntryPtr entry_;
  std::size_t beat_ = 0;  // of the byte at offset_
  std::uint64_t offset_ = 0;
  Clock::time_point begun_{};
};

}  // namespace

Task<std::optional<Reply>> reply_from_entry(Exchange& exchange, CacheEntryPtr entry,
                                            const CacheQuestion& question, std::int64_t now,
                                            services::Aside& aside) {
  const std::optional<Form> form = form_for(*entry, question);
  if (!form) co_return std::nullopt;
  if (form == Form::stored) co_return as_stored(exchange, std::move(entry), now);
  const auto text = std::make_shared<std::optional<std::string>>();
  services::Aside::Work work = [text, entry, is = *form, wants_usage = question.wants_usage] {
    *text = convert(*entry, is, wants_usage);
  };
  co_await aside.run(entry->body.size(), std::move(work));
  if (!*text) co_return std::nullopt;
  const std::string_view type = form == Form::answer ? kJson : kEventStream;
  co_return converted(exchange, std::move(entry), type, *std::move(*text), now);
}

bool went_well(const CacheEntry& entry) {
  if (entry.event_stream) return protocol::is_whole_stream(entry.body);
  protocol::Fields fields;
  for (const services::CacheField& field : entry.fields) fields.add(field.name, field.value);
  const bool is_json = protocol::iequals(protocol::media_type(fields), "application/json");
  return !is_json || protocol::is_whole_json(entry.body);
}

void replay_in_rhythm(Exchange& exchange, CacheEntryPtr entry) {
  if (entry->rhythm.empty()) return;
  auto tap = std::make_unique<RhythmTap>(std::move(entry));
  exchange.set_cutter(*tap);
  exchange.add_tap(std::move(tap));
}

}  // namespace aifd::middleware
