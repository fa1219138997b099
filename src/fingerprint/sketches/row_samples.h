// Single rows of a table: a digest of each and its products with two fixed probes.
#ifndef TENSORGUARD_FINGERPRINT_SKETCHES_ROW_SAMPLES_H_
#define TENSORGUARD_FINGERPRINT_SKETCHES_ROW_SAMPLES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/bfloat16.h"
#include "fingerprint/fingerprint.h"

namespace tensorguard::internal {

// Keys of the digest and signs of the probes, by the number of columns alone
// (docs/formats/fingerprint.md). Independent of ProbeMatrix.
struct RowProbes {
  explicit RowProbes(uint64_t columns);

  // Padded with zeros to whole steps of the lanes.
  std::vector<uint32_t> keys;
  // By column: the sign bit of a float32, or 0.
  std::array<std::vector<uint32_t>, kRowProjections> signs;
};

// Projections are rounded to multiples of this, and held within 127 of them either way. The
// projections of random rows have variance 1.
inline constexpr float kProjectionStep = 1.0f / 16;

struct SampledRow {
  // Of the bits of the numbers as float32: NH (Black, Halevi, Krawczyk, Krovetz, Rogaway 1999), its
  // bits mixed. It tells rows apart that nobody made to collide; a forger gains nothing, because
  // whole tables are told to be the same by their cryptographic digest alone.
  uint32_t digest = 0;
  // Of the row at norm 1, so that the mean product of two models' projections over many rows is the
  // mean cosine of the rows. Zeros of a row of zeros.
  std::array<float, kRowProjections> projections = {};
};

// The same bits on every processor. REQUIRES: finite numbers, as many as the probes have columns.
SampledRow SampleRow(std::span<const float> row, const RowProbes& probes);
SampledRow SampleRow(std::span<const BFloat16> row, const RowProbes& probes);

// The same by plain loops: what SampleRow is tested against.
SampledRow SampleRowPlainly(std::span<const float> row, const RowProbes& probes);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FINGERPRINT_SKETCHES_ROW_SAMPLES_H_
