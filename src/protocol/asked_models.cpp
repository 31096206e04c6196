#include "aifd/protocol/asked_models.hpp"

#include <algorithm>
#include <optional>

#include "aifd/base/words.hpp"
#include "chars.hpp"
#include "percent.hpp"

namespace aifd::protocol {
namespace {

constexpr std::size_t kMostNames = 8;

constexpr std::string_view kOddPath =
    "The path spells its model in a way that servers may read differently.";
constexpr std::string_view kOddQuery =
    "The query spells its model in a way that servers may read differently; send one plain "
    "\"model=\".";
constexpr std::string_view kRepeatedQuery = "The query names its model more than once.";

AskedModels unclear(std::string_view problem) {
  return {{}, problem};
}

// Calls fn(path) with the path as a lenient server may see it: one escape level off, a backslash
// for a slash. Nearly all are as they stand.
template <class Fn>
auto with_lenient_path(std::string_view path, Fn fn) {
  const auto other = [](Bytes bytes) { return mark_equal(bytes, '%') | mark_equal(bytes, '\\'); };
  if (find_marked(path, 0, other) == path.size()) return fn(path);
  std::string decoded = percent_decode(path);
  std::replace(decoded.begin(), decoded.end(), '\\', '/');
  return fn(std::string_view(decoded));
}

// Some servers cut a segment at its semicolon.
std::string_view cut_segment(std::string_view segment) {
  return segment.substr(0, segment.find(';'));
}

bool ends_with_segment(std::string_view path, std::string_view segment) {
  while (path.ends_with('/')) path.remove_suffix(1);
  const std::size_t slash = path.rfind('/');
  return slash != std::string_view::npos && iequals(cut_segment(path.substr(slash + 1)), segment);
}

bool reads_only(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "DELETE" || method == "OPTIONS";
}

// "gemini-pro:generateContent" is called; "ft:gpt-4:org::id" is looked at.
std::string_view without_verb(std::string_view name) {
  const std::size_t colon = name.rfind(':');
  if (colon == std::string_view::npos) return name;
  const std::string_view verb = name.substr(colon + 1);
  return !verb.empty() && std::all_of(verb.begin(), verb.end(), is_alpha) ? name.substr(0, colon)
                                                                          : name;
}

// Azure's inference API has no model there: it is in the body.
bool is_action(std::string_view rest) {
  return rest == "chat/completions" || rest == "completions" || rest == "embeddings" ||
         rest == "images/embeddings";
}

// Takes the names out of one path.
class PathReader {
 public:
  PathReader(std::string_view method, std::string_view raw, std::string_view path)
      : method_(method), raw_(raw), path_(path) {}

  AskedModels read() {
    const auto ends_name = [](Bytes bytes) {
      return mark_equal(bytes, '/') | mark_equal(bytes, ';');  // as cut_segment()
    };
    for (std::size_t at = 0; at < path_.size() && asked_.problem.empty();) {
      const std::size_t name_end = find_marked(path_, at, ends_name);
      const std::size_t end = std::min(path_.find('/', name_end), path_.size());
      std::string_view rest = path_.substr(end);
      while (rest.starts_with('/')) rest.remove_prefix(1);
      if (!rest.empty()) see(path_.substr(at, name_end - at), rest);
      at = end + 1;
    }
    if (!asked_.problem.empty()) return unclear(asked_.problem);
    return std::move(asked_);
  }

 private:
  void see(std::string_view segment, std::string_view rest) {
    if (iequals(segment, "models")) {
      if (!is_action(rest)) add("", model_of(rest));
    } else if (iequals(segment, "tunedModels")) {
      add("tunedModels/", model_of(rest));
    } else if (iequals(segment, "deployments") || iequals(segment, "engines") ||
               iequals(segment, "model")) {  // Azure, OpenAI of old, Bedrock
      if (has_odd_slash()) asked_.problem = kOddPath;
      add("", rest.substr(0, rest.find('/')));
    }
  }

