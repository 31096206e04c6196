#include "sha256.hpp"

#include <openssl/evp.h>

#include <memory>

namespace aifd::services {
namespace {

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};

}  // namespace

Sha256 sha256(std::initializer_list<std::string_view> pieces) noexcept {
  // SHA256() would look its algorithm up by name, under locks, at every call.
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  thread_local const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
  Sha256 digest{};
  EVP_DigestInit_ex(context.get(), algorithm, nullptr);
  for (const std::string_view piece : pieces) {
    EVP_DigestUpdate(context.get(), piece.data(), piece.size());
  }
  EVP_DigestFinal_ex(context.get(), digest.data(), nullptr);
  return digest;
}

}  // namespace aifd::services
