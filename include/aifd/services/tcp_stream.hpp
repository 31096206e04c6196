// A ByteStream over plain TCP.
#pragma once

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <vector>

#include "aifd/chain/byte_stream.hpp"

namespace aifd::services {

class TcpStream final : public chain::ByteStream {
 public:
  // How many names are being looked up. Asio does that on a thread of its loop's, which the loop
  // joins as it goes: where this is not 0, destroying the loop may take as long as the system's
  // resolver does.
  using LookUps = std::atomic<int>;

  TcpStream(LoopExecutor loop, std::shared_ptr<LookUps> look_ups);

  Task<Result<void>> connect(const std::string& host, std::uint16_t port) override;
  Task<std::size_t> read_some(std::span<char> into, boost::system::error_code& ec) override;
  Task<void> write(std::string_view bytes, boost::system::error_code& ec) override;
  void close() noexcept override;

 private:
  using tcp = boost::asio::ip::tcp;
  using Endpoints = std::vector<tcp::endpoint>;

  Task<Endpoints> resolve(const std::string& host, std::uint16_t port,
                          boost::system::error_code& ec);
  Task<boost::system::error_code> try_address(const tcp::endpoint& endpoint);

  LoopExecutor loop_;
  std::shared_ptr<LookUps> look_ups_;
  asio::ip::basic_resolver<tcp, LoopExecutor> resolver_;
  asio::basic_stream_socket<tcp, LoopExecutor> socket_;
  bool closed_ = false;
};

}  // namespace aifd::services
