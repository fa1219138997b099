#include <bit>
#include <cmath>

#include "base/random_bits.h"
#include "fingerprint/sketches/row_samples.h"

namespace tensorguard::internal {

SampledRow SampleRowPlainly(std::span<const float> row, const RowProbes& probes) {
  uint64_t hash = 0;
  double squares = 0;
  std::array<double, kRowProjections> products = {};
  for (size_t i = 0; i < row.size(); i += 2) {
    const uint32_t odd_bits = i + 1 < row.size() ? std::bit_cast<uint32_t>(row[i + 1]) : 0;
    const uint32_t even = std::bit_cast<uint32_t>(row[i]) + probes.keys[i];
    const uint32_t odd = odd_bits + probes.keys[i + 1];
    hash += uint64_t{even} * odd;
  }
  for (size_t i = 0; i < row.size(); ++i) {
    const double number = row[i];
    squares += number * number;
    for (size_t probe = 0; probe < kRowProjections; ++probe) {
      products[probe] += probes.signs[probe][i] == 0 ? number : -number;
    }
  }
  SampledRow sampled = {.digest = static_cast<uint32_t>(MixedBits(hash) >> 32)};
  for (size_t probe = 0; probe < kRowProjections; ++probe) {
    const double of_unit_row = squares == 0 ? 0 : products[probe] / std::sqrt(squares);
    const double steps = std::nearbyint(of_unit_row * 16);
    sampled.projections[probe] = static_cast<float>(steps > 127    ? 127
                                                    : steps < -127 ? -127
                                                                   : steps) /
                                 16;
  }
  return sampled;
}

}  // namespace tensorguard::internal
