// A request that outlives its client's session.
#pragma once

#include <forward_list>
#include <string>

#include "aifd/chain/exchange.hpp"

namespace aifd::chain {

// What goes up of an exchange, with texts of its own: head, destination and the body, which must be
// held whole. Without its taps, its edits and its client. Begins in the middle of the chain: behind
// the links that have run.
class DetachedExchange {
 public:
  explicit DetachedExchange(const Exchange& from) : DetachedExchange(from, from.body.held()) {}
  // With another body, of the same type.
  DetachedExchange(const Exchange& from, std::string_view body);

  Exchange& operator*() noexcept { return exchange_; }
  Exchange* operator->() noexcept { return &exchange_; }

 private:
  std::string_view keep(std::string_view text);
  protocol::Fields keep(const protocol::Fields& fields);
  protocol::RequestHead head_of(const Exchange& from);
  protocol::Target target_of(const Exchange& from);

  std::forward_list<std::string> texts_;
  TextBody body_;
  Exchange exchange_;
};

}  // namespace aifd::chain
