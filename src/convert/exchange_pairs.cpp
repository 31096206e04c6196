#include "exchange_pairs.hpp"

namespace aifd::convert {
namespace {

using protocol::ChatRecord;

constexpr std::size_t kSlotBytes = 256;  // of a slot besides its text

void note(LoneRecords& lone, LoneRecord who) {
  ++lone.count;
  if (lone.first.size() < LoneRecords::kMostNamed) lone.first.push_back(std::move(who));
}

}  // namespace

ExchangePairs::ExchangePairs(Bounds bounds, RecordStore& store, Join join, Write write)
    : bounds_(bounds), store_(store), join_(std::move(join)), write_(std::move(write)) {}

void ExchangePairs::add(ChatRecord record, LogPlace place) {
  if (record.kind == ChatRecord::Kind::request) {
    add_request(std::move(record), place);
  } else {
    add_answer(record, place);
  }
  shrink_window();
}

void ExchangePairs::finish() {
  for (auto& [number, stored] : requests_.stored) note(lone_requests_, std::move(stored.who));
  for (auto& [number, stored] : answers_.stored) note(lone_answers_, std::move(stored.who));
  for (Slot& slot : window_) {
    if (slot.is_done) {
      write(slot.text);
    } else {
      note(lone_requests_, std::move(slot.who));
    }
  }
}

void ExchangePairs::add_request(ChatRecord request, LogPlace place) {
  const std::uint64_t number = requests_.count++;
  Slot slot{{request.uid, place}, {}, false};
  if (const std::optional<std::uint64_t> early = answers_.take_oldest(request.uid)) {
    slot.text = join_early(*early, request, place);
    slot.is_done = true;
  } else {
    requests_.uids.emplace(std::move(request.uid), number);
    slot.text = std::move(request.json);
  }
  window_bytes_ += slot.text.size() + kSlotBytes;
  window_.push_back(std::move(slot));
}

void ExchangePairs::add_answer(const ChatRecord& answer, LogPlace place) {
  const std::optional<std::uint64_t> number = requests_.take_oldest(answer.uid);
  if (!number) {
    const std::uint64_t own = answers_.count++;
    answers_.uids.emplace(answer.uid, own);
    store(answers_, own, {answer.uid, place}, answer.json);
    return;
  }
  const std::uint64_t first = requests_.count - window_.size();
  if (*number < first) return finish_late(*number, answer, place);
  Slot& slot = window_[*number - first];
  window_bytes_ -= slot.text.size();
  slot.text = join_({ChatRecord::Kind::request, {}, {}, std::move(slot.text)}, answer);
  slot.is_done = true;
  window_bytes_ += slot.text.size();
}

void ExchangePairs::finish_late(std::uint64_t number, const ChatRecord& answer, LogPlace place) {
  auto stored = requests_.stored.extract(number);
  std::optional<std::string> text = store_.read(stored.mapped().text);
  if (!text) {
    note(lone_requests_, std::move(stored.mapped().who));
    note(lone_answers_, {answer.uid, place});
    return;
  }
  ++out_of_order_;
  write(join_({ChatRecord::Kind::request, {}, {}, std::move(*text)}, answer));
}

std::string ExchangePairs::join_early(std::uint64_t number, const ChatRecord& request,
                                      LogPlace place) {
  auto stored = answers_.stored.extract(number);
  std::optional<std::string> text = store_.read(stored.mapped().text);
  if (text) return join_(request, {ChatRecord::Kind::answer, {}, {}, std::move(*text)});
  note(lone_answers_, std::move(stored.mapped().who));
  note(lone_requests_, {request.uid, place});
  return {};
}

void ExchangePairs::store(Waiting& waiting, std::uint64_t number, LoneRecord who,
                          std::string_view text) {
  const RecordStore::Place place = store_.add(text);
  waiting.stored.emplace(number, Stored{std::move(who), place});
  if (waiting.stored.size() <= bounds_.most_stored) return;
  auto oldest = waiting.stored.extract(waiting.stored.begin());
  waiting.uids.erase({oldest.mapped().who.uid, oldest.key()});
  note(lone_of(waiting), std::move(oldest.mapped().who));
}

// Writes what is done; where the window is full, its first request waits elsewhere.
void ExchangePairs::shrink_window() {
  while (!window_.empty() && (window_.front().is_done || window_bytes_ > bounds_.window_bytes)) {
    Slot slot = std::move(window_.front());
    const std::uint64_t number = requests_.count - window_.size();
    window_.pop_front();
    window_bytes_ -= slot.text.size() + kSlotBytes;
    if (slot.is_done) {
      write(slot.text);
    } else {
      store(requests_, number, std::move(slot.who), slot.text);
    }
  }
}

void ExchangePairs::write(std::string_view text) {
  if (!text.empty()) write_(text);
}

LoneRecords& ExchangePairs::lone_of(const Waiting& waiting) {
  return &waiting == &requests_ ? lone_requests_ : lone_answers_;
}

std::optional<std::uint64_t> ExchangePairs::Waiting::take_oldest(const std::string& uid) {
  const auto found = uids.lower_bound({uid, 0});
  if (found == uids.end() || found->first != uid) return std::nullopt;
  const std::uint64_t number = found->second;
  uids.erase(found);
  return number;
}

}  // namespace aifd::convert
