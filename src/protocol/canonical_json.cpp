#include "aifd/protocol/canonical_json.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "canonical_scalars.hpp"
#include "json_reader.hpp"

namespace aifd::protocol {
namespace {

using Kind = JsonReader::Kind;
using Token = JsonReader::Token;

constexpr std::size_t kMostBytes = std::size_t{1} << 30;  // offsets take 32 bits, also threefold
constexpr std::size_t kMostObjects = std::size_t{1} << 20;
constexpr std::size_t kMostMembers = std::size_t{1} << 20;

// All offsets are into the draft's text.
struct Member {
  std::uint32_t begin = 0;  // of the name's quote
  std::uint32_t name_end = 0;
  std::uint32_t end = 0;           // of the value
  std::uint32_t first_object = 0;  // the first that begins behind the name, perhaps past the end
};

struct Object {
  std::uint32_t begin = 0;  // of its brace
  std::uint32_t end = 0;
  std::uint32_t first_member = 0;
  std::uint32_t member_count = 0;
  std::uint32_t next_object = 0;  // the first that begins behind the end
};

// The body in canonical form, but that the members stand in the body's order and without commas;
// and where they are. Sorting them here would move the inner ones again and again.
struct Draft {
  std::string text;
  std::vector<Object> objects;  // in the order they begin; the first is the whole
  std::vector<Member> members;  // those of one object together, sorted

  std::string_view name(const Member& member) const {
    return std::string_view(text).substr(member.begin, member.name_end - member.begin);
  }
};

class Drafter {
 public:
  explicit Drafter(std::string_view body) : reader_(body) { draft_.text.reserve(body.size()); }

  bool run() {
    if (!take(reader_.next(), false) || draft_.objects.empty()) return false;
    while (true) {
      const bool in_array = reader_.in_array();
      const Token token = reader_.next();
      if (token.kind == Kind::end) return true;
      if (!take(token, in_array)) return false;
    }
  }

  Draft take_draft() { return std::move(draft_); }

 private:
  bool take(const Token& token, bool in_array) {
    std::string& text = draft_.text;
    const bool is_element = in_array && token.kind != Kind::end_array && text.back() != '[';
    if (is_element) text += ',';
    switch (token.kind) {
      case Kind::begin_object:
        return begin_object();
      case Kind::end_object:
        return end_object();
      case Kind::name:
        return begin_member(token);
      case Kind::string:
        append_string(token);
        return true;
      case Kind::number:
        return append_canonical_number(text, token.text);
      case Kind::begin_array:
      case Kind::end_array:
      case Kind::literal:
        text += token.text;
        return true;
      case Kind::end:
      case Kind::invalid:
        break;
    }
    return false;
  }

  void append_string(const Token& token) {
    if (token.has_escapes) {
      append_canonical_string(draft_.text, token.text);
    } else {
      draft_.text += token.text;
    }
  }

  bool begin_object() {
    if (draft_.objects.size() == kMostObjects) return false;
    open_.push_back({draft_.objects.size(), unsorted_.size()});
    draft_.objects.push_back({.begin = offset()});
    draft_.text += '{';
    return true;
  }

  bool begin_member(const Token& name) {
    if (draft_.members.size() + unsorted_.size() == kMostMembers) return false;
    end_member();
    Member member{.begin = offset()};
    append_string(name);
    member.name_end = offset();
    member.first_object = static_cast<std::uint32_t>(draft_.objects.size());
    unsorted_.push_back(member);
    draft_.text += ':';
    return true;
  }

  void end_member() {
    if (unsorted_.size() > open_.back().first_unsorted) unsorted_.back().end = offset();
  }

