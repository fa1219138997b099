// SHA-256 (FIPS 180-4): by this digest hubs and other programs name files.
#ifndef TENSORGUARD_FINGERPRINT_DIGEST_SHA256_H_
#define TENSORGUARD_FINGERPRINT_DIGEST_SHA256_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace tensorguard::internal {

using Sha256Digest = std::array<uint8_t, 32>;

// Takes bytes in pieces of any length; the digest is that of all of them in a row. Not for several
// threads at once.
class Sha256Hasher {
 public:
  void Add(std::span<const std::byte> bytes);

  // REQUIRES: called once, nothing is added after it.
  Sha256Digest Finish();

 private:
  static constexpr size_t kBlockBytes = 64;

  // Section 5.3.3: the first bits of the square roots of the first eight primes.
  std::array<uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  uint64_t bytes_ = 0;  // added so far
  size_t buffered_ = 0;
  std::array<std::byte, kBlockBytes> buffer_;
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FINGERPRINT_DIGEST_SHA256_H_
