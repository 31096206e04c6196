// One request and its answer: what the links read and edit, from the head's arrival to the outcome.
#pragma once

#include <array>
#include <boost/container/small_vector.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <memory_resource>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aifd/base/cidr.hpp"
#include "aifd/base/clock.hpp"
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

// The other end of the client's connection.
struct Client {
  IpAddress peer;     // of the socket
  IpAddress address;  // the caller's: the peer's, or what a trusted proxy in front says
  bool tls = false;
};

// The server a request goes to. The views belong to the settings, which outlive every exchange.
struct UpstreamServer {
  std::string_view host;
  std::uint16_t port = 0;
  bool tls = false;
  std::string_view authority;  // the Host field
};

// What the links decided about the way up.
struct Destination {
  UpstreamServer server;
  std::string_view base_path;  // of base_url: stands before the path after the prefix
  protocol::Fields extra;      // fields to add to the head
  bool may_upgrade = true;     // whether a 101 may make this a tunnel
};

// How much of an answer is read for the taps once its client has left; zeros: nothing, the upstream
// is left at once.
struct DrainBounds {
  std::chrono::milliseconds most_time{0};
  std::uint64_t most_bytes = 0;
};

// The route a request took; empty prefix while none was chosen.
struct RouteInfo {
  std::string_view prefix;
  std::string_view path;  // of the request, after the prefix; begins with "/"
  bool openai = false;
};

// Who is counted: the caller's key by the first half of its SHA-256 digest, or else the address.
using CallerId = std::array<unsigned char, 16>;

// By what the upstream may know who asks.
enum class Identity {
  anonymous,    // no key
  key,          // one of the caller's own
  forward_key,  // one that aifd replaces: callers of one level are one to the upstream
  mixed,        // several: which of them the upstream takes is unknown
};

// What the cache did for a request; none where it had no part in it.
enum class CacheUse { none, hit, miss, bypass };

std::string_view to_string(CacheUse use) noexcept;  // "hit"; "" for none

// By what the cache knows a request again. Logs show it in hex: it holds nothing of what was asked.
using CacheDigest = std::array<unsigned char, 32>;

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
  static constexpr std::size_t kFirstKept = 1024;  // bytes; not taken before they are needed

  Taps taps_;
  std::vector<std::unique_ptr<ReplyEdit>> edits_;
  std::optional<protocol::UsageScanner> usage_;
  bool counts_usage_ = false;
  Cutter* cutter_ = nullptr;
  std::pmr::monotonic_buffer_resource kept_{kFirstKept};
  bool finished_ = false;
};

}  // namespace aifd::chain
