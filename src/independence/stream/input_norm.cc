#include "independence/stream/input_norm.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include "base/try.h"

namespace tensorguard::internal {
namespace {

// By the bits, which compare as the magnitudes do, so that the loop is one vector instruction.
// REQUIRES: finite.
float LargestMagnitude(std::span<const float> values) {
  uint32_t largest = 0;
  for (const float value : values) {
    largest = std::max(largest, std::bit_cast<uint32_t>(value) & 0x7fff'ffffu);
  }
  return std::bit_cast<float>(largest);
}

// In lanes of a fixed number, so that the order of the sum is the same on every processor and a
// vector instruction can follow it.
constexpr size_t kLanes = 16;

template <typename Term>
float LaneSum(std::span<const float> values, Term term) {
  std::array<float, kLanes> lanes = {};
  size_t i = 0;
  for (; i + kLanes <= values.size(); i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) lanes[lane] += term(values[i + lane]);
  }
  for (size_t lane = 0; i < values.size(); ++i, ++lane) lanes[lane] += term(values[i]);
  return std::accumulate(lanes.begin(), lanes.end(), 0.0f);
}

void Normalise(bool centre, std::span<float> column) {
  const float largest = LargestMagnitude(column);
  if (largest == 0.0f) return;
  for (float& value : column) value /= largest;
  const auto count = static_cast<float>(column.size());
  if (centre) {
    const float mean = LaneSum(column, [](float value) { return value; }) / count;
    for (float& value : column) value -= mean;
  }
  const float length = std::sqrt(LaneSum(column, [](float value) { return value * value; }));
  // A constant column, less its mean, is rounding noise.
  const float factor = length <= 1e-6f * std::sqrt(count) ? 0.0f : 1.0f / length;
  for (float& value : column) value *= factor;
}

Error NotFiniteAfterNorm(size_t layer) {
  return {.kind = ErrorKind::kBadFile,
          .problem = fmt::format("a norm of layer {} gives a number that is not finite", layer),
          .expected = "gains within the range of float32"};
}

// A state of mean zero without zeros: 1, -1, 1, -1, ...; the last three 2, -1, -1 where the width
// is odd.
std::vector<float> BalancedState(size_t hidden) {
  std::vector<float> state(hidden);
  for (size_t i = 0; i < hidden; ++i) state[i] = i % 2 == 0 ? 1.0f : -1.0f;
  if (hidden % 2 == 1 && hidden >= 3) {
    state[hidden - 3] = 2.0f;
    state[hidden - 1] = -1.0f;
  }
  return state;
}

}  // namespace

// Every column by its largest magnitude and then its length, so that no square overflows.
void NormaliseColumns(bool centre, arma::fmat* matrix) {
  for (arma::uword i = 0; i < matrix->n_cols; ++i) {
    Normalise(centre, std::span(matrix->colptr(i), matrix->n_rows));
  }
}

// Probes the norm with a state of mean zero: half the difference between its answers to x and -x
// is the gain times x, whatever the bias; a constant added to x changes nothing exactly where the
// norm centres.
Result<InputNorm> ProbeInputNorm(const Network& network, const FeedForwardBlock& block) {
  const size_t hidden = network.description().hidden_size;
  const std::vector<float> state = BalancedState(hidden);
  FloatMatrix probes(3, hidden);
  for (size_t i = 0; i < hidden; ++i) {
    probes.Row(0)[i] = state[i];
    probes.Row(1)[i] = -state[i];
    probes.Row(2)[i] = state[i] + 1.0f;
  }
  TG_ASSIGN(const auto answers, block.is_mixer ? network.MixerInput(block.layer, probes)
                                               : network.FeedForwardInput(block.layer, probes));
  InputNorm norm{.gain = arma::fvec(hidden)};
  double change = 0.0;
  double size = 0.0;
  for (size_t i = 0; i < hidden; ++i) {
    const float odd_part = 0.5f * (answers.Row(0)[i] - answers.Row(1)[i]);
    norm.gain[i] = odd_part / state[i];
    change += std::abs(answers.Row(2)[i] - answers.Row(0)[i]);
    size += std::abs(odd_part);
  }
  if (!norm.gain.is_finite() || !std::isfinite(change)) return NotFiniteAfterNorm(block.layer);
  norm.centres = change < 1e-2 * size;
  const float largest = LargestMagnitude(std::span(norm.gain.memptr(), norm.gain.n_elem));
  if (largest > 0.0f) norm.gain /= largest;
  return norm;
}

}  // namespace tensorguard::internal
