#include "aifd/protocol/json_peek.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "aifd/protocol/fields.hpp"
#include "json_depth.hpp"

namespace aifd::protocol {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr std::size_t kMaxDepth = 1024;
constexpr std::string_view kIncludeUsage = "include_usage";

// Up to this size of body a thread keeps its parser and its copy for the next one.
constexpr std::size_t kKeptBytes = std::size_t{256} * 1024;

struct Scratch {
  ondemand::parser parser;
  std::string copy;
};

enum class Wanted {
  model,
  stream,
  models,
  fallbacks,
  name,
  stream_options,
  tokens,
  gemini_config,
  ollama_options
};
constexpr std::size_t kWantedOnce = 5;  // the first of them: twice is not read

struct WantedName {
  std::string_view name;
  Wanted wanted;
};

constexpr std::size_t kMostNames = 64;

// The one wanted name that a key can be, by its length and, where that is not enough, its first
// letter: most keys of a body are told from it at once.
WantedName candidate_for(std::string_view key) {
  switch (key.size()) {
    case 4:
      return {"name", Wanted::name};
    case 5:
      return {"model", Wanted::model};
    case 6:
      if ((key[0] | 0x20) == 'm') return {"models", Wanted::models};
      return {"stream", Wanted::stream};
    case 7:
      return {"options", Wanted::ollama_options};
    case 9:
      return {"fallbacks", Wanted::fallbacks};
    case 10:
      return {"max_tokens", Wanted::tokens};
    case 14:
      return {"stream_options", Wanted::stream_options};
    case 16:
      return {"generationConfig", Wanted::gemini_config};
    case 17:
      if ((key[0] | 0x20) == 'm') return {"max_output_tokens", Wanted::tokens};
      return {"generation_config", Wanted::gemini_config};
    case 21:
      return {"max_completion_tokens", Wanted::tokens};
    default:
      return {"", Wanted::model};
  }
}

// In any case, since servers written in Go take "Model" for "model".
bool is_wanted(std::string_view key, std::string_view name) {
  return !name.empty() && (key[0] | 0x20) == name[0] && (key == name || iequals(key, name));
}

// Go also takes the long s and the Kelvin sign for their letters.
bool is_folded_list_name(std::string_view key) {
  constexpr std::string_view kLongS = "\xC5\xBF";
  constexpr std::string_view kKelvin = "\xE2\x84\xAA";
  const std::size_t size = key.size();
  if (size != 7 && (size < 10 || size > 12)) return false;  // with one or both of them in it
  const bool is_ascii = std::all_of(key.begin(), key.end(), [](char c) { return (c & 0x80) == 0; });
  if (is_ascii) return false;
  std::string folded;
  for (std::size_t i = 0; i < key.size();) {
    const std::string_view rest = key.substr(i);
    const bool is_s = rest.starts_with(kLongS);
    const bool is_k = rest.starts_with(kKelvin);
    folded += is_s ? 's' : is_k ? 'k' : key[i];
    i += is_s ? kLongS.size() : is_k ? kKelvin.size() : 1;
  }
  return iequals(folded, "models") || iequals(folded, "fallbacks");
}

// Reads the top level of one body. Its functions give false where the value is broken.
class Peeker {
 public:
  // `peek` is empty.
  Peeker(const char* begin, JsonPeek& peek) : begin_(begin), peek_(peek) {}

  bool read(ondemand::object object) {
    for (auto entry : object) {
      ondemand::field field;
      if (std::move(entry).get(field) != simdjson::SUCCESS) return false;
      std::string_view key;
      if (field.unescaped_key().get(key) != simdjson::SUCCESS) return false;
      const WantedName wanted = candidate_for(key);
      if (is_wanted(key, wanted.name)) {
        if (!read_wanted(wanted.wanted, key == wanted.name, field.value())) return false;
      } else if (is_folded_list_name(key)) {
        peek_.more_models_unclear = true;
      }
    }
    if (include_usage_unclear_) peek_.include_usage.reset();
    return true;
  }

