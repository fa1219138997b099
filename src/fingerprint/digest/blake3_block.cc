#include "fingerprint/digest/blake3_block.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace tensorguard::internal {
namespace {

static_assert(std::endian::native == std::endian::little, "words are little-endian");

void Mix(Blake3Block& v, size_t a, size_t b, size_t c, size_t d, uint32_t x, uint32_t y) {
  v[a] += v[b] + x;
  v[d] = std::rotr(v[d] ^ v[a], 16);
  v[c] += v[d];
  v[b] = std::rotr(v[b] ^ v[c], 12);
  v[a] += v[b] + y;
  v[d] = std::rotr(v[d] ^ v[a], 8);
  v[c] += v[d];
  v[b] = std::rotr(v[b] ^ v[c], 7);
}

}  // namespace

Blake3Node Blake3Compress(const Blake3BlockInput& input) {
  Blake3Block v;
  std::copy(input.before.begin(), input.before.end(), v.begin());
  std::copy_n(kBlake3Start.begin(), 4, v.begin() + 8);
  v[12] = static_cast<uint32_t>(input.chunk);
  v[13] = static_cast<uint32_t>(input.chunk >> 32);
  v[14] = input.bytes;
  v[15] = input.flags;
  for (const auto& order : kBlake3Schedule) {
    const auto word = [&](size_t i) { return input.words[order[i]]; };
    for (size_t i = 0; i < 4; ++i) {
      Mix(v, i, 4 + i, 8 + i, 12 + i, word(2 * i), word(2 * i + 1));
    }
    for (size_t i = 0; i < 4; ++i) {
      Mix(v, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4, word(8 + 2 * i),
          word(9 + 2 * i));
    }
  }
  Blake3Node node;
  for (size_t i = 0; i < node.size(); ++i) node[i] = v[i] ^ v[i + 8];
  return node;
}

Blake3Node Blake3Chunk(std::span<const std::byte> bytes, uint64_t chunk, uint32_t flags) {
  Blake3BlockInput block = {.words = {}, .chunk = chunk, .flags = kBlake3ChunkStart};
  for (; bytes.size() > kBlake3BlockBytes; bytes = bytes.subspan(kBlake3BlockBytes)) {
    std::memcpy(block.words.data(), bytes.data(), kBlake3BlockBytes);
    block.before = Blake3Compress(block);
    block.flags = 0;
  }
  block.words = {};
  if (!bytes.empty()) std::memcpy(block.words.data(), bytes.data(), bytes.size());
  block.bytes = static_cast<uint32_t>(bytes.size());
  block.flags |= kBlake3ChunkEnd | flags;
  return Blake3Compress(block);
}

Blake3Node Blake3Parent(const Blake3Node& left, const Blake3Node& right, uint32_t flags) {
  Blake3BlockInput block = {.words = {}, .flags = kBlake3Parent | flags};
  std::copy(left.begin(), left.end(), block.words.begin());
  std::copy(right.begin(), right.end(), block.words.begin() + 8);
  return Blake3Compress(block);
}

}  // namespace tensorguard::internal
