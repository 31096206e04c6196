#include "aifd/net/outbound_proxy.hpp"

#include <openssl/evp.h>

#include "aifd/base/cidr.hpp"
#include "aifd/protocol/fields.hpp"

namespace aifd::net {
namespace {

bool in_domain(std::string_view host, std::string_view domain) {
  if (!domain.empty() && domain.front() == '.') domain.remove_prefix(1);
  if (domain.empty() || host.size() < domain.size()) return false;
  const std::size_t start = host.size() - domain.size();
  return protocol::iequals(host.substr(start), domain) && (start == 0 || host[start - 1] == '.');
}

bool excepted(const std::vector<std::string>& no_proxy, std::string_view host) {
  const Result<IpAddress> address = parse_ip_address(host);
  for (const std::string& entry : no_proxy) {
    if (entry == "*") return true;
    if (address) {
      const Result<Cidr> block = parse_cidr(entry);
      if (block && block->contains(*address)) return true;
    } else if (in_domain(host, entry)) {
      return true;
    }
  }
  return false;
}

}  // namespace

const config::OutboundProxy* proxy_for(const config::Settings& settings, std::string_view host,
                                       bool tls) {
  const auto& proxy = tls ? settings.proxy : settings.http_proxy;
  if (!proxy || excepted(settings.no_proxy, host)) return nullptr;
  return &*proxy;
}

std::string proxy_authorization(const config::OutboundProxy& proxy) {
  const std::string_view credentials = proxy.credentials.reveal();
  if (credentials.empty()) return {};
  std::string encoded((credentials.size() + 2) / 3 * 4 + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                                     reinterpret_cast<const unsigned char*>(credentials.data()),
                                     static_cast<int>(credentials.size()));
  encoded.resize(static_cast<std::size_t>(length));
  return "Basic " + encoded;
}

}  // namespace aifd::net