 private:
  bool read_wanted(Wanted wanted, bool exact, ondemand::value value) {
    const auto index = static_cast<std::size_t>(wanted);
    const bool again = index < kWantedOnce && exact && std::exchange(seen_[index], true);
    switch (wanted) {
      case Wanted::model:
        return exact && !again && read_model(value);
      case Wanted::stream:
        return !exact || (!again && read_boolean(value, peek_.stream));
      case Wanted::models:
      case Wanted::fallbacks:
      case Wanted::name:
        if (exact && !again) return read_names(wanted, value);
        set_unclear(wanted);
        return true;
      case Wanted::stream_options:
        return read_stream_options(exact, value);
      case Wanted::tokens:
        read_tokens(value);
        return true;
      case Wanted::gemini_config:
        return read_tokens_inside(value, {"maxOutputTokens", "max_output_tokens"});
      case Wanted::ollama_options:
        return read_tokens_inside(value, {"num_predict", "num_predict"});
    }
    return true;
  }

  // Where it is no string the model counts as absent.
  bool read_model(ondemand::value value) {
    ondemand::json_type type{};
    if (value.type().get(type) != simdjson::SUCCESS) return false;
    peek_.model_unclear = type != ondemand::json_type::string && type != ondemand::json_type::null;
    if (type != ondemand::json_type::string) return true;
    std::string_view literal = value.raw_json_token();
    literal = literal.substr(0, literal.find_last_of('"') + 1);
    std::string_view text;
    if (value.get_string().get(text) != simdjson::SUCCESS) return false;
    peek_.model = std::string(text);
    peek_.model_offset = static_cast<std::size_t>(literal.data() - begin_);
    peek_.model_length = literal.size();
    return true;
  }

  static bool read_boolean(ondemand::value value, std::optional<bool>& into) {
    ondemand::json_type type{};
    if (value.type().get(type) != simdjson::SUCCESS) return false;
    if (type != ondemand::json_type::boolean) return true;
    bool is_true = false;
    if (value.get_bool().get(is_true) != simdjson::SUCCESS) return false;
    into = is_true;
    return true;
  }

  bool read_stream_options(bool exact, ondemand::value value) {
    if (!exact || std::exchange(seen_stream_options_, true)) include_usage_unclear_ = true;
    return each_member(value, [this](std::string_view key, ondemand::value member) {
      if (!iequals(key, kIncludeUsage)) return true;
      const bool again = std::exchange(seen_include_usage_, true);
      if (again || key != kIncludeUsage) include_usage_unclear_ = true;
      return read_boolean(member, peek_.include_usage);
    });
  }

  bool read_names(Wanted wanted, ondemand::value value) {
    ondemand::json_type type{};
    if (value.type().get(type) != simdjson::SUCCESS) return false;
    if (type == ondemand::json_type::null) return true;
    if (type == ondemand::json_type::string) return read_name(wanted, value);
    if (type != ondemand::json_type::array || wanted == Wanted::name) {
      set_unclear(wanted);
      return true;
    }
    ondemand::array list;
    if (value.get_array().get(list) != simdjson::SUCCESS) return false;
    for (auto entry : list) {
      ondemand::value element;
      if (std::move(entry).get(element) != simdjson::SUCCESS) return false;
      if (element.type().get(type) != simdjson::SUCCESS) return false;
      if (type != ondemand::json_type::string || peek_.more_models.size() == kMostNames) {
        peek_.more_models_unclear = true;
      } else if (!read_name(wanted, element)) {
        return false;
      }
    }
    return true;
  }

  void set_unclear(Wanted wanted) {
    (wanted == Wanted::name ? peek_.name_unclear : peek_.more_models_unclear) = true;
  }

