// Names whose values are secrets, as far as a name can tell.
#pragma once

#include <string_view>

#include "aifd/protocol/field_name.hpp"

namespace aifd::protocol {

// Of a header field: one of the words auth, token, secret, session, credential, signature, apikey,
// api-key, password, subscription-key stands in it, in any case.
bool is_secret_field(const FieldName& name) noexcept;

// Of a query's parameter, in any case, percent-encoded or not: it is key, code or sig, or ends in
// token, secret, signature, credential, apikey, password, auth, or in key after "_" or "-".
bool is_secret_parameter(std::string_view name);

}  // namespace aifd::protocol
