// Where each event loop keeps its connections.
#include <boost/asio/execution_context.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <vector>

#include "aifd/services/redis_connection.hpp"

namespace aifd::services {
namespace {

// Asio's idiom for what belongs to a loop: shut down before any of the loop's own parts, destroyed
// with it.
class LoopConnections final : public asio::execution_context::service {
 public:
  static inline asio::execution_context::id id;

  explicit LoopConnections(asio::io_context& loop)
      : asio::execution_context::service(loop), loop_(loop.get_executor()) {}

  RedisConnection& to(const std::shared_ptr<RedisServer>& server) {
    for (const auto& connection : connections_) {
      if (&connection->server() == server.get()) return *connection;
    }
    return *connections_.emplace_back(std::make_unique<RedisConnection>(loop_, server));
  }

 private:
  void shutdown() override {
    for (const auto& connection : connections_) connection->shutdown();
  }

  LoopExecutor loop_;
  std::vector<std::unique_ptr<RedisConnection>> connections_;
};

}  // namespace

RedisConnection& redis_connection(asio::io_context& loop,
                                  const std::shared_ptr<RedisServer>& server) {
  return asio::use_service<LoopConnections>(loop).to(server);
}

}  // namespace aifd::services
