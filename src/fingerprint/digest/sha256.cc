#include "fingerprint/digest/sha256.h"

#include <openssl/evp.h>

#include <new>

namespace tensorguard::internal {
namespace {

// Of a digest that the library always has, no other failure is left.
void CheckMemory(int done) {
  if (done != 1) throw std::bad_alloc();
}

}  // namespace

void Sha256Hasher::Free::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

Sha256Hasher::Sha256Hasher() : context_(EVP_MD_CTX_new()) {
  CheckMemory(context_ != nullptr);
  CheckMemory(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr));
}

void Sha256Hasher::Add(std::span<const std::byte> bytes) {
  CheckMemory(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()));
}

Sha256Digest Sha256Hasher::Finish() {
  Sha256Digest digest = {};
  CheckMemory(EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr));
  return digest;
}

}  // namespace tensorguard::internal
