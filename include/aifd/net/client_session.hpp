// One client connection: request after request, each through the chain to its answer.
#pragma once

#include <array>
#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <random>
#include <string>

#include "aifd/base/cidr.hpp"
#include "aifd/base/lifecycle.hpp"
#include "aifd/chain/middleware.hpp"
#include "aifd/chain/upstream_calls.hpp"
#include "aifd/config/settings.hpp"
#include "aifd/net/block_pool.hpp"
#include "aifd/net/client_body.hpp"
#include "aifd/net/client_input.hpp"
#include "aifd/net/client_patience.hpp"
#include "aifd/net/client_sink.hpp"
#include "aifd/net/deadline.hpp"
#include "aifd/net/proxy_headers.hpp"
#include "aifd/net/upstream_exchange.hpp"
#include "aifd/net/upstream_pool.hpp"

namespace aifd::net {

// What the sessions of one worker share; outlives them.
struct SessionContext {
  asio::io_context& loop;
  Ticker& ticker;
  UpstreamPool& pool;
  BlockPool& blocks;
  chain::UpstreamCalls& calls;
  const config::Settings& settings;
  const chain::Chain& chain;
  const Lifecycle& lifecycle;
  asio::ssl::context* tls;      // null: a plain listener
  ProxyHeaders* proxy_headers;  // null: connections begin with TLS or a request
  std::mt19937_64& random;      // for request ids
};

// Owned by the coroutine that runs it.
class ClientSession {
 public:
  ClientSession(Socket socket, const SessionContext& context);
  ClientSession(const ClientSession&) = delete;
  ClientSession& operator=(const ClientSession&) = delete;
  ~ClientSession() = default;

  // Serves until the connection is done with. Not run twice.
  Task<void> run();

  // Shutting down: an idle connection ends now, a busy one after its answer.
  void drain() noexcept;
  // Ends now, whatever is under way.
  void abort() noexcept;

 private:
  // What is to be told when something happens to the connection: an exchange, or the reading of
  // what is left of its body.
  struct UnderWay {
    chain::Stopper& stopper;
    chain::Outcome* progress = nullptr;  // the rest: null once the exchange has ended
    ClientSink* sink = nullptr;
  };

  // Looks whether the client has left while nobody reads from it.
  class LeaveProbe final : public Deadline {
   public:
    explicit LeaveProbe(ClientSession& session)
        : Deadline(session.context_.ticker), session_(session) {}

   private:
    void on_deadline() noexcept override { session_.on_probe(); }
    ClientSession& session_;
  };

  Task<bool> take_proxy_header();
  Task<bool> shake_hands();
  Task<Result<std::string_view>> wait_for_head();
  Task<bool> serve(Result<std::string_view> head_bytes);
  Task<Result<void>> answer(chain::Exchange& exchange, UpstreamExchange& upstream, ClientBody& body,
                            ClientSink& sink);
  Task<Result<void>> switch_protocols(chain::Exchange& exchange, UpstreamExchange& upstream,
                                      chain::Reply& reply);
  Task<bool> discard_rest(ClientBody& body);
  Task<void> linger();
  Task<void> say_goodbye();

  void on_client_gone() noexcept;
  void on_waiting_for_body(bool waits) noexcept;
  void on_probe() noexcept;
  std::array<char, 32> new_request_id();

  const SessionContext& context_;
  Stream stream_;
  ClientInput input_;
  ClientPatience patience_;
  LeaveProbe probe_;
  IpAddress peer_;
  UnderWay* under_way_ = nullptr;
  Clock::time_point waits_since_{};
  bool draining_ = false;
};

}  // namespace aifd::net
