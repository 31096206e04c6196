#include "aifd/middleware/conversation_log.hpp"

#include <algorithm>

#include "aifd/protocol/credentials.hpp"
#include "aifd/protocol/media_type.hpp"
#include "aifd/protocol/target.hpp"

namespace aifd::middleware {

using chain::Exchange;
using chain::Outcome;
using protocol::ConversationApi;

namespace {

constexpr std::size_t kUsualSecrets = 4;

std::chrono::microseconds micros(Clock::duration time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time);
}

bool is_chat(ConversationApi api) {
  return protocol::log_kind(api) == protocol::log_kind(ConversationApi::chat);
}

bool is_coded(const protocol::Fields& fields) {
  const std::string_view coding = fields.get("Content-Encoding");
  return !coding.empty() && !protocol::iequals(coding, "identity");
}

// What a general route's record has no place for is not held.
bool is_unheld(const Exchange& exchange, ConversationApi api) {
  return api == ConversationApi::general &&
         protocol::is_binary(protocol::media_type(exchange.request.fields));
}

void fill(protocol::RequestNote& note, const Exchange& exchange, ConversationApi api) {
  note.uid = exchange.request_id;
  note.ip = exchange.client.address.to_string();
  note.content_type = exchange.request.fields.get("Content-Type");
  note.route = exchange.route.prefix;
  note.key = exchange.key_alias;
  note.coded = is_coded(exchange.request.fields);
  if (api != ConversationApi::general) return;
  note.method = exchange.request.method;
  note.path = exchange.route.path;
  if (exchange.target.has_query) {
    note.path.append(1, '?').append(protocol::redact_query(exchange.target.query));
  }
}

void add_new(std::vector<Secret>& secrets, std::string_view text) {
  const auto is_same = [text](const Secret& one) { return one.reveal() == text; };
  if (std::ranges::none_of(secrets, is_same)) secrets.emplace_back(std::string(text));
}

// The keys that this exchange has to do with, and whatever else of its head may be a secret.
std::vector<Secret> secrets_of(const Exchange& exchange) {
  std::vector<Secret> secrets;
  secrets.reserve(kUsualSecrets);
  protocol::add_secrets(secrets, exchange.request, exchange.target.query);
  for (const std::string_view key : exchange.secrets) {
    add_new(secrets, key);
    if (key.find('%') != std::string_view::npos) add_new(secrets, protocol::decoded_query_key(key));
  }
  return secrets;
}

class ConversationTap final : public chain::Tap {
 public:
  ConversationTap(const Exchange& exchange, services::ConversationLog& log)
      : exchange_(exchange), conversation_(log) {}

  services::Conversation& conversation() noexcept { return conversation_; }

  void on_head(protocol::ResponseHead& head) override {
    conversation_.head(head.status, head.fields.get("Content-Type"),
                       head.fields.get("Content-Encoding"));
  }

  Clock::time_point on_chunk(std::string_view bytes) noexcept override {
    if (first_byte_ == Clock::time_point{}) first_byte_ = Clock::now();
    conversation_.piece(bytes);
    return chain::kAtOnce;
  }

  void on_done(const Outcome& outcome) noexcept override { conversation_.end(note_of(outcome)); }

 private:
  protocol::AnswerNote note_of(const Outcome& outcome) const {
    protocol::AnswerNote note;
    note.status = outcome.status;
    note.ended_by = to_string(outcome.ended_by);
    note.phase = to_string(outcome.phase);
    if (outcome.error) note.error = error_name(outcome.error->kind);
    note.drained = to_string(outcome.drained);
    if (first_byte_ != Clock::time_point{}) {
      note.first_byte = micros(first_byte_ - outcome.started);
    }
    note.duration = micros(outcome.ended - outcome.started);
    note.cache = chain::to_string(exchange_.cache);
    note.attempts = outcome.attempts;
    if (outcome.attempts > 0) note.upstream = exchange_.destination.server.authority;
    note.request_bytes = outcome.bytes_in;
    return note;
  }

  const Exchange& exchange_;
  services::Conversation conversation_;
  Clock::time_point first_byte_{};
};

}  // namespace

ConversationLog::ConversationLog(const config::Settings& settings, services::ConversationLog& log)
    : settings_(settings.logs),
      chat_(protocol::comparable_path(settings.chat_completion_path)),
      completion_(protocol::comparable_path(settings.completion_path)),
      embedding_(protocol::comparable_path(settings.embedding_path)),
      max_buffered_bytes_(settings.max_buffered_body_bytes),
      streams_by_default_(settings.default_stream_response),
      log_(log) {}

