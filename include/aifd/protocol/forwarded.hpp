// Whom proxies say they forward for: X-Forwarded-For, or Forwarded (RFC 7239).
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "aifd/base/cidr.hpp"
#include "aifd/protocol/fields.hpp"

namespace aifd::protocol {

// The addresses that the proxies of a request noted, the nearest proxy's first: from the right to
// the left, the fields of one name as one list. Each is told apart from what stands left of it
// without reading that, since that may be the caller's own forgery: an open quote of his does not
// swallow what a proxy wrote behind it.
// Where there is any X-Forwarded-For, Forwarded does not count: a proxy that manages the one lets
// the caller's other pass.
// The fields must outlive it. No allocation; linear in the fields' bytes, however many calls.
class ForwardedHops {
 public:
  explicit ForwardedHops(const Fields& fields) noexcept;

  // The next address to the left. nullopt, from then on: there is none, or an entry that names no
  // address ("unknown", "_hidden", no for=, malformed). What stands left of such an entry was
  // written by whoever wrote that.
  std::optional<IpAddress> next();

 private:
  std::string_view next_entry() noexcept;

  bool standard_ = false;          // Forwarded
  std::span<const Field> fields_;  // not begun; none where nobody says anything
  std::string_view left_;          // of the field begun
};

}  // namespace aifd::protocol
