#include "redis_process.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <optional>
#include <random>
#include <stdexcept>
#include <thread>

namespace aifd::test {
namespace {

using namespace std::chrono_literals;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

class Connection {
 public:
  explicit Connection(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    const sockaddr_in address = loopback(port);
    connected_ =
        ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { ::close(socket_); }

  std::optional<services::RedisReply> ask(std::initializer_list<std::string_view> arguments) {
    std::string command;
    services::append_redis_command({arguments.begin(), arguments.size()}, command);
    if (!connected_ || ::send(socket_, command.data(), command.size(), MSG_NOSIGNAL) < 0) return {};
    std::array<char, 4096> buffer;
    for (;;) {
      if (std::optional<services::RedisReply> reply = replies_.next()) return reply;
      const ssize_t count = ::recv(socket_, buffer.data(), buffer.size(), 0);
      if (count <= 0) return {};
      replies_.feed({buffer.data(), static_cast<std::size_t>(count)});
    }
  }

 private:
  int socket_;
  bool connected_ = false;
  services::RedisReplyReader replies_;
};

}  // namespace

std::uint16_t free_port() {
  std::random_device random;
  for (;;) {
    const auto port = static_cast<std::uint16_t>(15000 + random() % 15000);
    const sockaddr_in address = loopback(port);
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    const int bound = ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    ::close(socket);
    if (bound == 0) return port;
  }
}

RedisProcess::RedisProcess(std::string password, std::vector<std::string> more_options)
    : options_(std::move(more_options)), password_(std::move(password)) {
  for (int attempt = 0; attempt < 5; ++attempt) {
    port_ = free_port();
    if (try_start()) return;
  }
  throw std::runtime_error("redis-server does not start");
}

RedisProcess::~RedisProcess() {
  kill();
}

void RedisProcess::start() {
  if (!try_start()) throw std::runtime_error("redis-server does not start again");
}

bool RedisProcess::try_start() {
  std::vector<std::string> words{
      AIFD_REDIS_SERVER, "--port", std::to_string(port_), "--bind", "127.0.0.1",
      "--save",          "",       "--requirepass",       password_};
  words.insert(words.end(), options_.begin(), options_.end());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const pid_t parent = ::getpid();
  process_ = ::fork();
  if (process_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    const int null = ::open("/dev/null", O_RDWR);
    ::dup2(null, STDOUT_FILENO);
    ::execv(AIFD_REDIS_SERVER, arguments.data());
    ::_exit(127);
  }
  while (::waitpid(process_, nullptr, WNOHANG) == 0) {
    Connection connection(port_);
    if (connection.ask({"PING"})) return true;
    std::this_thread::sleep_for(5ms);
  }
  process_ = -1;
  return false;
}

config::RedisUrl RedisProcess::url() const {
  config::RedisUrl url;
  url.host = "127.0.0.1";
  url.port = port_;
  url.password = Secret(password_);
  return url;
}

void RedisProcess::freeze() {
  ::kill(process_, SIGSTOP);
  int status = 0;
  while (::waitpid(process_, &status, WUNTRACED) == process_ && !WIFSTOPPED(status)) {
  }
}

void RedisProcess::wake() {
  ::kill(process_, SIGCONT);
}

void RedisProcess::kill() {
  if (process_ < 0) return;
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
  process_ = -1;
}

services::RedisReply RedisProcess::ask(std::initializer_list<std::string_view> arguments) const {
  Connection connection(port_);
  if (!password_.empty()) connection.ask({"AUTH", password_});
  const std::optional<services::RedisReply> reply = connection.ask(arguments);
  if (!reply) throw std::runtime_error("redis-server does not answer");
  return *reply;
}

}  // namespace aifd::test
