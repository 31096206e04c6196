// The listener and the process.
#include <algorithm>
#include <array>
#include <thread>

#include "scalars.hpp"
#include "text.hpp"
#include "url_parts.hpp"
#include "variables.hpp"

namespace aifd::config {
namespace {

constexpr std::uint64_t kHighestPort = 65535;
constexpr std::uint64_t kMostWorkers = 1024;
constexpr std::uint64_t kMostConnections = 100'000'000;
constexpr std::string_view kAcceptedPort = "a port from 1 to 65535, or 0 for any free one";
constexpr std::size_t kLongestSocketPath = 107;  // sockaddr_un.sun_path, with a zero after it
constexpr std::string_view kUnused = "Accepted and unused: there is no second process to talk to.";

void read_host(std::string_view text, Settings& settings, Problems& problems) {
  const bool bracketed = text.starts_with('[') && text.ends_with(']');
  const Result<std::string> host = parse_host(bracketed ? text.substr(1, text.size() - 2) : text);
  if (!host) return problems.push_back(in_quotes(text) + " " + host.error().detail);
  settings.listen.host = *host;
}

void read_port(std::string_view text, std::uint16_t& target, Problems& problems) {
  const Result<std::uint64_t> port = parse_count(text, 0, kHighestPort);
  if (!port) return problems.push_back(port.error().detail);
  target = static_cast<std::uint16_t>(*port);
}

void read_workers(std::string_view text, Settings& settings, Problems& problems) {
  if (to_lower(text) == "auto") {
    settings.listen.workers = std::max(1U, std::thread::hardware_concurrency());
    return;
  }
  const Result<std::uint64_t> workers = parse_count(text, 1, kMostWorkers);
  if (!workers) return problems.push_back(workers.error().detail);
  settings.listen.workers = static_cast<unsigned>(*workers);
}

void read_admin_socket(std::string_view text, Settings& settings, Problems& problems) {
  if (text.size() > kLongestSocketPath) {
    return problems.push_back(in_quotes(text) + " is longer than 107 bytes, the most for a socket");
  }
  settings.admin_socket = to_lower(text) == "off" ? "off" : text;
}

void read_unused(std::string_view, Settings&, Problems&) {}
std::string show_unused(const Settings&) {
  return "";
}

const std::array kVariables{
    Variable{"HOST", "The address to listen on; :: is every address, IPv6 and IPv4.", "0.0.0.0",
             "an IP address or a host name", read_host,
             [](const Settings& settings) { return settings.listen.host; }},
    Variable{"PORT", "The port to listen on.", "8000", kAcceptedPort,
             [](std::string_view text, Settings& settings, Problems& problems) {
               read_port(text, settings.listen.port, problems);
             },
             [](const Settings& settings) { return std::to_string(settings.listen.port); }},
    Variable{"WORKERS", "Threads that serve; auto is one for each core.", "1",
             "a whole number from 1 to 1024, or auto", read_workers,
             [](const Settings& settings) { return std::to_string(settings.listen.workers); }},
    Variable{"ssl_keyfile", "PEM files: with both, the listener speaks TLS.", "key.pem",
             "the path of a PEM file with a private key",
             [](std::string_view text, Settings& settings, Problems&) {
               settings.listen.tls_key_file = text;
             },
             [](const Settings& settings) { return settings.listen.tls_key_file; }},
    Variable{"ssl_certfile", "The certificate, and after it those of its issuers.", "cert.pem",
             "the path of a PEM file with a certificate",
             [](std::string_view text, Settings& settings, Problems&) {
               settings.listen.tls_certificate_file = text;
             },
             [](const Settings& settings) { return settings.listen.tls_certificate_file; }},
    Variable{"WEBUI", "Serves the page for people, on a port of its own.", "true", kAcceptedBool,
             [](std::string_view text, Settings& settings, Problems& problems) {
               assign(settings.listen.web_ui, parse_bool(text), problems);
             },
             [](const Settings& settings) { return show_bool(settings.listen.web_ui); }},
    Variable{"WEBUI_PORT", "That port.", "8001", kAcceptedPort,
             [](std::string_view text, Settings& settings, Problems& problems) {
               read_port(text, settings.listen.web_ui_port, problems);
             },
             [](const Settings& settings) { return std::to_string(settings.listen.web_ui_port); }},
    Variable{"MAX_CONNECTIONS", "Connections at a time; 0: as many as the system allows.", "0",
             "a whole number",
             [](std::string_view text, Settings& settings, Problems& problems) {
               assign(settings.max_connections, parse_count(text, 0, kMostConnections), problems);
             },
             [](const Settings& settings) { return std::to_string(settings.max_connections); }},
    Variable{"DRAIN_TIMEOUT", "Seconds that requests under way have to end when aifd stops.", "30",
             "seconds, 0 or more, decimals allowed",
             [](std::string_view text, Settings& settings, Problems& problems) {
               assign(settings.timeouts.drain, parse_seconds(text), problems);
             },
             [](const Settings& settings) { return show_seconds(settings.timeouts.drain); }},
    Variable{
        "ADMIN_SOCKET",
        "The Unix socket over which \"aifd cache\" talks to a running aifd, or off. Empty: in\n"
        "$RUNTIME_DIRECTORY, $XDG_RUNTIME_DIR or a private directory in /tmp, by the port.",
        "/run/aifd/aifd.sock", "a path of at most 107 bytes, or off", read_admin_socket,
        [](const Settings& settings) { return settings.admin_socket; }},
    Variable{"TZ", "The time zone of logs.", "UTC", "a name such as Asia/Shanghai or UTC",
             [](std::string_view text, Settings& settings, Problems& problems) {
               if (!is_token_text(text))
                 problems.push_back(in_quotes(text) + " is not a time zone");
               settings.time_zone = text;
             },
             [](const Settings& settings) { return settings.time_zone; }},
    Variable{"WEBUI_RESTART_PORT", kUnused, "", "anything", read_unused, show_unused},
    Variable{"WEBUI_LOG_PORT", kUnused, "", "anything", read_unused, show_unused},
    Variable{"LOG_CACHE_DB_INFO", kUnused, "", "anything", read_unused, show_unused},
};

}  // namespace

std::span<const Variable> server_variables() {
  return kVariables;
}

}  // namespace aifd::config
