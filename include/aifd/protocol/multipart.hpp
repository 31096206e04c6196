// One field of a multipart/form-data body (RFC 2046, 5.1; RFC 7578), read so that no server can
// read another.
#pragma once

#include <optional>
#include <string_view>

namespace aifd::protocol {

// The boundary that a Content-Type of "multipart/form-data" gives; nullopt where the type is
// another, or has no boundary, two of them, or one that no RFC 2046 boundary can be.
std::optional<std::string_view> form_boundary(std::string_view content_type);

struct FormField {
  // A view into the body. Absent: the form has no such field, or it is not clear.
  std::optional<std::string_view> value;
  // Why servers may read different things; empty: they cannot. One sentence for the caller.
  std::string_view problem;
};

// The field of that name (plain ASCII, in lower case). The whole form is looked at, once, and must
// be as strict as clients write it: it begins with its first delimiter and ends with its last; the
// boundary stands nowhere else; every part says its name once, without escapes; the field is there
// once, not in another case or as a list, is no file, and is plain UTF-8.
FormField read_form_field(std::string_view body, std::string_view boundary, std::string_view name);

}  // namespace aifd::protocol
