#include "aifd/base/secret.hpp"

#include <openssl/crypto.h>

namespace aifd {

Secret::~Secret() {
  OPENSSL_cleanse(value_.data(), value_.size());
}

std::string Secret::masked() const {
  constexpr std::size_t kLongEnough = 16;
  if (value_.empty()) return {};
  if (value_.size() < kLongEnough) return "***";
  return value_.substr(0, 3) + "***" + value_.substr(value_.size() - 4);
}

}  // namespace aifd
