// SHA-256 (FIPS 180-4): by this digest hubs and other programs name files.
#ifndef TENSORGUARD_FINGERPRINT_DIGEST_SHA256_H_
#define TENSORGUARD_FINGERPRINT_DIGEST_SHA256_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

// OpenSSL's.
struct evp_md_ctx_st;

namespace tensorguard::internal {

using Sha256Digest = std::array<uint8_t, 32>;

// Takes bytes in pieces of any length; the digest is that of all of them in a row. Not for several
// threads at once. std::bad_alloc where memory is short.
class Sha256Hasher {
 public:
  Sha256Hasher();

  void Add(std::span<const std::byte> bytes);

  // REQUIRES: called once, nothing is added after it.
  Sha256Digest Finish();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FINGERPRINT_DIGEST_SHA256_H_
