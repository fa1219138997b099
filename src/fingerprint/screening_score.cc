#include <algorithm>
#include <utility>
#include <vector>

#include "fingerprint/screening.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fingerprint/screening_score.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

// Highway compiles this part once per instruction set and picks one at run time. Whole numbers: the
// same on every processor.
HWY_BEFORE_NAMESPACE();
namespace tensorguard::internal {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// At most 64 products of magnitude 127 * 127 in 32 bits: nothing overflows, in any order.
HWY_INLINE int32_t PartDot(const int8_t* HWY_RESTRICT a, const int8_t* HWY_RESTRICT b) {
  const hn::CappedTag<int16_t, kScreeningLength> d;
  const hn::Rebind<int8_t, decltype(d)> d_stored;
  const hn::RepartitionToWide<decltype(d)> d_sum;
  auto even = hn::Zero(d_sum);
  auto odd = hn::Zero(d_sum);
  for (size_t i = 0; i < kScreeningLength; i += hn::Lanes(d)) {
    even = hn::ReorderWidenMulAccumulate(d_sum, hn::PromoteTo(d, hn::LoadU(d_stored, a + i)),
                                         hn::PromoteTo(d, hn::LoadU(d_stored, b + i)), even, odd);
  }
  return hn::GetLane(hn::SumOfLanes(d_sum, hn::Add(even, odd)));
}

// The scalar products of the parts of one layer of `a` with those of `layers` layers of `b`.
void PartDotsImpl(const int8_t* HWY_RESTRICT a, const int8_t* HWY_RESTRICT b, size_t layers,
                  int32_t* HWY_RESTRICT dots) {
  for (size_t layer = 0; layer < layers; ++layer) {
    for (size_t part = 0; part < kScreenedParts; ++part) {
      *dots++ = PartDot(a + part * kScreeningLength, b);
      b += kScreeningLength;
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace tensorguard::internal
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tensorguard::internal {
namespace {

HWY_EXPORT(PartDotsImpl);

// The best monotone alignment (as AlignLayers finds it), row by row: what the layers so far add up
// to at best.
class BestSum {
 public:
  explicit BestSum(size_t columns) : best_(columns + 1), previous_(columns + 1) {}

  void NextRow() { std::swap(best_, previous_); }
  void Add(size_t column, float similarity) {
    best_[column + 1] = std::max(
        {previous_[column + 1], best_[column], previous_[column] + std::max(0.0f, similarity)});
  }
  float sum() const { return best_.back(); }

 private:
  std::vector<float> best_;
  std::vector<float> previous_;
};

// Over the kernels that both layers have.
float KernelCosine(const int32_t* dots, const std::array<float, kScreenedParts>& a,
                   const std::array<float, kScreenedParts>& b) {
  float sum = 0;
  float count = 0;
  for (size_t part = 0; part + 1 < kScreenedParts; ++part) {
    const float scale = a[part] * b[part];
    sum += static_cast<float>(dots[part]) * scale;
    count += scale > 0 ? 1.0f : 0.0f;
  }
  return count > 0 ? sum / count : 0;
}

}  // namespace

double ScreeningScore(const ScreeningSignature& a, const ScreeningSignature& b) {
  const size_t shallower = std::min(a.layers(), b.layers());
  if (shallower == 0) return 0;
  BestSum kernels(b.layers());
  BestSum weights(b.layers());
  std::vector<int32_t> dots(b.layers() * kScreenedParts);
  for (size_t row = 0; row < a.layers(); ++row) {
    HWY_DYNAMIC_DISPATCH(PartDotsImpl)
    (a.Layer(row).data(), b.numbers().data(), b.layers(), dots.data());
    kernels.NextRow();
    weights.NextRow();
    for (size_t column = 0; column < b.layers(); ++column) {
      const int32_t* parts = &dots[column * kScreenedParts];
      kernels.Add(column, KernelCosine(parts, a.InverseNorms(row), b.InverseNorms(column)));
      weights.Add(column, static_cast<float>(parts[kScreenedParts - 1]) *
                              a.InverseNorms(row).back() * b.InverseNorms(column).back());
    }
  }
  const auto unexplained = [&](float sum) {
    const double mean = std::clamp(double{sum} / static_cast<double>(shallower), 0.0, 1.0);
    return 1 - mean * mean;
  };
  return 1 - unexplained(kernels.sum()) * unexplained(weights.sum());
}

}  // namespace tensorguard::internal
#endif  // HWY_ONCE
