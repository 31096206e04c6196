// The limiter over TLS, against a server with a certificate for 127.0.0.1 alone.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "aifd/net/tls_byte_stream.hpp"
#include "aifd/services/redis_limiter.hpp"
#include "log.hpp"
#include "loop.hpp"
#include "redis_process.hpp"

namespace aifd::services {
namespace {

using namespace std::chrono_literals;

class RedisTls : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = (std::filesystem::temp_directory_path() / "aifd-XXXXXX").string();
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    const std::string command =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=r"
        " -addext subjectAltName=IP:127.0.0.1 -keyout " +
        folder_ + "/key.pem -out " + folder_ + "/cert.pem 2>/dev/null";
    ASSERT_EQ(std::system(command.c_str()), 0);
    port_ = test::free_port();
    redis_ = std::make_unique<test::RedisProcess>(
        "secret", std::vector<std::string>{"--tls-port", std::to_string(port_), "--tls-cert-file",
                                           folder_ + "/cert.pem", "--tls-key-file",
                                           folder_ + "/key.pem", "--tls-ca-cert-file",
                                           folder_ + "/cert.pem", "--tls-auth-clients", "no"});
    context_ = *net::make_client_tls();
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void trust_it() { context_->load_verify_file(folder_ + "/cert.pem"); }

  std::optional<LimitDecision> hit_at(const std::string& host, std::uint16_t port) {
    config::RedisUrl url = redis_->url();
    url.tls = true;
    url.host = host;
    url.port = port;
    RedisLimiter limiter(url, config::RateLimitStrategy::gcra, 1min,
                         [this](std::unique_ptr<chain::ByteStream> plain) {
                           return std::make_unique<net::TlsByteStream>(std::move(plain), context_);
                         });
    const LimitRule rule{0, "/v1", {{5, 1h}}};
    test::Loop loop;
    loop.run(limiter.hit({1}, rule));
    return loop.run(limiter.hit({1}, rule));
  }

  std::string folder_;
  std::uint16_t port_ = 0;
  std::unique_ptr<test::RedisProcess> redis_;
  std::shared_ptr<asio::ssl::context> context_;
  test::Log log_;
};

TEST_F(RedisTls, CountsOverTls) {
  trust_it();
  const std::optional<LimitDecision> decision = hit_at("127.0.0.1", port_);
  ASSERT_TRUE(decision) << log_.text();
  EXPECT_EQ(decision->remaining, 3U);
}

TEST_F(RedisTls, TrustsNoCertificateThatNobodyVouchesFor) {
  EXPECT_FALSE(hit_at("127.0.0.1", port_));
  EXPECT_EQ(log_.count("(its certificate is not accepted: self-signed certificate)"), 1U)
      << log_.text();
}

TEST_F(RedisTls, TrustsNoCertificateOfAnotherHost) {
  trust_it();
  EXPECT_FALSE(hit_at("localhost", port_));
  EXPECT_EQ(log_.count("(its certificate is not accepted: hostname mismatch)"), 1U) << log_.text();
}

TEST_F(RedisTls, NeverSpeaksToAServerWithoutTls) {
  EXPECT_FALSE(hit_at("127.0.0.1", redis_->port()));
  EXPECT_EQ(log_.count("does not answer ("), 1U) << log_.text();
}

}  // namespace
}  // namespace aifd::services
