#include "full_profile/content_digest.h"

#include <openssl/evp.h>

#include <algorithm>
#include <bit>

namespace tensorguard {
namespace {

static_assert(std::endian::native == std::endian::little, "digests are of little-endian bytes");

Result<Sha256> DigestOf(const void* bytes, size_t size) {
  Sha256 digest;
  unsigned length = 0;
  const int done = EVP_Digest(bytes, size, digest.data(), &length, EVP_sha256(), nullptr);
  if (done == 1 && length == digest.size()) return digest;
  return Error{.kind = ErrorKind::kSystem, .problem = "the system's OpenSSL refuses SHA-256"};
}

}  // namespace

Result<Sha256> DigestOfValues(std::span<const float> values) {
  return DigestOf(values.data(), values.size_bytes());
}

Result<ContentDigest> DigestOfBlocks(std::span<const Sha256> blocks) {
  const auto whole = DigestOf(blocks.data(), blocks.size_bytes());
  if (!whole) return whole.error();
  ContentDigest digest;
  std::copy_n(whole->begin(), digest.size(), digest.begin());
  return digest;
}

}  // namespace tensorguard
