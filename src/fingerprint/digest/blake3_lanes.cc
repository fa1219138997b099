#include "fingerprint/digest/blake3_lanes.h"

#include <algorithm>

// The words of a block are kept in an array of vectors, which vectors of a size unknown to the
// compiler cannot be: NEON takes over.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fingerprint/digest/blake3_lanes.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

// Highway compiles this part once per instruction set and picks one at run time. Lane i of every
// vector belongs to chunk or parent i of those hashed together.
HWY_BEFORE_NAMESPACE();
namespace tensorguard::internal {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Lanes = hn::CappedTag<uint32_t, 16>;
using Word = hn::Vec<Lanes>;
constexpr size_t kLanes = hn::MaxLanes(Lanes());

// The words at even and at odd places of `low` and `high` in a row.
HWY_INLINE Word Even(Word high, Word low) {
#if HWY_TARGET == HWY_SCALAR
  return (void)high, low;
#else
  return hn::ConcatEven(Lanes(), high, low);
#endif
}

HWY_INLINE Word Odd(Word high, Word low) {
#if HWY_TARGET == HWY_SCALAR
  return (void)low, high;
#else
  return hn::ConcatOdd(Lanes(), high, low);
#endif
}

HWY_INLINE void Mix(Word& a, Word& b, Word& c, Word& d, Word x, Word y) {
  a = hn::Add(hn::Add(a, x), b);
  d = hn::RotateRight<16>(hn::Xor(d, a));
  c = hn::Add(c, d);
  b = hn::RotateRight<12>(hn::Xor(b, c));
  a = hn::Add(hn::Add(a, y), b);
  d = hn::RotateRight<8>(hn::Xor(d, a));
  c = hn::Add(c, d);
  b = hn::RotateRight<7>(hn::Xor(b, c));
}

template <size_t kRound>
HWY_INLINE void MixRounds(Word* v, const Word* m) {
  if constexpr (kRound < kBlake3Rounds) {
    constexpr auto kOrder = kBlake3Schedule[kRound];
    Mix(v[0], v[4], v[8], v[12], m[kOrder[0]], m[kOrder[1]]);
    Mix(v[1], v[5], v[9], v[13], m[kOrder[2]], m[kOrder[3]]);
    Mix(v[2], v[6], v[10], v[14], m[kOrder[4]], m[kOrder[5]]);
    Mix(v[3], v[7], v[11], v[15], m[kOrder[6]], m[kOrder[7]]);
    Mix(v[0], v[5], v[10], v[15], m[kOrder[8]], m[kOrder[9]]);
    Mix(v[1], v[6], v[11], v[12], m[kOrder[10]], m[kOrder[11]]);
    Mix(v[2], v[7], v[8], v[13], m[kOrder[12]], m[kOrder[13]]);
    Mix(v[3], v[4], v[9], v[14], m[kOrder[14]], m[kOrder[15]]);
    MixRounds<kRound + 1>(v, m);
  }
}

// `nodes`, 8 words: before the block, then after it.
HWY_INLINE void Compress(Word* nodes, const Word* m, Word chunk_low, Word chunk_high,
                         uint32_t flags) {
  const Lanes d;
  Word v[16] = {nodes[0],
                nodes[1],
                nodes[2],
                nodes[3],
                nodes[4],
                nodes[5],
                nodes[6],
                nodes[7],
                hn::Set(d, kBlake3Start[0]),
                hn::Set(d, kBlake3Start[1]),
                hn::Set(d, kBlake3Start[2]),
                hn::Set(d, kBlake3Start[3]),
                chunk_low,
                chunk_high,
                hn::Set(d, static_cast<uint32_t>(kBlake3BlockBytes)),
                hn::Set(d, flags)};
  MixRounds<0>(v, m);
  for (size_t i = 0; i < 8; ++i) nodes[i] = hn::Xor(v[i], v[i + 8]);
}

// m[w] = word w of the block at blocks[lane], in every lane: kLanes x kLanes words are transposed
// at a time. A step takes the even and the odd words of neighbouring vectors apart, which moves the
// lowest bit of a word's place from the lane to the vector; as many steps as bits.
HWY_INLINE void LoadBlocks(const std::byte* const* blocks, size_t offset, Word* m) {
  const Lanes d;
  for (size_t first = 0; first < 16; first += kLanes) {
    Word* rows = m + first;
    for (size_t lane = 0; lane < kLanes; ++lane) {
      const std::byte* words = blocks[lane] + offset + first * sizeof(uint32_t);
      rows[lane] = hn::LoadU(d, reinterpret_cast<const uint32_t*>(words));
    }
    for (size_t step = 1; step < kLanes; step *= 2) {
      Word apart[kLanes];
      for (size_t i = 0; i < kLanes / 2; ++i) {
        apart[i] = Even(rows[2 * i + 1], rows[2 * i]);
        apart[kLanes / 2 + i] = Odd(rows[2 * i + 1], rows[2 * i]);
      }
      for (size_t i = 0; i < kLanes; ++i) rows[i] = apart[i];
    }
  }
}

void HashChunksInLanes(const std::byte* chunks, size_t count, uint64_t first_chunk,
                       Blake3Nodes& nodes) {
  const Lanes d;
  for (size_t first = 0; first < count; first += kLanes) {
    // Lanes without a chunk repeat the last one.
    const std::byte* blocks[kLanes];
    for (size_t lane = 0; lane < kLanes; ++lane) {
      blocks[lane] = chunks + std::min(first + lane, count - 1) * kBlake3ChunkBytes;
    }
    const Word chunk_low = hn::Iota(d, static_cast<uint32_t>(first_chunk + first));
    const Word chunk_high = hn::Set(d, static_cast<uint32_t>(first_chunk >> 32));
    Word node[8];
    for (size_t i = 0; i < 8; ++i) node[i] = hn::Set(d, kBlake3Start[i]);
    for (size_t offset = 0; offset < kBlake3ChunkBytes; offset += kBlake3BlockBytes) {
      Word m[16];
      LoadBlocks(blocks, offset, m);
      const uint32_t start = offset == 0 ? kBlake3ChunkStart : 0;
      const uint32_t end = offset + kBlake3BlockBytes == kBlake3ChunkBytes ? kBlake3ChunkEnd : 0;
      Compress(node, m, chunk_low, chunk_high, start | end);
    }
    for (size_t i = 0; i < 8; ++i) hn::Store(node[i], d, nodes.words[i] + first);
  }
}

void HashParentsInLanes(size_t pairs, Blake3Nodes& nodes) {
  const Lanes d;
  for (size_t first = 0; first < pairs; first += kLanes) {
    Word m[16];
    Word node[8];
    for (size_t i = 0; i < 8; ++i) {
      const uint32_t* children = nodes.words[i] + 2 * first;
      const Word low = hn::Load(d, children);
      const Word high = hn::Load(d, children + kLanes);
      m[i] = Even(high, low);
      m[i + 8] = Odd(high, low);
      node[i] = hn::Set(d, kBlake3Start[i]);
    }
    Compress(node, m, hn::Zero(d), hn::Zero(d), kBlake3Parent);
    for (size_t i = 0; i < 8; ++i) hn::Store(node[i], d, nodes.words[i] + first);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace tensorguard::internal
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tensorguard::internal {

HWY_EXPORT(HashChunksInLanes);
HWY_EXPORT(HashParentsInLanes);

void HashChunks(const std::byte* chunks, size_t count, uint64_t first_chunk, Blake3Nodes& nodes) {
  HWY_DYNAMIC_DISPATCH(HashChunksInLanes)(chunks, count, first_chunk, nodes);
}

void HashParents(size_t pairs, Blake3Nodes& nodes) {
  HWY_DYNAMIC_DISPATCH(HashParentsInLanes)(pairs, nodes);
}

}  // namespace tensorguard::internal
#endif  // HWY_ONCE
