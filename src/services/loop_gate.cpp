#include "loop_gate.hpp"

#include <boost/asio/execution_context.hpp>

namespace aifd::services {
namespace {

// Asio shuts down services newest first, so this one before the loop's own queue, to which a post
// under way goes.
class GateKeeper final : public asio::execution_context::service {
 public:
  static inline asio::execution_context::id id;

  explicit GateKeeper(asio::io_context& loop)
      : asio::execution_context::service(loop),
        gate_(std::make_shared<LoopGate>(loop.get_executor())) {}

  const std::shared_ptr<LoopGate>& gate() const noexcept { return gate_; }

 private:
  void shutdown() override { gate_->shut(); }

  const std::shared_ptr<LoopGate> gate_;
};

}  // namespace

std::shared_ptr<LoopGate> loop_gate(asio::io_context& loop) {
  return asio::use_service<GateKeeper>(loop).gate();
}

}  // namespace aifd::services
