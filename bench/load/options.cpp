#include "load/options.hpp"

#include <cstdlib>
#include <functional>
#include <map>

#include "sockets.hpp"

namespace bench {
namespace {

constexpr const char* kUsage = R"(usage: bench_load --port PORT [options]
  --connections N   at a time (64)              --seconds S      in which requests begin (1)
  --rate R          open loop, requests/s       --ramp S         connections begin evenly in these seconds
  --bytes N         of each JSON answer (600)   --events N       streams of N events instead
  --gap-us N        between two events (0)      --pad N          bytes of text in each request (0)
  --fresh           a connection a request      --text-only      compare texts, not bytes
  --same            all requests alike         --tls FILE       TLS, with the certificates in it as trust
  --hold idle|streams                           keep all open until standard input ends
  --path PATH  --model NAME  --field 'Name: value'  --patience S)";

std::uint32_t whole(const std::string& text) {
  return static_cast<std::uint32_t>(std::strtoul(text.c_str(), nullptr, 10));
}

double real(const std::string& text) {
  return std::strtod(text.c_str(), nullptr);
}

Options::Hold hold(const std::string& text) {
  if (text == "idle") return Options::Hold::idle;
  if (text == "streams") return Options::Hold::streams;
  die(kUsage);
}

}  // namespace

Options options_from(int count, char** arguments) {
  Options result;
  Orders& orders = result.orders;
  const std::map<std::string, std::function<void(const std::string&)>> with_value = {
      {"--port",
       [&](const auto& value) { result.port = static_cast<std::uint16_t>(whole(value)); }},
      {"--connections", [&](const auto& value) { result.connections = whole(value); }},
      {"--seconds", [&](const auto& value) { result.seconds = real(value); }},
      {"--rate", [&](const auto& value) { result.requests_per_second = real(value); }},
      {"--ramp", [&](const auto& value) { result.ramp_seconds = real(value); }},
      {"--patience", [&](const auto& value) { result.patience_seconds = real(value); }},
      {"--bytes", [&](const auto& value) { orders.bytes = whole(value); }},
      {"--events", [&](const auto& value) { orders.events = whole(value); }},
      {"--gap-us", [&](const auto& value) { orders.gap_us = whole(value); }},
      {"--pad", [&](const auto& value) { orders.pad = whole(value); }},
      {"--hold", [&](const auto& value) { result.hold = hold(value); }},
      {"--tls", [&](const auto& value) { result.trusted_file = value; }},
      {"--path", [&](const auto& value) { result.path = value; }},
      {"--model", [&](const auto& value) { result.model = value; }},
      {"--field", [&](const auto& value) { result.fields += value + "\r\n"; }}};
  for (int i = 1; i < count; ++i) {
    const std::string name = arguments[i];
    const auto found = with_value.find(name);
    if (name == "--fresh")
      result.fresh = true;
    else if (name == "--same")
      result.same = true;
    else if (name == "--text-only")
      result.text_only = true;
    else if (found != with_value.end() && i + 1 < count)
      found->second(arguments[++i]);
    else
      die(kUsage);
  }
  if (result.port == 0 || result.connections == 0) die(kUsage);
  return result;
}

}  // namespace bench
