// BLAKE3's chunks and parents in vector lanes.
#ifndef TENSORGUARD_FINGERPRINT_DIGEST_BLAKE3_LANES_H_
#define TENSORGUARD_FINGERPRINT_DIGEST_BLAKE3_LANES_H_

#include <cstddef>
#include <cstdint>

#include "fingerprint/digest/blake3_block.h"

namespace tensorguard::internal {

// Chunks that are hashed at a time: a power of two, and a multiple of the lanes of any processor.
inline constexpr size_t kBlake3Batch = 64;
inline constexpr size_t kBlake3BatchBytes = kBlake3Batch * kBlake3ChunkBytes;

// Neighbouring nodes of one level of the tree, word by word.
struct Blake3Nodes {
  alignas(64) uint32_t words[8][kBlake3Batch];
};

// nodes[i] = chunk i of `chunks` for i < count; what follows is overwritten too. REQUIRES: count
// full chunks, at most kBlake3Batch; first_chunk is a multiple of it.
void HashChunks(const std::byte* chunks, size_t count, uint64_t first_chunk, Blake3Nodes& nodes);

// nodes[i] = the parent of nodes 2i and 2i + 1 for i < pairs; what follows is overwritten too.
void HashParents(size_t pairs, Blake3Nodes& nodes);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FINGERPRINT_DIGEST_BLAKE3_LANES_H_
