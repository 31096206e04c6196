#include "aifd/middleware/cache.hpp"

#include "aifd/protocol/caching_field.hpp"
#include "cache_question.hpp"
#include "cache_reply.hpp"
#include "cache_rules.hpp"
#include "embedding_supply.hpp"
#include "kept_head.hpp"
#include "whole_supply.hpp"

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

constexpr protocol::FieldName kField = "x-aifd-cache";
constexpr int kOk = 200;

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

// Whether an answer has what this caller needs, but in the other form.
bool is_other_form(bool event_stream, const CacheQuestion& question) {
  return question.converts && event_stream != question.wants_stream;
}

// The reader has the head's texts, so it is there also where the body is none.
Reply live_reply(const SharedHead& head, std::unique_ptr<AnswerReader> reader) {
  return {services::head_view(head), head.framing, std::move(reader)};
}

// What of another's answer is this caller's too. Of a failure that is also when to try again.
protocol::Fields shared_fields(const protocol::ResponseHead& head) {
  protocol::Fields shared;
  for (const protocol::Field& field : head.fields) {
    const bool is_shared =
        head.status == kOk ? is_replayed(field.name) : field.name != "Set-Cookie";
    if (is_shared) shared.add(field.name, field.value);
  }
  return shared;
}

}  // namespace

// How one request gets its answer: its question, and the tries it takes.
class Cache::Asking {
 public:
  Asking(const Cache& cache, Exchange& exchange, const CachePlace& place, CacheQuestion question)
      : cache_(cache),
        exchange_(exchange),
        openai_(place.openai),
        question_(std::move(question)),
        supply_(make_supply(place)) {}

  Task<Result<Verdict>> answer();

 private:
  std::unique_ptr<CacheSupply> make_supply(const CachePlace& place) const;
  bool shares() const noexcept;
  Task<std::optional<Reply>> hit(CacheEntryPtr entry);
  Task<std::optional<Reply>> at_hand();
  Task<std::optional<Reply>> stored();
  Task<Result<Reply>> lead(services::Flights::Boarding& boarding);
  Task<std::optional<Result<Reply>>> follow(std::unique_ptr<AnswerReader> reader);
  Task<Result<Reply>> call(const std::shared_ptr<SharedAnswer>& answer,
                           std::unique_ptr<AnswerReader> reader);
  Task<Result<Reply>> call_alone();
  Task<Result<Reply>> call_together();

  const Cache& cache_;
  Exchange& exchange_;
  const bool openai_;
  const CacheQuestion question_;
  const std::unique_ptr<CacheSupply> supply_;
};

std::unique_ptr<CacheSupply> Cache::Asking::make_supply(const CachePlace& place) const {
  if (!question_.embeddings) {
    return std::make_unique<WholeSupply>(cache_.settings_, cache_.store_, exchange_, place,
                                         question_);
  }
  return std::make_unique<EmbeddingSupply>(cache_.settings_, 2 * cache_.max_buffered_bytes_,
                                           cache_.store_, cache_.aside_, exchange_, question_);
}

// What is joined for one caller may have parts that are too old for another.
bool Cache::Asking::shares() const noexcept {
  if (!cache_.settings_.single_flight || !question_.reads) return false;
  return !question_.embeddings || !question_.control.max_age;
}

// nullopt: the entry does not serve this caller.
Task<std::optional<Reply>> Cache::Asking::hit(CacheEntryPtr entry) {
  const std::int64_t now = services::wall_clock_seconds();
  const std::optional<std::uint32_t> max_age = question_.control.max_age;
  if (max_age && now - entry->stored_at > *max_age) co_return std::nullopt;
  std::optional<Reply> reply =
      co_await reply_from_entry(exchange_, entry, question_, now, cache_.aside_);
  if (!reply) co_return std::nullopt;
  exchange_.cache = CacheUse::hit;
  const bool in_rhythm = cache_.settings_.replay == config::CacheReplay::original;
  if (in_rhythm && !is_other_form(entry->event_stream, question_)) {
    replay_in_rhythm(exchange_, entry);
  }
  co_return reply;
}

Task<std::optional<Reply>> Cache::Asking::at_hand() {
  if (!question_.reads) co_return std::nullopt;
  const CacheEntryPtr entry = co_await supply_->at_hand();
  if (!entry) co_return std::nullopt;
  co_return co_await hit(entry);
}

Task<std::optional<Reply>> Cache::Asking::stored() {
  if (!question_.reads) co_return std::nullopt;
  const CacheEntryPtr entry = co_await supply_->stored();
  if (!entry) co_return std::nullopt;
  co_return co_await hit(entry);
}

Task<Result<Verdict>> Cache::Asking::answer() {
  // What the cache keeps must be readable to every caller.
  exchange_.request.fields.set("Accept-Encoding", "identity");
  if (std::optional<Reply> reply = co_await at_hand()) co_return Verdict{*std::move(reply)};
  if (question_.control.only_if_cached) {
    if (std::optional<Reply> reply = co_await stored()) co_return Verdict{*std::move(reply)};
    co_return Error{ErrorKind::not_cached, ErrorSource::client, false,
                    "The cache has no answer to this request, which asked for no other "
                    "(Cache-Control: only-if-cached)."};
  }
  const auto reply_of = [&] { return shares() ? call_together() : call_alone(); };
  Result<Reply> reply = co_await reply_of();
  if (!reply) co_return reply.error();
  co_return Verdict{*std::move(reply)};
}

