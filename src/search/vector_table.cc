#include "search/vector_table.h"

#include <algorithm>
#include <atomic>
#include <mutex>

#include "base/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "search/vector_table.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

// Highway compiles this part once per instruction set and picks one at run time. Whole numbers: the
// same on every processor.
HWY_BEFORE_NAMESPACE();
namespace tensorguard::internal {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// The scalar products of the parts of `query`, in 16 bits, with those of `count` vectors.
void VectorDotsImpl(const int16_t* HWY_RESTRICT query, const int8_t* HWY_RESTRICT numbers,
                    size_t count, int32_t* HWY_RESTRICT dots) {
  const hn::CappedTag<int16_t, kScreeningLength> d;
  const hn::Rebind<int8_t, decltype(d)> d_stored;
  const hn::RepartitionToWide<decltype(d)> d_sum;
  for (size_t vector = 0; vector < count; ++vector) {
    for (size_t part = 0; part < kScreenedParts; ++part) {
      auto even = hn::Zero(d_sum);
      auto odd = hn::Zero(d_sum);
      for (size_t i = 0; i < kScreeningLength; i += hn::Lanes(d)) {
        even = hn::ReorderWidenMulAccumulate(
            d_sum, hn::LoadU(d, query + part * kScreeningLength + i),
            hn::PromoteTo(d, hn::LoadU(d_stored, numbers + i)), even, odd);
      }
      *dots++ = hn::GetLane(hn::SumOfLanes(d_sum, hn::Add(even, odd)));
      numbers += kScreeningLength;
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace tensorguard::internal
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tensorguard::internal {
namespace {

HWY_EXPORT(VectorDotsImpl);

// Vectors that one thread takes at a time, and those whose products lie in the cache meanwhile.
constexpr size_t kBatch = 16'384;
constexpr size_t kBlock = 128;

bool Nearer(const NearVector& a, const NearVector& b) {
  return a.score != b.score ? a.score > b.score : a.fingerprint < b.fingerprint;
}

// Keeps the nearest `count` in any order.
void CutTo(size_t count, std::vector<NearVector>& nearest) {
  if (nearest.size() <= count) return;
  std::nth_element(nearest.begin(), nearest.begin() + static_cast<ptrdiff_t>(count), nearest.end(),
                   Nearer);
  nearest.resize(count);
}

}  // namespace

void VectorTable::Reserve(size_t count) {
  fingerprints_.reserve(count);
  numbers_.reserve(count * kSearchNumbers);
  inverse_norms_.reserve(count);
}

void VectorTable::Add(int64_t fingerprint, const SearchVector& vector) {
  fingerprints_.push_back(fingerprint);
  numbers_.insert(numbers_.end(), vector.numbers.begin(), vector.numbers.end());
  inverse_norms_.push_back(vector.inverse_norms);
}

void VectorTable::Remove(int64_t fingerprint) {
  const auto found = std::ranges::lower_bound(fingerprints_, fingerprint);
  if (found == fingerprints_.end() || *found != fingerprint) return;
  const auto at = found - fingerprints_.begin();
  fingerprints_.erase(found);
  const auto begin = numbers_.begin() + at * static_cast<ptrdiff_t>(kSearchNumbers);
  numbers_.erase(begin, begin + static_cast<ptrdiff_t>(kSearchNumbers));
  inverse_norms_.erase(inverse_norms_.begin() + at);
}

std::vector<NearVector> VectorTable::Nearest(const SearchVector& query, size_t count,
                                             unsigned threads) const {
  if (count == 0) return {};
  std::array<int16_t, kSearchNumbers> wide;
  std::ranges::copy(query.numbers, wide.begin());
  std::mutex mutex;
  std::vector<NearVector> nearest;
  // What scores less is not among the nearest: so many that score more have been seen.
  std::atomic<double> bound = -1;
  const size_t batches = (size() + kBatch - 1) / kBatch;
  // Never fails.
  (void)ParallelFor(batches, threads, [&](size_t batch) -> Result<void> {
    std::vector<NearVector> found;
    std::array<int32_t, kBlock * kScreenedParts> dots;
    const double least = bound;
    const size_t batch_end = std::min((batch + 1) * kBatch, size());
    for (size_t begin = batch * kBatch; begin < batch_end; begin += kBlock) {
      const size_t end = std::min(begin + kBlock, batch_end);
      HWY_DYNAMIC_DISPATCH(VectorDotsImpl)
      (wide.data(), numbers_.data() + begin * kSearchNumbers, end - begin, dots.data());
      for (size_t i = begin; i < end; ++i) {
        const double score = ScoreOfDots(&dots[(i - begin) * kScreenedParts], query.inverse_norms,
                                         inverse_norms_[i]);
        if (score >= least) found.push_back({.fingerprint = fingerprints_[i], .score = score});
      }
    }
    CutTo(count, found);
    const std::lock_guard lock(mutex);
    nearest.insert(nearest.end(), found.begin(), found.end());
    CutTo(count, nearest);
    if (nearest.size() == count)
      bound = std::ranges::min_element(nearest, {}, &NearVector::score)->score;
    return {};
  });
  std::ranges::sort(nearest, Nearer);
  return nearest;
}

std::vector<NearVector> VectorTable::NearestPlainly(const SearchVector& query, size_t count) const {
  std::vector<NearVector> all;
  for (size_t i = 0; i < size(); ++i) {
    SearchVector vector = {.numbers = {}, .inverse_norms = inverse_norms_[i]};
    std::copy_n(numbers_.begin() + static_cast<ptrdiff_t>(i * kSearchNumbers), kSearchNumbers,
                vector.numbers.begin());
    all.push_back({.fingerprint = fingerprints_[i], .score = SearchScore(query, vector)});
  }
  std::ranges::sort(all, Nearer);
  all.resize(std::min(count, all.size()));
  return all;
}

}  // namespace tensorguard::internal
#endif  // HWY_ONCE
