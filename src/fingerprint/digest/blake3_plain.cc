#include <bit>
#include <cstring>

#include "fingerprint/digest/blake3.h"

namespace tensorguard::internal {
namespace {

Blake3Node Subtree(std::span<const std::byte> bytes, uint64_t first_chunk, uint32_t flags) {
  if (bytes.size() <= kBlake3ChunkBytes) return Blake3Chunk(bytes, first_chunk, flags);
  // The left subtree is the largest full one that leaves something for the right.
  const uint64_t left_chunks = std::bit_floor((bytes.size() - 1) / kBlake3ChunkBytes);
  const uint64_t left_bytes = left_chunks * kBlake3ChunkBytes;
  return Blake3Parent(Subtree(bytes.first(left_bytes), first_chunk, 0),
                      Subtree(bytes.subspan(left_bytes), first_chunk + left_chunks, 0), flags);
}

}  // namespace

Blake3Digest Blake3Plainly(std::span<const std::byte> bytes) {
  const Blake3Node root = Subtree(bytes, 0, kBlake3Root);
  Blake3Digest digest;
  std::memcpy(digest.data(), root.data(), digest.size());
  return digest;
}

}  // namespace tensorguard::internal