Task<Result<Reply>> Cache::Asking::call_together() {
  const LoopExecutor loop = co_await asio::this_coro::executor;
  const services::Flights::Make make = [this] { return supply_->recording(); };
  std::vector<services::CacheKey> others = supply_->other_flights();
  for (;;) {
    services::Flights::Boarding boarding =
        cache_.flights_.board(supply_->flight_key(), loop, exchange_.stopper, make, others);
    if (boarding.lead) co_return co_await lead(boarding);
    std::optional<Result<Reply>> reply = co_await follow(std::move(boarding.reader));
    if (reply) co_return *std::move(reply);
    // What came in another form could not be converted: the next is in the caller's own, and again
    // shared by all who are in need of it.
    if (others.empty()) co_return co_await call_alone();
    others.clear();
  }
}

// The first of those who ask the same looks into the store for all of them.
Task<Result<Reply>> Cache::Asking::lead(services::Flights::Boarding& boarding) {
  const std::shared_ptr<SharedAnswer> answer = boarding.lead.answer();
  const CacheEntryPtr entry = co_await supply_->stored();
  if (entry) {
    if (std::optional<Reply> reply = co_await hit(entry)) {
      answer->supply(entry);
      co_return *std::move(reply);
    }
  }
  co_return co_await call(answer, std::move(boarding.reader));
}

Task<Result<Reply>> Cache::Asking::call_alone() {
  const LoopExecutor loop = co_await asio::this_coro::executor;
  if (std::optional<Reply> reply = co_await stored()) co_return *std::move(reply);
  if (exchange_.stopper.stopped()) co_return *exchange_.stopper.reason();
  const auto answer = std::make_shared<SharedAnswer>(supply_->recording());
  co_return co_await call(answer, answer->read(loop, exchange_.stopper));
}

Task<Result<Reply>> Cache::Asking::call(const std::shared_ptr<SharedAnswer>& answer,
                                        std::unique_ptr<AnswerReader> reader) {
  exchange_.is_under_way = [called = std::weak_ptr(answer)] {
    const auto alive = called.lock();
    return !alive || alive->is_under_way();
  };
  exchange_.progress.attempts = 1;
  exchange_.progress.asked = Clock::now();
  exchange_.progress.phase = chain::Phase::wait_head;
  supply_->call(answer);
  const Result<const SharedHead*> head = co_await reader->head();
  if (const services::CallProgress call = reader->progress(); call.attempts > 0) {
    exchange_.progress.attempts = call.attempts;
    exchange_.progress.phase = call.phase;
  }
  if (!head) co_return head.error();
  exchange_.progress.head_received = (*head)->head_received;
  // Embeddings come whole before anybody gets a head.
  if (question_.embeddings) {
    exchange_.progress.awaited += Clock::now() - exchange_.progress.head_received;
  }
  co_return live_reply(**head, std::move(reader));
}

// nullopt: the answer does not serve this caller.
Task<std::optional<Result<Reply>>> Cache::Asking::follow(std::unique_ptr<AnswerReader> reader) {
  const Clock::time_point since = Clock::now();
  const Result<const SharedHead*> head = co_await reader->head();
  exchange_.progress.awaited += Clock::now() - since;
  if (!head) co_return head.error();
  const bool live = !(*head)->from_store;
  if (live && !is_for_others(services::head_view(**head), openai_)) co_return std::nullopt;
  const bool ok = (*head)->status == kOk;
  if (live && (!ok || !is_other_form((*head)->event_stream, question_))) {
    Reply reply = live_reply(**head, std::move(reader));
    reply.head.fields = shared_fields(reply.head);
    if (!ok) co_return reply;
    exchange_.cache = CacheUse::hit;
    reply.head.fields.set("Age", "0");
    co_return reply;
  }
  const Clock::time_point live_since = Clock::now();
  const Result<CacheEntryPtr> entry = co_await reader->whole();
  exchange_.progress.awaited += Clock::now() - live_since;
  if (!entry) co_return entry.error();
  if (!*entry) co_return std::nullopt;
  std::optional<Reply> reply = co_await hit(*entry);
  if (!reply) co_return std::nullopt;
  co_return *std::move(reply);
}

Cache::Cache(const config::Settings& settings, services::CacheStore& store,
             services::Flights& flights, services::Aside& aside)
    : settings_(settings.cache),
      max_buffered_bytes_(settings.max_buffered_body_bytes),
      rules_(std::make_unique<const CacheRules>(settings)),
      store_(store),
      flights_(flights),
      aside_(aside) {}

Cache::~Cache() = default;

// Holds the body, and takes the field out of it.
Task<Result<bool>> Cache::wants_cache(Exchange& exchange, const CachePlace& place) const {
  const Result<bool> whole = co_await exchange.body.hold(max_buffered_bytes_);
  if (!whole) co_return whole.error();
  if (!*whole || !place.openai) co_return *whole;
  const std::optional<CachingField> field = protocol::find_caching_field(exchange.body.held());
  if (!field) co_return false;
  const std::string_view member = exchange.body.held().substr(field->cut_offset, field->cut_length);
  const bool unclear = field->is == CachingField::Is::repeated ||
                       (field->is == CachingField::Is::unclear && !is_null(member));
  if (unclear) {
    co_return Error{ErrorKind::bad_request, ErrorSource::client, false,
                    "The field \"caching\" must be there once, and true or false."};
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