  // False where a name is there twice.
  bool end_object() {
    end_member();
    draft_.text += '}';
    Object& object = draft_.objects[open_.back().object];
    object.end = offset();
    object.next_object = static_cast<std::uint32_t>(draft_.objects.size());
    object.first_member = static_cast<std::uint32_t>(draft_.members.size());
    const bool is_valid = move_sorted(open_.back().first_unsorted);
    object.member_count = static_cast<std::uint32_t>(draft_.members.size()) - object.first_member;
    open_.pop_back();
    return is_valid;
  }

  bool move_sorted(std::size_t from) {
    const auto begin = unsorted_.begin() + static_cast<std::ptrdiff_t>(from);
    const auto name = [this](const Member& member) { return draft_.name(member); };
    std::ranges::sort(begin, unsorted_.end(), {}, name);
    const bool has_twice =
        std::ranges::adjacent_find(begin, unsorted_.end(), {}, name) != unsorted_.end();
    draft_.members.insert(draft_.members.end(), begin, unsorted_.end());
    unsorted_.erase(begin, unsorted_.end());
    return !has_twice;
  }

  std::uint32_t offset() const { return static_cast<std::uint32_t>(draft_.text.size()); }

  struct Open {
    std::size_t object;
    std::size_t first_unsorted;
  };

  JsonReader reader_;
  Draft draft_;
  std::vector<Open> open_;
  std::vector<Member> unsorted_;  // of the open objects
};

// Writes a draft out in the sorted order, each byte once.
class Writer {
 public:
  Writer(const Draft& draft, std::span<const std::string_view> left_out)
      : draft_(draft), left_out_(left_out) {}

  std::string run() {
    out_.reserve(draft_.text.size() + draft_.members.size());
    open(draft_.objects.front());
    while (!places_.empty()) go_on();
    return std::move(out_);
  }

 private:
  // How far an object is written.
  struct Place {
    const Object* object;
    std::uint32_t members_begun = 0;
    std::uint32_t at = 0;   // in the draft, while a member is being written
    std::uint32_t end = 0;  // of that member
    std::uint32_t next_object = 0;
    bool has_members = false;
  };

  void open(const Object& object) {
    out_ += '{';
    places_.push_back({.object = &object});
  }

  void go_on() {
    Place& place = places_.back();
    if (const Object* inner = next_inside(place)) {
      copy(place.at, inner->begin);
      place.at = inner->end;
      place.next_object = inner->next_object;
      return open(*inner);
    }
    copy(place.at, place.end);
    if (begin_member(place)) return;
    out_ += '}';
    places_.pop_back();
  }

  // The next object in what is left of the member.
  const Object* next_inside(const Place& place) const {
    if (place.next_object >= draft_.objects.size()) return nullptr;
    const Object& object = draft_.objects[place.next_object];
    return object.begin < place.end ? &object : nullptr;
  }

  bool begin_member(Place& place) {
    while (place.members_begun < place.object->member_count) {
      const Member& member = draft_.members[place.object->first_member + place.members_begun++];
      if (places_.size() == 1 && is_left_out(member)) continue;
      if (place.has_members) out_ += ',';
      place.has_members = true;
      place.at = member.begin;
      place.end = member.end;
      place.next_object = member.first_object;
      return true;
    }
    return false;
  }

  bool is_left_out(const Member& member) const {
    std::string_view name = draft_.name(member);
    name = name.substr(1, name.size() - 2);
    return std::ranges::find(left_out_, name) != left_out_.end();
  }

  void copy(std::uint32_t begin, std::uint32_t end) {
    out_.append(draft_.text, begin, end - begin);
  }

  const Draft& draft_;
  std::span<const std::string_view> left_out_;
  std::vector<Place> places_;
  std::string out_;
};

}  // namespace

std::optional<std::string> canonical_json(std::string_view body,
                                          std::span<const std::string_view> left_out) {
  if (body.size() >= kMostBytes) return std::nullopt;
  Drafter drafter(body);
  if (!drafter.run()) return std::nullopt;
  const Draft draft = drafter.take_draft();
  return Writer(draft, left_out).run();
}

}  // namespace aifd::protocol