  bool read_name(Wanted wanted, ondemand::value value) {
    std::string_view text;
    if (value.get_string().get(text) != simdjson::SUCCESS) return false;
    if (wanted == Wanted::name) {
      peek_.name = std::string(text);
    } else {
      peek_.more_models.emplace_back(text);
    }
    return true;
  }

  void read_tokens(ondemand::value value) {
    ondemand::json_type type{};
    if (value.type().get(type) != simdjson::SUCCESS || type != ondemand::json_type::number) return;
    std::uint64_t tokens = 0;
    if (value.get_uint64().get(tokens) != simdjson::SUCCESS) {
      constexpr double kTooMany = 9e18;
      double number = 0;
      if (value.get_double().get(number) != simdjson::SUCCESS || number < 0) return;
      tokens = number >= kTooMany ? std::numeric_limits<std::uint64_t>::max()
                                  : static_cast<std::uint64_t>(std::ceil(number));
    }
    peek_.max_tokens = std::max(peek_.max_tokens.value_or(0), tokens);
  }

  bool read_tokens_inside(ondemand::value value, std::array<std::string_view, 2> names) {
    return each_member(value, [&](std::string_view key, ondemand::value member) {
      if (iequals(key, names[0]) || iequals(key, names[1])) read_tokens(member);
      return true;
    });
  }

  // Calls read(name, value) for each member where the value is an object; false as soon as that is,
  // or where the text is not valid.
  template <class Read>
  static bool each_member(ondemand::value value, Read read) {
    ondemand::json_type type{};
    if (value.type().get(type) != simdjson::SUCCESS) return false;
    if (type != ondemand::json_type::object) return true;
    ondemand::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS) return false;
    for (auto entry : object) {
      ondemand::field field;
      if (std::move(entry).get(field) != simdjson::SUCCESS) return false;
      std::string_view key;
      if (field.unescaped_key().get(key) != simdjson::SUCCESS) return false;
      if (!read(key, field.value())) return false;
    }
    return true;
  }

  const char* begin_;
  JsonPeek& peek_;
  std::array<bool, kWantedOnce> seen_{};
  bool seen_stream_options_ = false;
  bool seen_include_usage_ = false;
  bool include_usage_unclear_ = false;
};

static_assert(kPeekSlack >= simdjson::SIMDJSON_PADDING);

std::string_view padded_copy(std::string& into, std::string_view body) {
  into.reserve(body.size() + kPeekSlack);
  into.assign(body);
  into.append(kPeekSlack, '\0');
  return {into.data(), body.size()};
}

bool peek_with(Scratch& scratch, std::string_view body, std::size_t readable_behind,
               JsonPeek& peek) {
  if (readable_behind < kPeekSlack) body = padded_copy(scratch.copy, body);
  if (scratch.parser.capacity() < body.size() &&
      scratch.parser.allocate(std::bit_ceil(body.size())) != simdjson::SUCCESS) {
    return false;
  }
  const simdjson::padded_string_view padded(body.data(), body.size(), body.size() + kPeekSlack);
  ondemand::document document;
  ondemand::object object;
  if (scratch.parser.iterate(padded).get(document) != simdjson::SUCCESS ||
      document.get_object().get(object) != simdjson::SUCCESS ||
      !Peeker(body.data(), peek).read(object)) {
    return false;
  }
  return document.current_location().error() == simdjson::OUT_OF_BOUNDS;  // at its end
}

}  // namespace

std::optional<JsonPeek> peek_json(std::string_view body, std::size_t readable_behind) {
  std::optional<JsonPeek> peek;
  if (is_deeper_than(kMaxDepth, body)) return peek;
  thread_local Scratch kept;
  std::optional<Scratch> large;
  Scratch& scratch = body.size() > kKeptBytes ? large.emplace() : kept;
  if (!peek_with(scratch, body, readable_behind, peek.emplace())) peek.reset();
  return peek;
}

}  // namespace aifd::protocol
