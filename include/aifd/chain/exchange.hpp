// One request and its answer: what the links read and edit, from the head's arrival to the outcome.
#pragma once

#include <array>
#include <boost/container/small_vector.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <memory_resource>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aifd/base/clock.hpp"
#include "aifd/chain/cache_use.hpp"
#include "aifd/chain/caller.hpp"
#include "aifd/chain/destination.hpp"
#include "aifd/chain/outcome.hpp"
#include "aifd/chain/request_body.hpp"
#include "aifd/chain/stopper.hpp"
#include "aifd/chain/tap.hpp"
#include "aifd/protocol/dialect.hpp"
#include "aifd/protocol/fields.hpp"
#include "aifd/protocol/framing.hpp"
#include "aifd/protocol/target.hpp"
#include "aifd/protocol/usage_scanner.hpp"

namespace aifd::chain {

// How much of an answer is read for the taps once its client has left; zeros: nothing, the upstream
// is left at once.
struct DrainBounds {
  std::chrono::milliseconds most_time{0};
  std::uint64_t most_bytes = 0;
};

class ReplyEdit;
class UpstreamCalls;

// Lives in its session's coroutine, on one thread. Links run one after another, so nothing here is
// locked.
class Exchange {
 public:
  Exchange(protocol::RequestHead head, protocol::RequestFraming framing, protocol::Target target,
           Client client, std::string_view request_id, BodySource& body_source,
           Clock::time_point started);
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  ~Exchange();  // finishes as an internal fault where nobody did before

  protocol::RequestHead request;     // views into the connection's buffer, or kept texts
  protocol::RequestFraming framing;  // as the client sent it
  protocol::Target target;
  Client client;
  std::string_view request_id;  // given here; valid as long as the exchange
  RequestBody body;
  RouteInfo route;
  protocol::Dialect dialect = protocol::Dialect::openai;  // of errors made here
  Destination destination;
  std::string_view key_alias;  // of the caller, for logs: never a key; empty: none known
  int level = 0;
  // The next two are set by forward_key.
  CallerId caller{};
  Identity identity = Identity::anonymous;
  DrainBounds drain;
  // Whether the upstream has the request and works at it, where a link called it itself; empty: as
  // `progress` says.
  std::function<bool()> is_under_way;
  CacheUse cache = CacheUse::none;
  std::optional<CacheDigest> cache_key;  // of a hit or miss, for logs

  // Keys that the caller sent and that aifd put in their place: what no log may show. Valid as long
  // as the exchange.
  boost::container::small_vector<std::string_view, 2> secrets;

  // Ends what this exchange waits for: a link that waits for long registers with it.
  Stopper stopper;
  // Of this exchange's loop, for links that call an upstream themselves; null in tests.
  UpstreamCalls* calls = nullptr;

  // Why it is refused whatever the links say: its head is not valid, aifd is shutting down.
  std::optional<Error> refused;

  // Where it is and what it came to so far; completed by finish().
  Outcome progress;

  using Taps = boost::container::small_vector<std::unique_ptr<Tap>, 4>;
  void add_tap(std::unique_ptr<Tap> tap) { taps_.push_back(std::move(tap)); }
  const Taps& taps() const noexcept { return taps_; }

  // Asks for the tokens that the answer reports to be counted: once for all who want to know.
  void count_usage() noexcept { counts_usage_ = true; }
  // Null where nobody asked, or the answer cannot be read: it is no success, coded, or no text.
  const protocol::UsageScanner* usage() const noexcept { return usage_ ? &*usage_ : nullptr; }

  // Shows the answer to the taps: its head, then each piece before it is written.
  void show_head(protocol::ResponseHead& head);
  Clock::time_point show(std::string_view bytes) noexcept;

  // Run in their order on the answer, before the taps see it.
  void add_edit(std::unique_ptr<ReplyEdit> edit);
  const std::vector<std::unique_ptr<ReplyEdit>>& edits() const noexcept { return edits_; }

  // At most one, which outlives the answer: a tap of this exchange that cuts the pieces it sees.
  void set_cutter(Cutter& cutter) noexcept { cutter_ = &cutter; }
  Cutter* cutter() const noexcept { return cutter_; }

  // Keeps a copy of a text as long as the exchange lives, for heads that hold views.
  std::string_view keep(std::string_view text);

  // Ends the exchange: stamps the time and tells every tap, last added first. Only the first call
  // counts.
  void finish(EndedBy ended_by, std::optional<Error> error = std::nullopt) noexcept;

 private:
  Taps taps_;
  std::vector<std::unique_ptr<ReplyEdit>> edits_;
  std::optional<protocol::UsageScanner> usage_;
  bool counts_usage_ = false;
  Cutter* cutter_ = nullptr;
  std::array<std::byte, 512> first_kept_;  // enough for most exchanges
  std::pmr::monotonic_buffer_resource kept_{first_kept_.data(), first_kept_.size()};
  bool finished_ = false;
};

}  // namespace aifd::chain
