#include "checks.hpp"

#include <algorithm>
#include <initializer_list>

#include "aifd/config/redis_url.hpp"
#include "scalars.hpp"
#include "text.hpp"
#include "text_file.hpp"

namespace aifd::config {
namespace {

class Checker {
 public:
  Checker(const Settings& settings, const std::set<std::string_view>& failed, Report& report)
      : settings_(settings), failed_(failed), report_(report) {}

  void run() {
    if (known({"ssl_keyfile", "ssl_certfile"})) check_tls();
    if (known({"OPENAI_API_KEY_CONFIG", "FORWARD_KEY_CONFIG"})) check_keys();
    if (known({"LEVEL_MODELS", "FORWARD_KEY_CONFIG"})) check_levels();
    if (known({"REQUIRE_FORWARD_KEY", "FORWARD_KEY_CONFIG"})) check_required_key();
    if (known({"CACHE_BACKEND", "CACHE_ROOT_PATH_OR_URL"})) check_cache_place();
    if (known({"CACHE_MAX_BYTES", "CACHE_MAX_ENTRY_BYTES"})) check_cache_sizes();
    if (known({"CACHE_GENERAL", "CACHE_ROUTES", "CUSTOM_GENERAL_ROUTE"})) check_cached_routes();
    if (known({"CACHE_REPLAY", "TOKEN_RATE_LIMIT"})) check_replay();
    if (known({"PROXY_PROTOCOL", "TRUSTED_PROXIES"})) check_proxy_protocol();
    if (known({"PORT", "WEBUI", "WEBUI_PORT"})) check_ports();
    if (known({"TZ"})) check_time_zone();
  }

 private:
  bool known(std::initializer_list<std::string_view> names) const {
    return std::none_of(names.begin(), names.end(),
                        [&](std::string_view name) { return failed_.contains(name); });
  }

  std::string source(const std::string& name) const {
    const auto origin = settings_.origins.find(name);
    return origin == settings_.origins.end() ? "default" : origin->second;
  }

  void fail(const std::string& name, const std::string& what, const std::string& accepted) {
    report_.errors.push_back(error_line(name, source(name), what, accepted));
  }

  void warn(const std::string& name, const std::string& what) {
    report_.warnings.push_back(name + " (" + source(name) + "): " + what);
  }

  void check_pem(const std::string& name, const std::string& path, std::string_view label,
                 const std::string& accepted) {
    const Result<std::string> text = read_text_file(path);
    if (!text) {
      fail(name, in_quotes(path) + " " + text.error().detail, accepted);
    } else if (text->find(label) == std::string::npos) {
      fail(name, in_quotes(path) + " has no line with " + in_quotes(label), accepted);
    } else if (text->find("ENCRYPTED") != std::string::npos) {
      fail(name, in_quotes(path) + " is encrypted with a passphrase", accepted + " without one");
    }
  }

  void check_tls() {
    const Listen& listen = settings_.listen;
    const bool has_key = !listen.tls_key_file.empty();
    const bool has_certificate = !listen.tls_certificate_file.empty();
    const std::string both = "both ssl_keyfile and ssl_certfile, or neither";
    if (has_key && !has_certificate) fail("ssl_keyfile", "ssl_certfile is not set", both);
    if (has_certificate && !has_key) fail("ssl_certfile", "ssl_keyfile is not set", both);
    if (has_key) {
      check_pem("ssl_keyfile", listen.tls_key_file, "PRIVATE KEY-----",
                "a readable PEM file with a private key");
    }
    if (has_certificate) {
      check_pem("ssl_certfile", listen.tls_certificate_file, "BEGIN CERTIFICATE-----",
                "a readable PEM file with a certificate");
    }
  }

  bool has_api_key(int level) const {
    return std::any_of(
        settings_.api_keys.begin(), settings_.api_keys.end(), [level](const ApiKey& entry) {
          return entry.levels.empty() ||
                 std::find(entry.levels.begin(), entry.levels.end(), level) != entry.levels.end();
        });
  }

  std::set<int> forward_levels() const {
    std::set<int> levels;
    for (const ForwardKey& entry : settings_.forward_keys) levels.insert(entry.level);
    return levels;
  }

  void check_keys() {
    const std::string accepted =
        "an API key in OPENAI_API_KEY_CONFIG for every level of a forward key";
    if (settings_.forward_keys.empty() && !settings_.api_keys.empty()) {
      warn("OPENAI_API_KEY_CONFIG", "no caller gets these keys, since FORWARD_KEY_CONFIG is empty");
    }
    if (!settings_.forward_keys.empty() && settings_.api_keys.empty()) {
      return fail("FORWARD_KEY_CONFIG", "there are forward keys, but no API key to use for them",
                  accepted);
    }
    for (const int level : forward_levels()) {
      if (has_api_key(level)) continue;
      fail("FORWARD_KEY_CONFIG",
           "there are forward keys of level " + std::to_string(level) + ", but no API key for it",
           accepted);
    }
  }

