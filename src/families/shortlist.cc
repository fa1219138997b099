#include "families/shortlist.h"

#include <algorithm>
#include <numeric>

#include "base/parallel.h"

namespace tensorguard::internal {
namespace {

// Signatures that one thread takes at a time.
constexpr size_t kBatch = 256;

std::vector<double> ScoresOf(const ScreeningSignature& unknown,
                             std::span<const ScreeningSignature> known, unsigned threads) {
  std::vector<double> scores(known.size());
  const size_t batches = (known.size() + kBatch - 1) / kBatch;
  // Never fails.
  (void)ParallelFor(batches, threads, [&](size_t batch) -> Result<void> {
    const size_t end = std::min((batch + 1) * kBatch, known.size());
    for (size_t i = batch * kBatch; i < end; ++i) scores[i] = ScreeningScore(unknown, known[i]);
    return {};
  });
  return scores;
}

}  // namespace

std::vector<size_t> ShortlistOf(const ScreeningSignature& unknown,
                                std::span<const ScreeningSignature> known, unsigned threads) {
  std::vector<size_t> order(known.size());
  std::iota(order.begin(), order.end(), 0);
  if (known.size() <= kFewKnownModels) return order;
  const std::vector<double> scores = ScoresOf(unknown, known, threads);
  const auto nearer = [&](size_t a, size_t b) {
    return scores[a] != scores[b] ? scores[a] > scores[b] : a < b;
  };
  std::partial_sort(order.begin(), order.begin() + kLongestShortlist, order.end(), nearer);
  const double last = scores[order[kShortlist - 1]] - kNearTie;
  size_t count = kShortlist;
  while (count < kLongestShortlist && scores[order[count]] >= last) ++count;
  order.resize(count);
  std::sort(order.begin(), order.end());
  return order;
}

}  // namespace tensorguard::internal
