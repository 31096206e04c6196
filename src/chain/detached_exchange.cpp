#include "aifd/chain/detached_exchange.hpp"

namespace aifd::chain {
namespace {

// The body is here: nothing is expected of the client, who cannot switch protocols either.
protocol::RequestFraming framing_of(const Exchange& from, std::string_view body) {
  protocol::RequestFraming framing = from.framing;
  framing.expects_continue = false;
  framing.wants_upgrade = false;
  if (framing.body.kind != protocol::BodyKind::none) {
    framing.body = {protocol::BodyKind::length, body.size()};
  }
  return framing;
}

}  // namespace

DetachedExchange::DetachedExchange(const Exchange& from, std::string_view body)
    : body_(std::string(body)),
      exchange_(head_of(from), framing_of(from, body), target_of(from), from.client,
                keep(from.request_id), body_, from.progress.started) {
  exchange_.route = from.route;
  exchange_.route.path = keep(from.route.path);
  exchange_.dialect = from.dialect;
  exchange_.destination = from.destination;
  exchange_.destination.extra = keep(from.destination.extra);
}

std::string_view DetachedExchange::keep(std::string_view text) {
  return texts_.emplace_front(text);
}

protocol::Fields DetachedExchange::keep(const protocol::Fields& fields) {
  protocol::Fields kept;
  kept.reserve(fields.size());
  for (const protocol::Field& field : fields) kept.add(keep(field.name), keep(field.value));
  return kept;
}

protocol::RequestHead DetachedExchange::head_of(const Exchange& from) {
  return {keep(from.request.method), keep(from.request.target), from.request.version_minor,
          keep(from.request.fields)};
}

protocol::Target DetachedExchange::target_of(const Exchange& from) {
  return {from.target.path, keep(from.target.query), from.target.has_query};
}

}  // namespace aifd::chain
