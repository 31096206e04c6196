#include "kept_answer.hpp"

#include <algorithm>

#include "aifd/protocol/dialect.hpp"
#include "joined_fields.hpp"
#include "json_depth.hpp"
#include "record_json.hpp"

namespace aifd::protocol {
namespace {

constexpr std::size_t kMostParts = 1024;
constexpr std::size_t kMostShortBytes = std::size_t{16} * 1024;

template <class Part>
Part* find_part(std::vector<Part>& parts, std::size_t index) {
  if (!parts.empty() && parts.back().index == index) return &parts.back();
  const auto found = std::ranges::find(parts, index, &Part::index);
  return found == parts.end() ? nullptr : &*found;
}

// Some servers have a member for it in every answer.
bool says_error(const JsonTape::Value& error) {
  if (error.is(JsonKind::string)) return !error.string().empty();
  return error.begin() != error.end();
}

}  // namespace

KeptChoice* KeptAnswer::choice(std::size_t index) {
  if (KeptChoice* found = find_part(choices, index)) return found;
  if (++parts_ > kMostParts) {
    cut();
    return nullptr;
  }
  choices.emplace_back().index = index;
  return &choices.back();
}

KeptCall* KeptAnswer::call(KeptChoice& choice, std::size_t index) {
  if (KeptCall* found = find_part(choice.calls, index)) return found;
  if (++parts_ > kMostParts) {
    cut();
    return nullptr;
  }
  choice.calls.emplace_back().index = index;
  return &choice.calls.back();
}

void KeptAnswer::close() noexcept {
  cut();
  left_ = 0;
  parts_ = kMostParts;
}

void KeptAnswer::put_in_order() {
  std::ranges::sort(choices, {}, &KeptChoice::index);
  for (KeptChoice& choice : choices) std::ranges::sort(choice.calls, {}, &KeptCall::index);
}

std::size_t KeptAnswer::held_bytes() const noexcept {
  std::size_t bytes = usage.capacity() + error_text.capacity() + model.capacity();
  for (const KeptChoice& choice : choices) {
    bytes += sizeof(choice) + choice.text.held_bytes() + choice.reasoning.held_bytes() +
             choice.refusal.held_bytes() + choice.finish_reason.capacity();
    for (const KeptCall& call : choice.calls) {
      bytes +=
          sizeof(call) + call.id.capacity() + call.name.capacity() + call.arguments.held_bytes();
    }
  }
  return bytes;
}

bool KeptAnswer::has_room(std::string_view text) {
  content_bytes_ += text.size();
  if (text.size() > left_) {
    cut();
    left_ = 0;  // what follows would stand where it does not belong
  }
  if (left_ == 0) return false;
  left_ -= text.size();
  return true;
}

void KeptAnswer::append(KeptText& text, const JsonTape::Value& string) {
  const std::string_view escaped = string.string();
  if (!has_room(escaped)) return;
  values_last_ ? text.append_lasting(escaped) : text.append(escaped);
}

void KeptAnswer::append_made(KeptText& text, std::string_view escaped) {
  if (has_room(escaped)) text.append(escaped);
}

void KeptAnswer::set(std::string& text, std::string_view escaped) {
  if (escaped.empty()) return;
  if (escaped.size() > kMostShortBytes) return cut();
  text = escaped;
}

void KeptAnswer::set_usage(const JsonTape::Value& report) {
  if (report.is(JsonKind::object)) replace_usage(report.text());
}

void KeptAnswer::update_usage(const JsonTape::Value& report) {
  if (!report.is(JsonKind::object)) return;
  JsonTape before;
  JoinedFields fields;
  if (before.read(usage)) {
    for (const JsonTape::Value member : before.root()) {
      fields.add(member.key(), member.text(), JoinRule::last);
    }
  }
  for (const JsonTape::Value member : report) {
    fields.add(member.key(), member.text(), JoinRule::last);
  }
  std::string text = "{";
  fields.append_to(text);
  replace_usage(text += '}');
}

// One that is not for records takes the place of those before it too: they are not the last word.
void KeptAnswer::replace_usage(std::string_view text) {
  usage.clear();
  is_deeper_than(kMostRecordDepth, text) ? cut() : set(usage, text);
}

void KeptAnswer::set_error(const JsonTape::Value& error) {
  if (!says_error(error)) return;
  for (const std::string_view name : {"error", "message", "detail", "msg"}) {
    const JsonTape::Value inner = error.get(name);
    if (says_error(inner)) return set_error(inner);
  }
  if (error.is(JsonKind::string)) return set(error_text, error.string());
  if (error.is(JsonKind::array)) return set_error(*error.begin());
  std::string text;
  append_json_escaped(text, error.text());
  set(error_text, text);
}

}  // namespace aifd::protocol
