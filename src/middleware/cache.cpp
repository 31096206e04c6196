#include "aifd/middleware/cache.hpp"

#include "aifd/chain/upstream_calls.hpp"
#include "aifd/protocol/caching_field.hpp"
#include "cache_question.hpp"
#include "cache_reply.hpp"
#include "cache_rules.hpp"
#include "kept_head.hpp"

namespace aifd::middleware {
namespace {

using chain::CacheUse;
using chain::Exchange;
using chain::Reply;
using chain::Verdict;
using protocol::CachingField;
using services::AnswerReader;
using services::CacheEntryPtr;
using services::SharedAnswer;
using services::SharedHead;

const std::string_view kField = "x-aifd-cache";

// Says on every answer what the cache did for it.
class CacheUseTap final : public chain::Tap {
 public:
  explicit CacheUseTap(const Exchange& exchange) : exchange_(exchange) {}
  void on_head(protocol::ResponseHead& head) override {
    head.fields.set(kField, chain::to_string(exchange_.cache));
  }

 private:
  const Exchange& exchange_;
};

// A field of another type than boolean; null is as good as none.
bool is_null(std::string_view member) {
  const std::size_t colon = member.find(':');
  const std::size_t value = member.find_first_not_of(" \t\r\n", colon + 1);
  return value != std::string_view::npos && member.substr(value).starts_with("null");
}

// The whole answer has what this caller needs but is in the other form.
bool is_other_form(const SharedHead& head, const CacheQuestion& question) {
  return question.converts && head.event_stream != question.wants_stream;
}

// What of a call's answer is for all who share it.
bool is_shared(std::string_view name) {
  return !protocol::iequals(name, "Set-Cookie");
}

// The reader has the head's texts, so it is there also where the body is none.
Reply live_reply(const SharedHead& head, std::unique_ptr<AnswerReader> reader, bool leads) {
  Reply reply;
  reply.head.status = head.status;
  reply.head.reason = head.reason;
  reply.framing = head.framing;
  for (const services::CacheField& field : head.fields) {
    if (leads || is_shared(field.name)) reply.head.fields.add(field.name, field.value);
  }
  reply.body = std::move(reader);
  return reply;
}

}  // namespace

// How one request gets its answer: its question, and the tries it takes.
class Cache::Asking {
 public:
  Asking(const Cache& cache, Exchange& exchange, const CachePlace& place, CacheQuestion question)
      : cache_(cache), exchange_(exchange), place_(place), question_(std::move(question)) {}

  Task<Result<Verdict>> answer();

 private:
  std::optional<Reply> hit(const CacheEntryPtr& entry);
  std::optional<Reply> at_hand();
  Task<std::optional<Reply>> stored();
  services::CacheKey flight_key() const;
  SharedAnswer::Options recording() const;
  Task<Result<Reply>> lead(services::Flights::Boarding& boarding);
  Task<std::optional<Result<Reply>>> follow(std::unique_ptr<AnswerReader> reader);
  Task<Result<Reply>> call(const std::shared_ptr<SharedAnswer>& answer,
                           std::unique_ptr<AnswerReader> reader);
  Task<Result<Reply>> call_alone();
  Task<Result<Reply>> call_together();

