// A link of the chain.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "aifd/base/error.hpp"
#include "aifd/chain/exchange.hpp"
#include "aifd/chain/reply.hpp"
#include "aifd/chain/task.hpp"

namespace aifd::chain {

struct Pass {};
using LocalReply = Reply;
using Verdict = std::variant<Pass, LocalReply>;

class PromptMiddleware;

// Built at start-up and shared by all exchanges of all workers: no state of one request lives here.
class Middleware {
 public:
  Middleware() = default;
  Middleware(const Middleware&) = delete;
  Middleware& operator=(const Middleware&) = delete;
  virtual ~Middleware() = default;

  virtual std::string_view name() const noexcept = 0;

  // Readies what this link keeps for one event loop, such as a connection. Called once for each
  // loop, before it runs.
  virtual void on_loop_start(LoopExecutor /*loop*/) const {}

  // May edit the request, add taps, wait, answer, or refuse with an Error.
  virtual Task<Result<Verdict>> on_request(Exchange& exchange) const = 0;

  // What on_request() would give, as a plain call, which spares the request a coroutine; nullopt
  // where it has to wait: it is then asked, and begins anew.
  virtual std::optional<Result<Verdict>> try_request(Exchange& /*exchange*/) const {
    return std::nullopt;
  }

  // This link, where it is one that never waits.
  virtual const PromptMiddleware* prompt() const noexcept { return nullptr; }
};

// A link that never waits.
class PromptMiddleware : public Middleware {
 public:
  virtual Result<Verdict> decide(Exchange& exchange) const = 0;

  Task<Result<Verdict>> on_request(Exchange& exchange) const final;
  const PromptMiddleware* prompt() const noexcept final { return this; }
};

// The links in their order.
class Chain {
 public:
  explicit Chain(std::vector<std::unique_ptr<Middleware>> links) : links_(std::move(links)) {}

  // Runs the links from `next` on until one answers or refuses; Pass when none did.
  Task<Result<Verdict>> run(Exchange& exchange, std::size_t next = 0) const;
  // The same as a plain call; nullopt where the link that is then `next` has to wait.
  std::optional<Result<Verdict>> try_run(Exchange& exchange, std::size_t& next) const;

  const std::vector<std::unique_ptr<Middleware>>& links() const noexcept { return links_; }

 private:
  std::vector<std::unique_ptr<Middleware>> links_;
};

}  // namespace aifd::chain
