#include "aifd/chain/exchange.hpp"

#include <algorithm>
#include <ranges>

#include "aifd/chain/reply.hpp"
#include "aifd/protocol/media_type.hpp"

namespace aifd::chain {

namespace {

bool is_success(int status) noexcept {
  return status >= 200 && status < 300;
}

bool is_readable(const protocol::Fields& fields) noexcept {
  const std::string_view coding = fields.get("Content-Encoding");
  return (coding.empty() || protocol::iequals(coding, "identity")) &&
         !protocol::is_binary(protocol::media_type(fields));
}

}  // namespace

Exchange::Exchange(protocol::RequestHead head, protocol::RequestFraming request_framing,
                   protocol::Target request_target, Client other_end, std::string_view id,
                   BodySource& body_source, Clock::time_point started)
    : request(std::move(head)),
      framing(request_framing),
      target(std::move(request_target)),
      client(other_end),
      request_id(id),
      body(body_source, request_framing.body) {
  progress.started = started;
}

Exchange::~Exchange() {
  finish(EndedBy::aifd, Error{ErrorKind::internal, ErrorSource::aifd, false, "abandoned"});
}

void Exchange::add_edit(std::unique_ptr<ReplyEdit> edit) {
  edits_.push_back(std::move(edit));
}

std::string_view Exchange::keep(std::string_view text) {
  if (text.empty()) return {};
  auto* const copy = static_cast<char*>(kept_.allocate(text.size(), alignof(char)));
  std::copy(text.begin(), text.end(), copy);
  return {copy, text.size()};
}

void Exchange::show_head(protocol::ResponseHead& head) {
  for (const auto& tap : taps_) tap->on_head(head);
  progress.status = head.status;
  if (counts_usage_ && is_success(head.status) && is_readable(head.fields)) usage_.emplace(dialect);
}

Clock::time_point Exchange::show(std::string_view bytes) noexcept {
  if (usage_) usage_->feed(bytes);
  Clock::time_point not_before = kAtOnce;
  for (const auto& tap : taps_) not_before = std::max(not_before, tap->on_chunk(bytes));
  return not_before;
}

void Exchange::finish(EndedBy ended_by, std::optional<Error> error) noexcept {
  if (finished_) return;
  finished_ = true;
  progress.ended_by = ended_by;
  if (error) progress.error = std::move(error);
  progress.bytes_in = body.bytes_read();
  progress.ended = Clock::now();
  for (const auto& tap : taps_ | std::views::reverse) tap->on_done(progress);
}

}  // namespace aifd::chain
