// A redis-server of a test's own.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "aifd/config/redis_url.hpp"
#include "aifd/services/redis_reply.hpp"

namespace aifd::test {

// Started on a free port of 127.0.0.1, keeps nothing on disk, and ends with this, or with the test
// however that ends.
class RedisProcess {
 public:
  explicit RedisProcess(std::string password = "", std::vector<std::string> more_options = {});
  RedisProcess(const RedisProcess&) = delete;
  RedisProcess& operator=(const RedisProcess&) = delete;
  ~RedisProcess();

  config::RedisUrl url() const;
  std::uint16_t port() const noexcept { return port_; }

  void freeze();
  void wake();
  void kill();
  void start();  // once more, on the same port and empty

  // Over a connection of its own; returns when the server has answered.
  services::RedisReply ask(std::initializer_list<std::string_view> arguments) const;

 private:
  bool try_start();

  std::vector<std::string> options_;
  std::string password_;
  std::uint16_t port_ = 0;
  pid_t process_ = -1;
};

// A port nobody listens on, outside the range that the kernel gives out by itself.
std::uint16_t free_port();

}  // namespace aifd::test
