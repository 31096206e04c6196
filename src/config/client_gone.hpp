// CLIENT_GONE: what becomes of answers whose clients leave.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "aifd/config/settings.hpp"
#include "variables.hpp"

namespace aifd::config {

// "cancel", "drain", "drain:30s,64KiB" (either bound, or both), for all routes; or a JSON object
// of these by route path.
void read_client_gone(std::string_view text, std::map<std::string, ClientGone>& target,
                      Problems& problems);

std::string show_client_gone(const std::map<std::string, ClientGone>& policies);

}  // namespace aifd::config
