// BLAKE3's compression of a single block, and its constants, as specified ("BLAKE3: one function,
// fast everywhere", O'Connor, Aumasson, Neves, Wilcox-O'Hearn 2020, section 2).
#ifndef TENSORGUARD_FINGERPRINT_DIGEST_BLAKE3_BLOCK_H_
#define TENSORGUARD_FINGERPRINT_DIGEST_BLAKE3_BLOCK_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace tensorguard::internal {

inline constexpr size_t kBlake3BlockBytes = 64;
inline constexpr size_t kBlake3ChunkBytes = 1024;

// What stands for a chunk or a subtree: a chaining value.
using Blake3Node = std::array<uint32_t, 8>;
using Blake3Block = std::array<uint32_t, 16>;

inline constexpr Blake3Node kBlake3Start = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                            0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

inline constexpr uint32_t kBlake3ChunkStart = 1;
inline constexpr uint32_t kBlake3ChunkEnd = 2;
inline constexpr uint32_t kBlake3Parent = 4;
inline constexpr uint32_t kBlake3Root = 8;

inline constexpr size_t kBlake3Rounds = 7;
using Blake3Schedule = std::array<std::array<uint8_t, 16>, kBlake3Rounds>;

// Which word of the block each round takes: every round permutes the order of the one before.
inline constexpr Blake3Schedule kBlake3Schedule = [] {
  constexpr std::array<uint8_t, 16> kPermutation = {2, 6,  3,  10, 7, 0,  4,  13,
                                                    1, 11, 12, 5,  9, 14, 15, 8};
  Blake3Schedule schedule = {};
  for (uint8_t i = 0; i < 16; ++i) schedule[0][i] = i;
  for (size_t round = 1; round < kBlake3Rounds; ++round) {
    for (size_t i = 0; i < 16; ++i) schedule[round][i] = schedule[round - 1][kPermutation[i]];
  }
  return schedule;
}();

struct Blake3BlockInput {
  Blake3Node before = kBlake3Start;  // of the blocks before it in its chunk
  Blake3Block words;
  uint64_t chunk = 0;                  // its number; 0 for a parent
  uint32_t bytes = kBlake3BlockBytes;  // less for the last block of all
  uint32_t flags = 0;
};

Blake3Node Blake3Compress(const Blake3BlockInput& input);

// A whole chunk, which may be short. `flags`: kBlake3Root if it is the only one.
Blake3Node Blake3Chunk(std::span<const std::byte> bytes, uint64_t chunk, uint32_t flags);

Blake3Node Blake3Parent(const Blake3Node& left, const Blake3Node& right, uint32_t flags);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FINGERPRINT_DIGEST_BLAKE3_BLOCK_H_