  void check_levels() {
    if (settings_.level_models.empty()) return;
    const std::set<int> levels = forward_levels();
    for (const int level : levels) {
      if (level == 0 || settings_.level_models.contains(level)) continue;
      fail(
          "LEVEL_MODELS",
          "there are forward keys of level " + std::to_string(level) + ", which has no models here",
          "every level of a forward key; " + any_model(level) + " allows all models");
    }
    for (const auto& [level, models] : settings_.level_models) {
      const std::string what = "level " + std::to_string(level);
      if (level == 0) {
        warn("LEVEL_MODELS", what + " may use every model; its list here does not count");
      } else if (!levels.contains(level)) {
        warn("LEVEL_MODELS", "no forward key is of " + what);
      }
    }
  }

  static std::string any_model(int level) { return '"' + std::to_string(level) + R"(":["*"])"; }

  void check_required_key() {
    if (settings_.require_forward_key && settings_.forward_keys.empty()) {
      fail("REQUIRE_FORWARD_KEY", "there is no forward key, so every caller would be refused",
           "true together with FORWARD_KEY_CONFIG");
    }
  }

  void check_proxy_protocol() {
    if (settings_.proxy_protocol && settings_.trusted_proxies.empty()) {
      warn("PROXY_PROTOCOL", "no header's address is believed, since TRUSTED_PROXIES is empty");
    }
  }

  void check_cache_place() {
    const std::string name = "CACHE_ROOT_PATH_OR_URL";
    const std::string& place = settings_.cache.root_path_or_url;
    const bool is_url = place.find("://") != std::string::npos;
    if (settings_.cache.backend == CacheBackend::redis) {
      const Result<RedisUrl> url = parse_redis_url(place);
      if (url) return;
      fail(name, url.error().detail + " (CACHE_BACKEND is REDIS)",
           "redis://[user:password@]host:port[/database] or rediss://...");
    } else if (is_url) {
      fail(name, "is a URL, and CACHE_BACKEND is not REDIS", "a directory");
    }
  }

  void check_cache_sizes() {
    const Cache& cache = settings_.cache;
    if (cache.backend == CacheBackend::redis) {
      if (cache.max_bytes) {
        warn("CACHE_MAX_BYTES", "does nothing to a Redis server, which has its own maxmemory");
      }
    } else if (settings_.origins.contains("CACHE_MAX_ENTRY_BYTES") &&
               cache.max_entry_bytes > cache.byte_limit()) {
      fail("CACHE_MAX_ENTRY_BYTES",
           "is more than all answers may take (" + show_bytes(cache.byte_limit()) + ")",
           "at most CACHE_MAX_BYTES");
    }
  }

  void check_cached_routes() {
    if (settings_.cache.general && settings_.cache.routes.empty() &&
        settings_.custom_general_path.empty()) {
      warn("CACHE_GENERAL",
           "no answer of a general route is kept, since neither CACHE_ROUTES nor "
           "CUSTOM_GENERAL_ROUTE names a path");
    }
  }

  void check_replay() {
    if (settings_.cache.replay == CacheReplay::paced && settings_.limits.tokens.empty()) {
      warn("CACHE_REPLAY", "kept streams are sent at once, since TOKEN_RATE_LIMIT is empty");
    }
  }

  void check_ports() {
    const Listen& listen = settings_.listen;
    if (listen.web_ui && listen.port != 0 && listen.port == listen.web_ui_port) {
      fail("WEBUI_PORT", "is the same as PORT", "a port of its own");
    }
  }

  void check_time_zone() {
    constexpr std::string_view kZones = "/usr/share/zoneinfo/";
    const std::string& zone = settings_.time_zone;
    // Names have a slash; the rest may be POSIX rules such as CST-8 or a file's path.
    const bool is_name =
        zone.find('/') != std::string::npos && zone.front() != ':' && zone.front() != '/';
    if (!is_name) return;
    const std::string zones(kZones);
    if (!file_exists(zones)) {
      warn("TZ", "this system has no zone data in " + zones + ", so logs are in UTC");
    } else if (zone.find("..") != std::string::npos || !file_exists(zones + zone)) {
      fail("TZ", in_quotes(zone) + " is unknown to this system",
           "a name such as Asia/Shanghai or UTC");
    }
  }

  const Settings& settings_;
  const std::set<std::string_view>& failed_;
  Report& report_;
};

}  // namespace

void check_together(const Settings& settings, const std::set<std::string_view>& failed,
                    Report& report) {
  Checker(settings, failed, report).run();
}

}  // namespace aifd::config
