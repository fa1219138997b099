// The cryptographic hash BLAKE3 (O'Connor, Aumasson, Neves, Wilcox-O'Hearn 2020), many chunks at a
// time in vector lanes.
#ifndef TENSORGUARD_FINGERPRINT_DIGEST_BLAKE3_H_
#define TENSORGUARD_FINGERPRINT_DIGEST_BLAKE3_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "fingerprint/digest/blake3_lanes.h"

namespace tensorguard::internal {

using Blake3Digest = std::array<uint8_t, 32>;

// Takes bytes in pieces of any length; the digest is that of all of them in a row. Fastest with
// pieces of many times kBlake3BatchBytes, which are not copied. Up to 2^64 - 1 bytes; not for
// several threads at once.
class Blake3Hasher {
 public:
  void Add(std::span<const std::byte> bytes);

  // REQUIRES: called once, nothing is added after it.
  Blake3Digest Finish();

 private:
  // Digests of finished subtrees, left to right. One more than a tree of 2^64 bytes is high.
  static constexpr size_t kMostSubtrees = 56;

  void HashBatch(const std::byte* bytes);
  void MergeFinished();
  void Push(const Blake3Nodes& nodes, size_t count);

  uint64_t batches_ = 0;  // hashed
  size_t subtree_count_ = 0;
  std::array<Blake3Node, kMostSubtrees> subtrees_;
  size_t buffered_ = 0;
  alignas(64) std::array<std::byte, kBlake3BatchBytes> buffer_;
};

Blake3Digest Blake3(std::span<const std::byte> bytes);

// The same one block after the other, by the recursive definition: what the lanes are tested
// against.
Blake3Digest Blake3Plainly(std::span<const std::byte> bytes);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FINGERPRINT_DIGEST_BLAKE3_H_
