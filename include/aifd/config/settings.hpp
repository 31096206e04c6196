// Everything that can be set, as one immutable value. See .env.example for what each variable does.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "aifd/base/cidr.hpp"
#include "aifd/base/secret.hpp"
#include "aifd/config/base_url.hpp"
#include "aifd/config/rate_limit.hpp"

namespace aifd::config {

enum class RouteType { openai, general };

struct Route {
  BaseUrl base_url;
  std::string prefix;  // "/" or "/localai": starts with a slash, ends with none but for "/" itself
  RouteType type = RouteType::openai;
};

struct Listen {
  std::string host = "0.0.0.0";  // an address or a name; "::" listens on IPv6 and IPv4
  std::uint16_t port = 8000;     // 0: any free port, printed at start
  unsigned workers = 1;          // event loops, one thread each; "auto" is read as the core count
  std::string tls_key_file;      // PEM; both or neither
  std::string tls_certificate_file;
  bool web_ui = false;
  std::uint16_t web_ui_port = 8001;
};

// An API key and the levels that may use it; an empty list means every level.
struct ApiKey {
  Secret key;
  std::vector<int> levels;
};

struct ForwardKey {
  Secret key;  // the key itself, or "sha256:<64 hex digits>" of it
  int level = 0;
};

// Limits of one route: for every level (level empty), or of single levels.
struct LevelLimits {
  std::optional<int> level;
  RateLimits limits;
};
using RouteLimits = std::map<std::string, std::vector<LevelLimits>>;  // by route path

enum class RateLimitStrategy {
  fixed_window,
  moving_window,
  fixed_window_elastic_expiry,
  sliding_window_counter,
  gcra
};
enum class IterChunkType { efficiency, one_by_one };
enum class CacheBackend { memory, lmdb, leveldb, redis };
enum class CacheReplay { instant, original, paced };

// The way out: an HTTP proxy for upstream connections.
struct OutboundProxy {
  std::string host;
  std::uint16_t port = 0;
  Secret credentials;  // "user:password", percent-decoded; empty: none
};

struct Limits {
  RouteLimits requests;  // REQ_RATE_LIMIT
  RateLimits global;     // GLOBAL_RATE_LIMIT
  RateLimitStrategy strategy = RateLimitStrategy::fixed_window;
  Secret backend_url;                             // empty: memory
  std::chrono::milliseconds backend_timeout{20};  // REDIS_TIMEOUT: what a request waits for Redis
  RouteLimits tokens;                             // TOKEN_RATE_LIMIT
  RouteLimits token_quota;                        // TOKEN_QUOTA
  IterChunkType iter_chunk_type = IterChunkType::efficiency;
};

struct Cache {
  bool openai = false;
  bool general = false;
  std::vector<std::string> routes;
  CacheBackend backend = CacheBackend::memory;
  std::string root_path_or_url = "./FLAXKV_DB";  // a redis:// URL with CacheBackend::redis
  bool shared_by_all_callers = false;            // CACHE_SCOPE=global
  bool cached_by_default = false;                // DEFAULT_REQUEST_CACHING_VALUE
  std::chrono::seconds ttl{0};                   // CACHE_TTL; 0: answers are kept for ever
  std::optional<std::uint64_t> max_bytes;        // CACHE_MAX_BYTES; none: byte_limit() knows
  std::uint64_t max_entry_bytes = std::uint64_t{8} << 20;  // CACHE_MAX_ENTRY_BYTES
  CacheReplay replay = CacheReplay::instant;               // CACHE_REPLAY: of streams
  bool single_flight = true;                               // CACHE_SINGLE_FLIGHT

