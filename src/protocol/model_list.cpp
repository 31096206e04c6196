#include "aifd/protocol/model_list.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <utility>

namespace aifd::protocol {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr std::array<std::string_view, 4> kLists{"data", "models", "tunedModels",
                                                 "publisherModels"};
constexpr std::array<std::string_view, 3> kNames{"id", "name", "model"};

template <std::size_t kCount>
std::size_t index_of(const std::array<std::string_view, kCount>& names, std::string_view name) {
  return static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
}

// simdjson counts the white space behind a value to it.
std::string_view without_space_behind(std::string_view raw) {
  return raw.substr(0, raw.find_last_not_of(" \t\r\n") + 1);
}

using IsAllowed = std::function<bool(std::string_view)>;

// Its functions give false where the text is no such list.
class ListFilter {
 public:
  ListFilter(std::string_view list, const IsAllowed& is_allowed)
      : list_(list), is_allowed_(is_allowed) {}

  bool read(ondemand::document& document) {
    ondemand::json_type type{};
    if (document.type().get(type) != simdjson::SUCCESS) return false;
    if (type == ondemand::json_type::array) {
      ondemand::array array;
      return document.get_array().get(array) == simdjson::SUCCESS && read_array(array);
    }
    ondemand::object object;
    return document.get_object().get(object) == simdjson::SUCCESS && read_object(object);
  }

  std::string take() {
    copy_to(list_.size());
    return std::move(filtered_);
  }

 private:
  bool read_object(ondemand::object object) {
    std::array<bool, kLists.size()> seen{};
    for (auto entry : object) {
      ondemand::field field;
      if (std::move(entry).get(field) != simdjson::SUCCESS) return false;
      std::string_view key;
      if (field.unescaped_key().get(key) != simdjson::SUCCESS) return false;
      const std::size_t index = index_of(kLists, key);
      if (index == kLists.size()) continue;
      if (std::exchange(seen[index], true) || !read_list(field.value())) return false;
    }
    return std::find(seen.begin(), seen.end(), true) != seen.end();
  }

  bool read_list(ondemand::value value) {
    ondemand::json_type type{};
    if (value.type().get(type) != simdjson::SUCCESS) return false;
    if (type == ondemand::json_type::null) return true;  // how servers in Go write an empty one
    ondemand::array array;
    return value.get_array().get(array) == simdjson::SUCCESS && read_array(array);
  }

  bool read_array(ondemand::array array) {
    std::string_view whole;
    if (array.raw_json().get(whole) != simdjson::SUCCESS) return false;
    if (array.reset().error() != simdjson::SUCCESS) return false;
    std::size_t behind = offset_of(whole) + 1;  // of the bracket, then of the entry before
    copy_to(behind);
    bool is_first = true;
    for (auto entry : array) {
      ondemand::value element;
      if (std::move(entry).get(element) != simdjson::SUCCESS) return false;
      std::string_view raw;
      bool is_kept = false;
      if (!read_entry(element, raw, is_kept)) return false;
      const std::size_t begin = offset_of(raw);
      if (is_kept) {
        std::string_view gap = list_.substr(behind, begin - behind);
        if (is_first) gap.remove_prefix(gap.find(',') + 1);
        filtered_.append(gap).append(raw);
        is_first = false;
      }
      behind = begin + raw.size();
    }
    copied_ = behind;
    return true;
  }

  bool read_entry(ondemand::value element, std::string_view& raw, bool& is_kept) {
    ondemand::json_type type{};
    if (element.type().get(type) != simdjson::SUCCESS) return false;
    ondemand::object object;
    ondemand::array array;
    switch (type) {
      case ondemand::json_type::object:
        if (element.get_object().get(object) != simdjson::SUCCESS ||
            object.raw_json().get(raw) != simdjson::SUCCESS ||
            object.reset().error() != simdjson::SUCCESS || !is_allowed(object, is_kept)) {
          return false;
        }
        break;
      case ondemand::json_type::array:
        if (element.get_array().get(array) != simdjson::SUCCESS ||
            array.raw_json().get(raw) != simdjson::SUCCESS) {
          return false;
        }
        break;
      case ondemand::json_type::string: {
        raw = element.raw_json_token();
        std::string_view name;
        if (element.get_string().get(name) != simdjson::SUCCESS) return false;
        is_kept = is_allowed_(name);
        break;
      }
      case ondemand::json_type::number:
      case ondemand::json_type::boolean:
      case ondemand::json_type::null:
        raw = element.raw_json_token();
        break;
    }
    raw = without_space_behind(raw);
    return true;
  }

  bool is_allowed(ondemand::object object, bool& is_kept) {
    std::array<std::string_view, kNames.size()> names{};
    std::array<bool, kNames.size()> has{};
    bool is_clear = true;
    for (auto entry : object) {
      ondemand::field field;
      if (std::move(entry).get(field) != simdjson::SUCCESS) return false;
      std::string_view key;
      if (field.unescaped_key().get(key) != simdjson::SUCCESS) return false;
      const std::size_t index = index_of(kNames, key);
      if (index == kNames.size()) continue;
      ondemand::json_type type{};
      if (field.value().type().get(type) != simdjson::SUCCESS) return false;
      if (std::exchange(has[index], true)) is_clear = false;
      if (type != ondemand::json_type::string) {
        is_clear = false;
      } else if (field.value().get_string().get(names[index]) != simdjson::SUCCESS) {
        return false;
      }
    }
    const auto may = [&](std::size_t index) { return !has[index] || is_allowed_(names[index]); };
    if (has[0]) {
      is_kept = is_clear && may(0);
    } else {
      is_kept = is_clear && (has[1] || has[2]) && may(1) && may(2);
    }
    return true;
  }

  std::size_t offset_of(std::string_view part) const {
    return static_cast<std::size_t>(part.data() - list_.data());
  }

  void copy_to(std::size_t end) {
    filtered_.append(list_.substr(copied_, end - copied_));
    copied_ = end;
  }

  std::string_view list_;  // as the parser sees it
  const IsAllowed& is_allowed_;
  std::string filtered_;
  std::size_t copied_ = 0;  // of the list, into filtered_ or cut out
};

}  // namespace

std::optional<std::string> filter_model_list(std::string_view list, const IsAllowed& is_allowed) {
  const simdjson::padded_string padded(list);
  ondemand::parser parser;
  ondemand::document document;
  if (parser.iterate(padded).get(document) != simdjson::SUCCESS) return std::nullopt;
  ListFilter filter({padded.data(), padded.size()}, is_allowed);
  if (!filter.read(document)) return std::nullopt;
  if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) return std::nullopt;
  return filter.take();
}

}  // namespace aifd::protocol
