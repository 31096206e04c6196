#include "aifd/middleware/model_access.hpp"

#include <algorithm>

#include "aifd/protocol/asked_models.hpp"
#include "model_list_edit.hpp"

namespace aifd::middleware {
namespace {

using chain::Exchange;
using protocol::AskedModels;

constexpr std::string_view kNoModel =
    "aifd can read no model in this request; name one as \"model\" in a JSON body.";
constexpr std::string_view kNoModelToUpgrade =
    "This connection names no model that aifd can read: the model would travel inside it. Name it "
    "in the path, or as \"?model=\" of a realtime path.";
constexpr std::string_view kEncoded =
    "aifd cannot read the model in a body with Content-Encoding; send the body without.";
constexpr std::string_view kTwoTypes =
    "The request has more than one Content-Type, so its model cannot be told.";

std::string refusal_of(std::string_view model) {
  constexpr std::size_t kMostShown = 100;
  std::string text = "The model \"";
  text.append(model.substr(0, kMostShown));
  return text += model.size() > kMostShown ? "...\" is not allowed." : "\" is not allowed.";
}

// Without a body.
bool may_lack_model(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "DELETE" || method == "OPTIONS";
}

bool is_identity(const protocol::Fields& fields) {
  return std::all_of(fields.begin(), fields.end(), [](const protocol::Field& field) {
    return field.name != "Content-Encoding" || field.value.empty() ||
           protocol::iequals(field.value, "identity");
  });
}

// Asks for a list that can be read: whole, plain, and not compared with one seen before.
void ask_for_whole_list(Exchange& exchange) {
  protocol::Fields& fields = exchange.request.fields;
  for (const std::string_view name : {"If-None-Match", "If-Modified-Since", "If-Match",
                                      "If-Unmodified-Since", "If-Range", "Range"}) {
    fields.remove(name);
  }
  fields.set("Accept-Encoding", "identity");
}

bool may_have_body(const Exchange& exchange) {
  const protocol::BodyFraming& body = exchange.framing.body;
  return body.kind == protocol::BodyKind::chunked ||
         (body.kind == protocol::BodyKind::length && body.length > 0);
}

// One request of a caller who may use only some models.
class Inspection {
 public:
  // Both outlive it.
  Inspection(Exchange& exchange, const AllowedModels& allowed)
      : exchange_(exchange),
        allowed_(allowed),
        path_(std::string(exchange.destination.base_path).append(exchange.route.path)) {}

  Result<void> check_head() {
    const AskedModels in_path = protocol::models_in_path(exchange_.request.method, path_);
    if (Result<void> checked = check(in_path); !checked) return checked;
    const AskedModels in_query = protocol::models_in_query(exchange_.target.query);
    if (Result<void> checked = check(in_query); !checked) return checked;
    named_in_path_ = !in_path.names.empty();
    named_in_query_ = !in_query.names.empty();
    const protocol::Fields& fields = exchange_.request.fields;
    if (may_have_body(exchange_) && !is_identity(fields)) return denied(kEncoded);
    if (may_have_body(exchange_) && fields.count("Content-Type") > 1) return denied(kTwoTypes);
    return {};
  }

  // After check_head(), once the body is held whole.
  Result<void> check_rest() const {
    return exchange_.body.held().empty() ? check_bare() : check_body();
  }

  Error too_large() const {
    return {ErrorKind::body_too_large, ErrorSource::client, false,
            "The request's body is larger than aifd reads to find its model "
            "(MAX_BUFFERED_BODY_BYTES). " +
                allowed_.text(exchange_.level)};
  }

  void filter_list() const {
    const std::string_view method = exchange_.request.method;
    if ((method != "GET" && method != "HEAD") || !protocol::lists_models(path_)) return;
    ask_for_whole_list(exchange_);
    exchange_.add_edit(std::make_unique<ModelListEdit>(allowed_));
  }

 private:
  Result<void> check(const AskedModels& asked) const {
    if (!asked.problem.empty()) return denied(asked.problem);
    for (const std::string& model : asked.names) {
      if (!allowed_.has(model)) return denied(refusal_of(model));
    }
    return {};
  }

  Result<void> check_bare() const {
    if (named_in_path_) return {};
    if (exchange_.framing.wants_upgrade) {
      if (named_in_query_ && protocol::takes_model_from_query(path_)) return {};
      return denied(kNoModelToUpgrade);
    }
    if (may_lack_model(exchange_.request.method)) return {};
    return denied(kNoModel);
  }

  Result<void> check_body() const {
    const AskedModels asked =
        protocol::models_in_body(exchange_.request.fields.get("Content-Type"), path_,
                                 exchange_.body.held(), [this] { return exchange_.body.peek(); });
    if (Result<void> checked = check(asked); !checked) return checked;
    if (asked.names.empty() && !named_in_path_) return denied(kNoModel);
    return {};
  }

  Error denied(std::string_view why) const {
    return {ErrorKind::model_denied, ErrorSource::client, false,
            std::string(why) + " " + allowed_.text(exchange_.level)};
  }

  Exchange& exchange_;
  const AllowedModels& allowed_;
  std::string path_;  // as the upstream gets it
  bool named_in_path_ = false;
  bool named_in_query_ = false;
};

}  // namespace

ModelAccess::ModelAccess(const std::map<int, std::vector<std::string>>& level_models,
                         std::uint64_t max_buffered_bytes)
    : none_({}), max_buffered_bytes_(max_buffered_bytes) {
  for (const auto& [level, names] : level_models) levels_.try_emplace(level, names);
}

const AllowedModels* ModelAccess::limit_of(const Exchange& exchange) const noexcept {
  if (exchange.level == 0 || levels_.empty()) return nullptr;
  const auto found = levels_.find(exchange.level);
  if (found == levels_.end()) return &none_;
  return found->second.has_all() ? nullptr : &found->second;
}

std::optional<Result<chain::Verdict>> ModelAccess::try_request(Exchange& exchange) const {
  const AllowedModels* allowed = limit_of(exchange);
  if (allowed == nullptr) return chain::Verdict{chain::Pass{}};

  Inspection inspection(exchange, *allowed);
  if (Result<void> checked = inspection.check_head(); !checked) return checked.error();
  if (may_have_body(exchange)) {
    const std::optional<Result<bool>> whole = exchange.body.try_hold(max_buffered_bytes_);
    if (!whole) return std::nullopt;
    if (!*whole) return whole->error();
    if (!**whole) return inspection.too_large();
  }
  if (Result<void> checked = inspection.check_rest(); !checked) return checked.error();
  inspection.filter_list();
  return chain::Verdict{chain::Pass{}};
}

// Nothing is read of a body whose head is refused.
Task<Result<chain::Verdict>> ModelAccess::on_request(Exchange& exchange) const {
  const AllowedModels* allowed = limit_of(exchange);
  if (allowed != nullptr && may_have_body(exchange)) {
    Inspection inspection(exchange, *allowed);
    if (Result<void> checked = inspection.check_head(); !checked) co_return checked.error();
    const Result<bool> whole = co_await exchange.body.hold(max_buffered_bytes_);
    if (!whole) co_return whole.error();
  }
  co_return try_request(exchange).value();
}

}  // namespace aifd::middleware