// Nullopt: nothing of it is written or shown.
std::optional<ConversationApi> ConversationLog::api_of(const Exchange& exchange) const {
  if (exchange.framing.wants_upgrade) return std::nullopt;
  if (!exchange.route.openai) {
    return settings_.general ? std::optional(ConversationApi::general) : std::nullopt;
  }
  if (exchange.request.method != "POST") return std::nullopt;
  const std::string_view path = exchange.route.path;
  const std::optional<ConversationApi> api = protocol::is_comparable(path)
                                                 ? openai_api_of(path)
                                                 : openai_api_of(protocol::comparable_path(path));
  const bool wanted = api && (settings_.openai || (settings_.print_chat && is_chat(*api)));
  return wanted ? api : std::nullopt;
}

// However it is spelt: the upstream may take "/v1/chat/completion%73;x" for what it means.
std::optional<ConversationApi> ConversationLog::openai_api_of(std::string_view path) const {
  if (path == chat_ || path.ends_with("/chat/completions")) return ConversationApi::chat;
  if (path == completion_ || path.ends_with("/completions")) return ConversationApi::completion;
  if (path == embedding_ || path.ends_with("/embeddings")) return ConversationApi::embedding;
  if (path.ends_with("/responses")) return ConversationApi::responses;
  if (path.ends_with("/v1/messages")) return ConversationApi::messages;
  const bool hears =
      path.ends_with("/audio/transcriptions") || path.ends_with("/audio/translations");
  return hears ? std::optional(ConversationApi::whisper) : std::nullopt;
}

void ConversationLog::take_body(Exchange& exchange, services::ConversationStart& start) const {
  const std::string_view body = exchange.body.held();
  start.note.body_bytes = std::max<std::uint64_t>(body.size(), exchange.framing.body.length);
  if (start.note.too_large || is_unheld(exchange, start.api)) return;
  if (start.api == ConversationApi::whisper) {  // of the upload the texts of its form alone
    start.body =
        SharedText::copy_of(protocol::form_as_json(start.note.content_type, body).value_or(""));
    return;
  }
  start.body = exchange.body.share();
  if (const protocol::JsonPeek* peek = exchange.body.peek(); peek != nullptr && peek->stream) {
    start.streams_by_default = *peek->stream;
  }
}

// Once its body is held: as a whole, or as far as that may go.
void ConversationLog::begin(Exchange& exchange, ConversationApi api, bool is_whole) const {
  auto tap = std::make_unique<ConversationTap>(exchange, log_);
  services::ConversationStart& start = tap->conversation().start();
  start.api = api;
  start.writes = exchange.route.openai ? settings_.openai : settings_.general;
  start.prints = settings_.print_chat && is_chat(api);
  start.streams_by_default = streams_by_default_;
  fill(start.note, exchange, api);
  start.note.too_large = !is_whole;
  start.prefix = protocol::log_prefix(exchange.route.prefix);
  start.secrets = secrets_of(exchange);
  take_body(exchange, start);
  exchange.request.fields.set("Accept-Encoding", "identity");
  if (tap->conversation().begin()) exchange.add_tap(std::move(tap));
}

std::optional<Result<chain::Verdict>> ConversationLog::try_request(Exchange& exchange) const {
  const std::optional<ConversationApi> api = api_of(exchange);
  if (!api) return chain::Verdict{chain::Pass{}};
  if (!log_.has_room()) return std::nullopt;
  std::optional<Result<bool>> whole = true;
  if (!is_unheld(exchange, *api)) whole = exchange.body.try_hold(max_buffered_bytes_);
  if (!whole) return std::nullopt;
  if (!*whole) return whole->error();
  begin(exchange, *api, **whole);
  return chain::Verdict{chain::Pass{}};
}

Task<Result<chain::Verdict>> ConversationLog::on_request(Exchange& exchange) const {
  const std::optional<ConversationApi> api = api_of(exchange);
  if (!api) co_return chain::Verdict{chain::Pass{}};
  if (!log_.has_room()) {
    const Result<void> room = co_await log_.wait_for_room(exchange.stopper);
    if (!room) co_return room.error();
  }
  Result<bool> whole = true;
  if (!is_unheld(exchange, *api)) whole = co_await exchange.body.hold(max_buffered_bytes_);
  if (!whole) co_return whole.error();
  begin(exchange, *api, *whole);
  co_return chain::Verdict{chain::Pass{}};
}

}  // namespace aifd::middleware
