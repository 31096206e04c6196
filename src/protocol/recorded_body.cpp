#include "recorded_body.hpp"

#include "canonical_scalars.hpp"
#include "record_json.hpp"

namespace aifd::protocol {
namespace {

using Kind = JsonReader::Kind;

// A value may come to stand in a message of the record's list of them.
constexpr std::size_t kMostValueDepth = kMostRecordDepth - 3;

}  // namespace

bool RecordedBody::read(std::string_view text) {
  text_ = text;
  if (read_members()) return true;
  values_ = {};
  return false;
}

// Flat, since the reader's steps are cheaper than the calls of them.
[[gnu::flatten]] bool RecordedBody::read_members() {
  JsonReader reader(text_, JsonReader::Surrogates::also_alone);
  if (reader.next().kind != Kind::begin_object) return false;
  JsonReader::Token token = reader.next();
  for (; token.kind == Kind::name; token = reader.next()) {
    const std::size_t place =
        token.has_escapes ? place_of(word_of(token)) : place_of(inside(token.text));
    if (place < std::size(kNames)) {
      if (!read_value(reader, values_[place])) return false;
    } else if (reader.finish_value(reader.next()).empty()) {
      return false;
    }
  }
  return token.kind == Kind::end_object && reader.next().kind == Kind::end;
}

bool RecordedBody::read_value(JsonReader& reader, Value& value) {
  const std::size_t outside = reader.depth();
  const std::size_t begin = rewritten_.size();
  JsonReader::Token token = reader.next();
  RecordCopy copy(rewritten_, token);
  value = {};
  value.kind = kind_of(token.text);
  std::size_t deepest = outside;
  for (;; token = reader.next()) {
    if (token.kind == Kind::invalid) return false;
    copy.take(token);
    if (reader.depth() == outside) break;
    deepest = std::max(deepest, reader.depth());
  }
  value.is_too_deep = deepest - outside > kMostValueDepth;
  const std::string_view same = copy.finish();
  value.is_rewritten = same.empty();
  value.begin = value.is_rewritten ? begin : static_cast<std::size_t>(same.data() - text_.data());
  value.size = value.is_rewritten ? rewritten_.size() - begin : same.size();
  return true;
}

JsonKind RecordedBody::kind(Name name) const noexcept {
  const Value& value = values_[name.place_];
  return value.is_too_deep ? JsonKind::null : value.kind;
}

}  // namespace aifd::protocol
