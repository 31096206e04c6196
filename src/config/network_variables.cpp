// The way out, how long to wait, and how much to take.
#include <array>

#include "outbound_proxy.hpp"
#include "scalars.hpp"
#include "text.hpp"
#include "variables.hpp"

namespace aifd::config {
namespace {

constexpr std::string_view kAcceptedBytes = "bytes, such as 1048576, 32MiB or 1GiB";
constexpr std::string_view kAcceptedProxy = "http://[user:password@]host:port";

void read_size(std::string_view text, std::uint64_t& target, Problems& problems) {
  const Result<std::uint64_t> size = parse_bytes(text);
  if (size && *size == 0) return problems.push_back("0 would refuse every body");
  assign(target, size, problems);
}

std::string show_proxy(const std::optional<OutboundProxy>& proxy) {
  return proxy ? show_outbound_proxy(*proxy) : "";
}

// PROXY is the way for every upstream; it stands before HTTPS_PROXY, HTTP_PROXY and NO_PROXY in the
// table, and they give way to it.
void read_proxy(std::string_view text, Settings& settings, Problems& problems) {
  assign(settings.proxy, parse_outbound_proxy(text), problems);
  settings.http_proxy = settings.proxy;
}

bool proxy_is_set(const Settings& settings) {
  return settings.origins.contains("PROXY");
}

void read_https_proxy(std::string_view text, Settings& settings, Problems& problems) {
  if (!proxy_is_set(settings)) assign(settings.proxy, parse_outbound_proxy(text), problems);
}

void read_http_proxy(std::string_view text, Settings& settings, Problems& problems) {
  if (!proxy_is_set(settings)) assign(settings.http_proxy, parse_outbound_proxy(text), problems);
}

void read_no_proxy(std::string_view text, Settings& settings, Problems&) {
  if (!proxy_is_set(settings)) settings.no_proxy = split(to_lower(text), ',');
}

const std::array kVariables{
    Variable{
        "PROXY",
        "The HTTP proxy through which upstreams are reached. When it is not set, HTTPS_PROXY,\n"
        "HTTP_PROXY and NO_PROXY of the environment count.",
        "http://localhost:7890", kAcceptedProxy, read_proxy,
        [](const Settings& settings) {
          return proxy_is_set(settings) ? show_proxy(settings.proxy) : "";
        },
        true},
    Variable{"HTTPS_PROXY", "", "", kAcceptedProxy, read_https_proxy,
             [](const Settings& settings) {
               return proxy_is_set(settings) ? "" : show_proxy(settings.proxy);
             }},
    Variable{"HTTP_PROXY", "", "", kAcceptedProxy, read_http_proxy,
             [](const Settings& settings) {
               return proxy_is_set(settings) ? "" : show_proxy(settings.http_proxy);
             }},
    Variable{"NO_PROXY", "", "",
             "hosts, .suffixes, addresses or CIDR blocks with commas between them", read_no_proxy,
             [](const Settings& settings) { return join(settings.no_proxy, ","); }},
    Variable{"TIMEOUT", "Seconds to connect to an upstream.", "10", kAcceptedTimeout,
             [](std::string_view text, Settings& settings, Problems& problems) {
               assign(settings.timeouts.connect, parse_timeout(text), problems);
             },
             [](const Settings& settings) { return show_seconds(settings.timeouts.connect); }},
    Variable{"FIRST_BYTE_TIMEOUT", "Seconds until an upstream must begin to answer.", "600",
             kAcceptedTimeout,
             [](std::string_view text, Settings& settings, Problems& problems) {
               assign(settings.timeouts.first_byte, parse_timeout(text), problems);
             },
             [](const Settings& settings) { return show_seconds(settings.timeouts.first_byte); }},
    Variable{"IDLE_TIMEOUT", "Seconds that an answer may pause.", "300", kAcceptedTimeout,
             [](std::string_view text, Settings& settings, Problems& problems) {
               assign(settings.timeouts.idle, parse_timeout(text), problems);
             },
             [](const Settings& settings) { return show_seconds(settings.timeouts.idle); }},
    Variable{"CLIENT_TIMEOUT", "Seconds in which a request must arrive.", "60", kAcceptedTimeout,
             [](std::string_view text, Settings& settings, Problems& problems) {
               assign(settings.timeouts.client, parse_timeout(text), problems);
             },
             [](const Settings& settings) { return show_seconds(settings.timeouts.client); }},
    Variable{"MAX_BODY_BYTES", "The largest body of a request.", "1GiB", kAcceptedBytes,
             [](std::string_view text, Settings& settings, Problems& problems) {
               read_size(text, settings.max_body_bytes, problems);
             },
             [](const Settings& settings) { return show_bytes(settings.max_body_bytes); }},
    Variable{"MAX_BUFFERED_BODY_BYTES",
             "The largest body that is held whole, for the cache, the log and access by model.",
             "32MiB", kAcceptedBytes,
             [](std::string_view text, Settings& settings, Problems& problems) {
               read_size(text, settings.max_buffered_body_bytes, problems);
             },
             [](const Settings& settings) { return show_bytes(settings.max_buffered_body_bytes); }},
};

}  // namespace

std::span<const Variable> network_variables() {
  return kVariables;
}

}  // namespace aifd::config
