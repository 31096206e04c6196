#include "aifd/protocol/caching_field.hpp"

#include "canonical_scalars.hpp"
#include "json_reader.hpp"

namespace aifd::protocol {
namespace {

using Kind = JsonReader::Kind;
using Token = JsonReader::Token;

CachingField::Is meaning_of(const Token& value) {
  if (value.text == "true") return CachingField::Is::on;
  if (value.text == "false") return CachingField::Is::off;
  return CachingField::Is::unclear;
}

// Follows the members of the top level.
class Search {
 public:
  explicit Search(std::string_view body)
      : begin_(body.data()), reader_(body, JsonReader::Surrogates::also_alone) {}

  std::optional<CachingField> run() {
    if (reader_.next().kind != Kind::begin_object) return std::nullopt;
    while (true) {
      const Token token = reader_.next();
      if (token.kind == Kind::invalid) return std::nullopt;
      if (token.kind == Kind::end) return found_;
      if (reader_.depth() == 0) {
        end_object();
      } else if (token.kind != Kind::name || reader_.depth() > 1) {
        value_end_ = end_of(token);
      } else if (!take_name(token)) {
        return CachingField{CachingField::Is::repeated};
      }
    }
  }

 private:
  // False where the field is there again.
  bool take_name(const Token& name) {
    const std::size_t name_begin = offset_of(name);
    if (is_last_) found_.cut_length = name_begin - found_.cut_offset;
    is_last_ = false;
    if (word_of(name) != "caching") return true;
    if (found_.is != CachingField::Is::absent) return false;
    const Token value = reader_.next();
    found_.is = meaning_of(value);
    found_.cut_offset = name_begin;
    previous_end_ = value_end_ == 0 ? name_begin : value_end_;
    value_end_ = end_of(value);
    is_last_ = true;
    return true;
  }

  void end_object() {
    if (!is_last_) return;
    found_.cut_offset = previous_end_;
    found_.cut_length = value_end_ - previous_end_;
  }

  std::size_t offset_of(const Token& token) const {
    return static_cast<std::size_t>(token.text.data() - begin_);
  }
  std::size_t end_of(const Token& token) const { return offset_of(token) + token.text.size(); }

  const char* begin_;
  JsonReader reader_;
  CachingField found_;
  std::size_t value_end_ = 0;     // of the member that is being read; 0 before the first
  std::size_t previous_end_ = 0;  // of the member before the field; where the field begins if none
  bool is_last_ = false;          // the field is the last member so far
};

}  // namespace

std::optional<CachingField> find_caching_field(std::string_view body) {
  return Search(body).run();
}

}  // namespace aifd::protocol
