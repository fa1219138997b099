#include "fingerprint/kernels/normalised_kernels.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "fingerprint/file/fingerprint_tables.h"
#include "fingerprint/kernels/kernel_scaling.h"
#include "fingerprint/kernels/row_dots.h"

namespace tensorguard::internal {
namespace {

// Below this a Gram adds no direction to those before it (with tied embeddings all four are one).
constexpr double kSameGram = 1e-5;

using Direction = std::vector<double>;  // [anchors, stride of an AnchorBlock]

double Dot(const Direction& a, const Direction& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

Direction Transposed(const Direction& block, size_t anchors, size_t stride) {
  Direction turned(block.size());
  for (size_t row = 0; row < anchors; ++row) {
    for (size_t column = 0; column < anchors; ++column) {
      turned[column * stride + row] = block[row * stride + column];
    }
  }
  return turned;
}

// Orthonormal directions that span the model's Grams (modified Gram-Schmidt).
std::vector<Direction> GramBasis(const Fingerprint& fingerprint, AnchorBlock& block) {
  std::vector<Direction> grams;
  for (const FloatMatrix* gram :
       {&fingerprint.input_gram, &fingerprint.output_gram, &fingerprint.cross_gram}) {
    block.Centre(*gram);
    grams.emplace_back(block.values().begin(), block.values().end());
  }
  grams.push_back(Transposed(grams[2], block.anchors(), block.stride()));
  std::vector<Direction> basis;
  for (Direction& direction : grams) {
    const double norm = std::sqrt(Dot(direction, direction));
    if (norm == 0) continue;
    for (double& value : direction) value /= norm;
    for (int pass = 0; pass < 2; ++pass) {
      for (const Direction& other : basis) {
        const double share = Dot(direction, other);
        for (size_t i = 0; i < direction.size(); ++i) direction[i] -= share * other[i];
      }
    }
    const double left = std::sqrt(Dot(direction, direction));
    if (left <= kSameGram) continue;
    for (double& value : direction) value /= left;
    basis.push_back(std::move(direction));
  }
  return basis;
}

// The kernels of one kind before what they have in common is taken out, to the first rows of
// `units`; the layers of those rows.
std::vector<size_t> ScaleKind(const Fingerprint& fingerprint, FloatMatrix LayerResponse::*kernel,
                              const std::vector<Direction>& basis, AnchorBlock& block,
                              FloatMatrix& units) {
  std::vector<size_t> layers;
  for (size_t layer = 0; layer < fingerprint.layers.size(); ++layer) {
    const FloatMatrix& stored = fingerprint.layers[layer].*kernel;
    if (stored.rows() == 0) continue;
    const auto norms = block.CentreAndFree(stored, basis);
    if (norms.after <= kNothingLeft * norms.before) continue;
    block.WriteScaled(units.Row(layers.size()));
    layers.push_back(layer);
  }
  return layers;
}

std::vector<double> SumOfRows(const FloatMatrix& units, size_t count) {
  std::vector<double> total(units.columns());
  for (size_t row = 0; row < count; ++row) {
    const float* unit = units.Row(row).data();
    for (size_t i = 0; i < total.size(); ++i) total[i] += unit[i];
  }
  return total;
}

// Of each of the first `count` kernels itself and those that are copies of it, ascending.
std::vector<std::vector<size_t>> CopiesIn(const FloatMatrix& units, size_t count) {
  // |u - v|^2 = 2 - 2 cos of unit vectors.
  constexpr double kNear = 2 - 2 * kCopiedLayerCosine;
  std::vector<std::vector<size_t>> copies(count);
  for (size_t row = 0; row < count; ++row) {
    copies[row].push_back(row);
    for (size_t other = row + 1; other < count; ++other) {
      if (!NearerThan(units.Row(row), units.Row(other), kNear)) continue;
      copies[row].push_back(other);
      copies[other].push_back(row);
    }
  }
  return copies;
}

// From each of the first `count` kernels, what it shares with the mean of the others is taken;
// copies of the layer itself do not count as others.
KernelRows WithoutCommonPart(FloatMatrix units, size_t count) {
  const auto copies = CopiesIn(units, count);
  // Where no kernel is asked for another one's sake, each is written where it was: megabytes of
  // fresh memory cost as much as the arithmetic.
  const bool in_place = count == units.rows() && std::ranges::all_of(copies, [](const auto& each) {
                          return each.size() == 1;
                        });
  FloatMatrix separate(in_place ? 0 : count, units.columns());
  FloatMatrix& own = in_place ? units : separate;
  const std::vector<double> total = SumOfRows(units, count);
  std::vector<double> scratch(2 * units.columns());
  KernelRows rows;
  for (size_t row = 0; row < count; ++row) {
    std::vector<std::span<const float>> excluded;
    for (const size_t copy : copies[row]) excluded.push_back(std::as_const(units).Row(copy));
    rows.norms.push_back(
        WriteWithoutCommon(units.Row(row), total, excluded, scratch, own.Row(row)));
  }
  rows.units = std::move(own);
  return rows;
}

}  // namespace

std::string_view ResponseKindName(ResponseKind kind) {
  switch (kind) {
    case ResponseKind::kQueryKey:
      return "query_key";
    case ResponseKind::kOutputValue:
      return "output_value";
    case ResponseKind::kFeedForward:
      break;
  }
  return "feed_forward";
}

NormalisedKernels NormaliseKernels(const Fingerprint& fingerprint,
                                   std::span<const size_t> anchors) {
  static_assert(kKernelTables.size() == kResponseKinds.size());  // in the same order
  AnchorBlock block(anchors);
  const auto basis = GramBasis(fingerprint, block);
  std::vector<NormalisedLayer> layers(fingerprint.layers.size());
  for (size_t i = 0; i < layers.size(); ++i) layers[i].layer = i;
  NormalisedKernels normalised;
  for (size_t kind = 0; kind < kResponseKinds.size(); ++kind) {
    FloatMatrix units(layers.size(), anchors.size() * anchors.size());
    const auto scaled = ScaleKind(fingerprint, kKernelTables[kind].kernel, basis, block, units);
    for (size_t i = 0; i < scaled.size(); ++i) layers[scaled[i]].rows[kind] = i;
    normalised.kinds[kind] = WithoutCommonPart(std::move(units), scaled.size());
  }
  for (const NormalisedLayer& layer : layers) {
    const bool has_kernel = layer.rows[0] || layer.rows[1] || layer.rows[2];
    if (has_kernel) normalised.layers.push_back(layer);
  }
  return normalised;
}

}  // namespace tensorguard::internal