  const Cache& cache_;
  Exchange& exchange_;
  const CachePlace& place_;
  const CacheQuestion question_;
};

// Null: the entry does not serve this caller.
std::optional<Reply> Cache::Asking::hit(const CacheEntryPtr& entry) {
  const std::int64_t now = services::wall_clock_seconds();
  const std::optional<std::uint32_t> max_age = question_.control.max_age;
  if (max_age && now - entry->stored_at > *max_age) return std::nullopt;
  std::optional<Reply> reply = reply_from_entry(exchange_, entry, question_, now);
  if (!reply) return std::nullopt;
  exchange_.cache = CacheUse::hit;
  if (cache_.settings_.replay == config::CacheReplay::original) replay_in_rhythm(exchange_, entry);
  return reply;
}

std::optional<Reply> Cache::Asking::at_hand() {
  if (!question_.reads) return std::nullopt;
  const std::optional<CacheEntryPtr> entry = cache_.store_.try_get(question_.key);
  return entry && *entry ? hit(*entry) : std::nullopt;
}

Task<std::optional<Reply>> Cache::Asking::stored() {
  if (!question_.reads) co_return std::nullopt;
  const CacheEntryPtr entry = co_await cache_.store_.get(question_.key);
  co_return entry ? hit(entry) : std::nullopt;
}

// Streams with their usage and without it are not equal while they come.
services::CacheKey Cache::Asking::flight_key() const {
  services::CacheKey key = question_.key;
  if (question_.wants_usage) key.front() ^= 1U;
  return key;
}

SharedAnswer::Options Cache::Asking::recording() const {
  const bool openai = place_.openai;
  const bool asks_usage = question_.wants_usage;
  const std::chrono::seconds ttl = cache_.settings_.ttl;
  services::CacheStore& store = cache_.store_;
  return {
      .max_bytes = cache_.settings_.max_entry_bytes,
      .choose = [=](const protocol::ResponseHead& head) -> std::optional<SharedAnswer::Keeping> {
        std::optional<KeptHead> kept = kept_head(head, openai, ttl);
        if (!kept) return std::nullopt;
        if (asks_usage) kept->fields.push_back({std::string(kAskedUsage), "1"});
        return SharedAnswer::Keeping{std::move(kept->fields), kept->ttl};
      },
      .keep = [&store, key = question_.key](const CacheEntryPtr& entry) { store.put(key, entry); }};
}

Task<Result<Verdict>> Cache::Asking::answer() {
  // What the cache keeps must be readable to every caller.
  exchange_.request.fields.set("Accept-Encoding", "identity");
  if (std::optional<Reply> reply = at_hand()) co_return Verdict{*std::move(reply)};
  if (question_.control.only_if_cached) {
    if (std::optional<Reply> reply = co_await stored()) co_return Verdict{*std::move(reply)};
    co_return Error{ErrorKind::not_cached, ErrorSource::client, false,
                    "The cache has no answer to this request, which asked for no other "
                    "(Cache-Control: only-if-cached)."};
  }
  const bool shares = cache_.settings_.single_flight && question_.reads;
  const auto reply_of = [&] { return shares ? call_together() : call_alone(); };
  Result<Reply> reply = co_await reply_of();
  if (!reply) co_return reply.error();
  co_return Verdict{*std::move(reply)};
}

Task<Result<Reply>> Cache::Asking::call_together() {
  const LoopExecutor loop = co_await asio::this_coro::executor;
  services::Flights::Boarding boarding =
      cache_.flights_.board(flight_key(), loop, exchange_.stopper, [this] { return recording(); });
  if (boarding.lead) co_return co_await lead(boarding);
  std::optional<Result<Reply>> reply = co_await follow(std::move(boarding.reader));
  if (!reply) co_return co_await call_alone();
  co_return *std::move(reply);
}

// The first of those who ask the same looks into the store for all of them.
Task<Result<Reply>> Cache::Asking::lead(services::Flights::Boarding& boarding) {
  const std::shared_ptr<SharedAnswer> answer = boarding.lead.answer();
  const CacheEntryPtr entry = co_await cache_.store_.get(question_.key);
  if (entry) {
    if (std::optional<Reply> reply = hit(entry)) {
      answer->supply(entry);
      co_return *std::move(reply);
    }
  }
  co_return co_await call(answer, std::move(boarding.reader));
}

Task<Result<Reply>> Cache::Asking::call_alone() {
  const LoopExecutor loop = co_await asio::this_coro::executor;
  if (std::optional<Reply> reply = co_await stored()) co_return *std::move(reply);
  const auto answer = std::make_shared<SharedAnswer>(recording());
  co_return co_await call(answer, answer->read(loop, exchange_.stopper));
}

Task<Result<Reply>> Cache::Asking::call(const std::shared_ptr<SharedAnswer>& answer,
                                        std::unique_ptr<AnswerReader> reader) {
  exchange_.progress.attempts = 1;
  exchange_.progress.phase = chain::Phase::wait_head;
  exchange_.calls->start(std::make_unique<chain::DetachedExchange>(exchange_), answer);
  const Result<const SharedHead*> head = co_await reader->head();
  if (!head) co_return head.error();
  exchange_.progress.attempts = (*head)->attempts;
  exchange_.progress.head_received = (*head)->head_received;
  exchange_.progress.phase = chain::Phase::stream;
  co_return live_reply(**head, std::move(reader), true);
}

// nullopt: the answer does not serve this caller.
Task<std::optional<Result<Reply>>> Cache::Asking::follow(std::unique_ptr<AnswerReader> reader) {
  const Result<const SharedHead*> head = co_await reader->head();
  if (!head) co_return head.error();
  constexpr int kOk = 200;
  if (!(*head)->from_store && ((*head)->status != kOk || !is_other_form(**head, question_))) {
    if ((*head)->status == kOk) exchange_.cache = CacheUse::hit;
    Reply reply = live_reply(**head, std::move(reader), false);
    if (exchange_.cache == CacheUse::hit) reply.head.fields.set("Age", "0");
    co_return reply;
  }
  const Result<CacheEntryPtr> entry = co_await reader->whole();
  if (!entry) co_return entry.error();
  if (!*entry) co_return std::nullopt;
  std::optional<Reply> reply = hit(*entry);
  if (!reply) co_return std::nullopt;
  co_return *std::move(reply);
}

Cache::Cache(const config::Settings& settings, services::CacheStore& store,
             services::Flights& flights)
    : settings_(settings.cache),
      max_buffered_bytes_(settings.max_buffered_body_bytes),
      rules_(std::make_unique<const CacheRules>(settings)),
      store_(store),
      flights_(flights) {}

Cache::~Cache() = default;

// Holds the body, and takes the field out of it.
Task<Result<bool>> Cache::wants_cache(Exchange& exchange, const CachePlace& place) const {
  const Result<bool> whole = co_await exchange.body.hold(max_buffered_bytes_);
  if (!whole) co_return whole.error();
  if (!*whole || !place.openai) co_return *whole;
  const std::optional<CachingField> field = protocol::find_caching_field(exchange.body.held());
  if (!field) co_return false;
  const std::string_view member = exchange.body.held().substr(field->cut_offset, field->cut_length);
  const bool unclear = field->is == CachingField::Is::unclear && !is_null(member);
  if (unclear) {
    co_return Error{ErrorKind::bad_request, ErrorSource::client, false,
                    "The field \"caching\" must be true or false."};
  }
  if (field->cut_length > 0) exchange.body.replace(field->cut_offset, field->cut_length, "");
  if (field->is == CachingField::Is::on) co_return true;
  if (field->is == CachingField::Is::off) co_return false;
  co_return settings_.cached_by_default;
}

Task<Result<Verdict>> Cache::on_request(Exchange& exchange) const {
  const std::optional<CachePlace> place = rules_->find(exchange);
  if (!place) co_return Verdict{chain::Pass{}};
  if (place->keeps) {
    exchange.cache = CacheUse::bypass;
    exchange.add_tap(std::make_unique<CacheUseTap>(exchange));
  }
  const Result<bool> wanted = co_await wants_cache(exchange, *place);
  if (!wanted) co_return wanted.error();
  if (!*wanted || !place->keeps) co_return Verdict{chain::Pass{}};
  std::optional<CacheQuestion> question =
      read_question(exchange, *place, settings_.shared_by_all_callers);
  if (!question) co_return Verdict{chain::Pass{}};
  if (question->reads) {
    exchange.cache = CacheUse::miss;
    exchange.cache_key = question->key;
  }
  Asking asking(*this, exchange, *place, *std::move(question));
  co_return co_await asking.answer();
}

}  // namespace aifd::middleware