  // Escaped, or a backslash.
  bool has_odd_slash() const {
    return std::count(raw_.begin(), raw_.end(), '/') != std::count(path_.begin(), path_.end(), '/');
  }

  std::string_view model_of(std::string_view rest) const {
    if (reads_only(method_)) return rest.substr(0, rest.find("/operations/"));
    return without_verb(rest);
  }

  void add(std::string_view prefix, std::string_view name) {
    const bool is_odd = name.find_first_of("%;") != std::string_view::npos;  // % was escaped twice
    if (is_odd || asked_.names.size() == kMostNames) {
      asked_.problem = kOddPath;
    } else {
      asked_.names.push_back(std::string(prefix).append(name));
    }
  }

  std::string_view method_;
  std::string_view raw_;
  std::string_view path_;  // as a lenient server may see it
  AskedModels asked_;
};

enum class QueryName { other, wanted, near };

QueryName kind_of(std::string_view raw, std::string_view wanted) {
  if (raw == wanted) return QueryName::wanted;
  if (!percent_iequals(raw, wanted)) return QueryName::other;
  return percent_decode(raw) == wanted ? QueryName::wanted : QueryName::near;
}

std::optional<std::string> plain_value(std::string_view raw) {
  if (raw.find('+') != std::string_view::npos) return std::nullopt;
  std::string value = percent_decode(raw);
  if (value.find('%') != std::string::npos) return std::nullopt;
  return value;
}

// One parameter, if it is the wanted one. Gives what is wrong with it.
std::string_view read_parameter(std::string_view parameter, std::string_view wanted, bool alone,
                                std::optional<std::string>& found) {
  const std::size_t equals = std::min(parameter.find('='), parameter.size());
  const QueryName kind = kind_of(parameter.substr(0, equals), wanted);
  if (kind == QueryName::other) return {};
  if (kind == QueryName::near || !alone || equals == parameter.size()) return kOddQuery;
  if (found) return kRepeatedQuery;
  found = plain_value(parameter.substr(equals + 1));
  return found ? std::string_view{} : kOddQuery;
}

// Calls fn(parameter, alone) for each, until it gives a problem. Some servers end a parameter at
// ";" too: such a one is not alone.
template <class Fn>
std::string_view for_each_parameter(std::string_view query, Fn fn) {
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const bool alone = pair.find(';') == std::string_view::npos;
    while (!pair.empty()) {
      const std::size_t part_end = std::min(pair.find(';'), pair.size());
      const std::string_view problem = fn(pair.substr(0, part_end), alone);
      if (!problem.empty()) return problem;
      pair.remove_prefix(std::min(part_end + 1, pair.size()));
    }
  }
  return {};
}

}  // namespace

AskedModels models_in_path(std::string_view method, std::string_view path) {
  return with_lenient_path(
      path, [&](std::string_view lenient) { return PathReader(method, path, lenient).read(); });
}

AskedModels models_in_query(std::string_view query) {
  std::optional<std::string> model;
  std::optional<std::string> deployment;
  const std::string_view problem =
      for_each_parameter(query, [&](std::string_view parameter, bool alone) {
        const std::string_view odd = read_parameter(parameter, "model", alone, model);
        return odd.empty() ? read_parameter(parameter, "deployment", alone, deployment) : odd;
      });
  if (!problem.empty()) return unclear(problem);
  AskedModels asked;
  if (model) asked.names.push_back(*std::move(model));
  if (deployment) asked.names.push_back(*std::move(deployment));
  return asked;
}

bool takes_model_from_query(std::string_view path) {
  return with_lenient_path(
      path, [](std::string_view lenient) { return ends_with_segment(lenient, "realtime"); });
}

bool lists_models(std::string_view path) {
  return with_lenient_path(path, [](std::string_view lenient) {
    const auto ends_with = [&](std::string_view segment) {
      return ends_with_segment(lenient, segment);
    };
    if (ends_with("models") || ends_with("tunedModels") || ends_with("deployments")) return true;
    return lenient.find("/api/") != std::string_view::npos &&
           (ends_with("tags") || ends_with("ps"));
  });
}

}  // namespace aifd::protocol