  bool on() const noexcept { return openai || general; }
  // What all answers may take: of memory, 256 MiB where it is not set, or on disk, 16 GiB. Nothing
  // to a Redis server, which has its own bound.
  std::uint64_t byte_limit() const noexcept {
    return max_bytes.value_or(std::uint64_t{backend == CacheBackend::memory ? 256U : 16'384U}
                              << 20);
  }
};

enum class LogOverflow { drop, wait };

struct Logs {
  bool openai = false;      // LOG_OPENAI
  bool general = false;     // LOG_GENERAL
  bool print_chat = false;  // PRINT_CHAT
  std::string folder = "Log";
  std::string access = "stdout";            // ACCESS_LOG: "off", "stdout", or a file's path
  std::uint64_t rotate_bytes = 50'000'000;  // LOG_ROTATE_BYTES
  std::size_t keep = 0;                     // LOG_KEEP: rotated files of each; 0: all
  bool compress = false;                    // LOG_COMPRESS=zstd: rotated files
  std::uint64_t queue_bytes = std::uint64_t{64} << 20;  // LOG_QUEUE_BYTES
  LogOverflow overflow = LogOverflow::drop;
  std::vector<std::string> redact;  // LOG_REDACT: RE2 patterns, which compile

  bool conversations() const noexcept { return openai || general || print_chat; }
};

// What becomes of an answer whose client has left (CLIENT_GONE).
struct ClientGone {
  bool drains = false;  // the rest is read, within these; else the upstream is left at once
  std::chrono::milliseconds most_time{300'000};
  std::uint64_t most_bytes = std::uint64_t{16} << 20;

  friend bool operator==(const ClientGone&, const ClientGone&) = default;
};

struct ModelMap {  // CUSTOM_MODEL_CONFIG
  BaseUrl api_base;
  std::map<std::string, std::string> models;  // asked name -> served name; empty: off
};

struct Timeouts {                                 // zero is not accepted for any of them
  std::chrono::milliseconds connect{10'000};      // TIMEOUT
  std::chrono::milliseconds first_byte{600'000};  // FIRST_BYTE_TIMEOUT
  std::chrono::milliseconds idle{300'000};        // IDLE_TIMEOUT
  std::chrono::milliseconds client{60'000};       // CLIENT_TIMEOUT
  std::chrono::milliseconds drain{30'000};        // DRAIN_TIMEOUT; 0: do not wait
};

struct Settings {
  Listen listen;
  std::vector<Route> routes;  // longest prefix first
  std::vector<ApiKey> api_keys;
  std::vector<ForwardKey> forward_keys;
  bool require_forward_key = false;
  std::chrono::milliseconds api_key_cooldown{60'000};  // 0: keys do not rest unless told to
  std::map<int, std::vector<std::string>> level_models;
  Limits limits;
  Cache cache;
  std::string chat_completion_path = "/v1/chat/completions";  // after the route prefix
  std::string completion_path = "/v1/completions";
  std::string embedding_path = "/v1/embeddings";
  std::string custom_general_path;
  ModelMap model_map;
  Logs logs;
  std::map<std::string, ClientGone> client_gone;  // by route path; one of none is left at once
  CidrSet ip_whitelist;                           // empty: everybody
  CidrSet ip_blacklist;
  CidrSet trusted_proxies;      // 127.0.0.1/32, ::1/128
  bool proxy_protocol = false;  // connections begin with a PROXY header
  bool forward_client_ip = false;
  std::optional<OutboundProxy> proxy;       // for https upstreams: PROXY, or else HTTPS_PROXY
  std::optional<OutboundProxy> http_proxy;  // for http upstreams: PROXY, or else HTTP_PROXY
  std::vector<std::string> no_proxy;        // host names, ".suffix", addresses, CIDR, "*"
  Timeouts timeouts;
  bool default_stream_response = true;
  bool benchmark_mode = false;
  std::vector<std::string> cors_origins;  // empty: any
  std::uint64_t max_body_bytes = std::uint64_t{1} << 30;
  std::uint64_t max_buffered_body_bytes = std::uint64_t{32} << 20;
  std::size_t max_connections = 0;  // per process; 0: as many as descriptors allow
  std::string admin_socket;         // ADMIN_SOCKET: a path, "off"; empty: a place of its own
  std::string time_zone;            // TZ; empty: the system's

  // Where each value that is not a default came from: variable name -> "environment", ".env",
  // a config file's path, "--port". For `aifd check` and error texts.
  std::map<std::string, std::string> origins;
};

}  // namespace aifd::config
