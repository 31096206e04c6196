#include "model_list_edit.hpp"

#include "aifd/protocol/model_list.hpp"

namespace aifd::middleware {
namespace {

using chain::Exchange;
using chain::Reply;

constexpr std::size_t kMostListBytes = std::size_t{8} << 20;

Error unreadable(std::string_view why) {
  return {ErrorKind::upstream_malformed, ErrorSource::upstream, false,
          "The upstream's list of models " + std::string(why) +
              ", so aifd cannot leave out what your key may not use."};
}

bool is_encoded(const protocol::Fields& fields) {
  for (const protocol::Field& field : fields) {
    if (field.name == "Content-Encoding" && !field.value.empty() &&
        !protocol::iequals(field.value, "identity")) {
      return true;
    }
  }
  return false;
}

// Of the bytes as they were.
void drop_descriptions(protocol::Fields& fields) {
  for (const std::string_view name : {"Content-Length", "ETag", "Content-MD5", "Digest",
                                      "Content-Digest", "Repr-Digest", "Accept-Ranges"}) {
    fields.remove(name);
  }
}

// Reading the body may overwrite the head's bytes.
void keep_head(Exchange& exchange, protocol::ResponseHead& head) {
  std::string text(head.reason);
  for (const protocol::Field& field : head.fields) text.append(field.name).append(field.value);
  std::string_view kept = exchange.keep(text);
  const auto take = [&kept](std::string_view one) {
    const std::string_view copy = kept.substr(0, one.size());
    kept.remove_prefix(one.size());
    return copy;
  };
  head.reason = take(head.reason);
  head.fields.move_texts(take);
}

Task<Result<std::string>> read_whole(chain::BodySource& body) {
  std::string text;
  for (;;) {
    const Result<chain::Piece> piece = co_await body.next();
    if (!piece) co_return piece.error();
    if (piece->bytes.size() > kMostListBytes - text.size()) {
      co_return unreadable("is larger than 8 MiB");
    }
    text.append(piece->bytes);
    if (piece->last) co_return text;
  }
}

}  // namespace

Task<Result<Reply>> ModelListEdit::edit(Exchange& exchange, Reply reply) {
  if (reply.head.status / 100 != 2) co_return reply;
  drop_descriptions(reply.head.fields);
  if (!reply.body) co_return reply;
  if (is_encoded(reply.head.fields)) co_return unreadable("came encoded, though aifd asked not to");
  keep_head(exchange, reply.head);
  const Result<std::string> list = co_await read_whole(*reply.body);
  if (!list) co_return list.error();
  std::optional<std::string> filtered = protocol::filter_model_list(
      *list, [this](std::string_view model) { return allowed_.has(model); });
  if (!filtered) co_return unreadable("is in no form that aifd knows");
  reply.framing = {protocol::BodyKind::length, filtered->size()};
  reply.body = std::make_unique<chain::TextBody>(*std::move(filtered));
  co_return reply;
}

}  // namespace aifd::middleware
