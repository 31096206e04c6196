#include "aifd/base/error.hpp"

#include <array>
#include <stdexcept>

namespace aifd {
namespace {

struct Row {
  ErrorKind kind;
  std::string_view name;
  int status;
};

constexpr std::array kRows{
    Row{ErrorKind::bad_request, "bad_request", 400},
    Row{ErrorKind::not_implemented, "not_implemented", 501},
    Row{ErrorKind::head_too_large, "head_too_large", 431},
    Row{ErrorKind::body_too_large, "body_too_large", 413},
    Row{ErrorKind::client_timeout, "client_timeout", 408},
    Row{ErrorKind::client_gone, "client_gone", 499},
    Row{ErrorKind::misdirected, "misdirected", 421},
    Row{ErrorKind::upgrade_refused, "upgrade_refused", 426},
    Row{ErrorKind::address_denied, "address_denied", 403},
    Row{ErrorKind::unauthorized, "unauthorized", 401},
    Row{ErrorKind::model_denied, "model_denied", 403},
    Row{ErrorKind::rate_limited, "rate_limited", 429},
    Row{ErrorKind::no_route, "no_route", 404},
    Row{ErrorKind::not_cached, "not_cached", 504},
    Row{ErrorKind::draining, "draining", 503},
    Row{ErrorKind::overloaded, "overloaded", 503},
    Row{ErrorKind::upstream_unreachable, "upstream_unreachable", 502},
    Row{ErrorKind::upstream_tls, "upstream_tls", 502},
    Row{ErrorKind::upstream_connect_timeout, "upstream_connect_timeout", 504},
    Row{ErrorKind::upstream_first_byte_timeout, "upstream_first_byte_timeout", 504},
    Row{ErrorKind::upstream_idle_timeout, "upstream_idle_timeout", 504},
    Row{ErrorKind::upstream_broke, "upstream_broke", 502},
    Row{ErrorKind::upstream_malformed, "upstream_malformed", 502},
    Row{ErrorKind::internal, "internal", 500},
};

constexpr const Row& row(ErrorKind kind) {
  return kRows[static_cast<std::size_t>(kind)];
}

constexpr bool in_order() {
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    if (kRows[i].kind != static_cast<ErrorKind>(i)) return false;
  }
  return kRows.size() == static_cast<std::size_t>(ErrorKind::internal) + 1;
}
static_assert(in_order(), "kRows has one row per kind, in the order of the enum");

}  // namespace

std::string_view error_name(ErrorKind kind) noexcept {
  return row(kind).name;
}

int error_status(ErrorKind kind) noexcept {
  return row(kind).status;
}

void throw_exception_from_error(const Error& error, const boost::source_location&) {
  throw std::logic_error("value() of an error: " + error.detail);
}

}  // namespace aifd
