// 16-bit floats to float32, in vector lanes: nearly all published weights come this way.
#ifndef TENSORGUARD_NUMERICS_HALF_FLOATS_H_
#define TENSORGUARD_NUMERICS_HALF_FLOATS_H_

#include <cstddef>
#include <span>

namespace tensorguard::internal {

// Exact, NaN payloads included, and by integer operations alone: the same bits on every processor.
// REQUIRES: bytes.size() == 2 * out.size(); little-endian.
void DecodeBrainFloats(std::span<const std::byte> bytes, std::span<float> out);
void DecodeHalfFloats(std::span<const std::byte> bytes, std::span<float> out);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NUMERICS_HALF_FLOATS_H_
