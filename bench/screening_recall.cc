// screening_recall FILE...: fingerprint files against each other, once by their signatures and once
// in full. For each, the place that its nearest by the full score has among the others by
// signature, and the same of every pair that the full comparison does not find independent.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "comparison/compare_fingerprints.h"
#include "fingerprint/file/fingerprint_file.h"
#include "fingerprint/screening.h"

namespace {

using namespace tensorguard::internal;
using tensorguard::DescribeError;
using tensorguard::Result;

struct PairScores {
  double screened = 0;
  double full = 0;  // 0 without a score
  bool related = false;
};

Result<std::vector<PairScores>> ComparePairs(const std::vector<Fingerprint>& prints) {
  std::vector<ScreeningSignature> signatures;
  for (const Fingerprint& print : prints) signatures.push_back(ScreeningOf(print));
  std::vector<PairScores> scores(prints.size() * prints.size());
  auto done = ParallelFor(scores.size(), 0, [&](size_t i) -> Result<void> {
    const size_t a = i / prints.size();
    const size_t b = i % prints.size();
    if (a == b) return {};
    const auto comparison = CompareFingerprints(prints[a], prints[b]);
    if (!comparison) return comparison.error();
    scores[i] = {.screened = ScreeningScore(signatures[a], signatures[b]),
                 .full = comparison->score.value_or(0),
                 .related = comparison->verdict != tensorguard::Verdict::kIndependent &&
                            comparison->verdict != tensorguard::Verdict::kInconclusive};
    return {};
  });
  if (!done) return std::move(done).error();
  return scores;
}

// How many of the row's other models score higher by signature than model `b`.
size_t PlaceOf(const std::vector<PairScores>& scores, size_t count, size_t a, size_t b) {
  size_t better = 0;
  for (size_t other = 0; other < count; ++other) {
    if (other == a || other == b) continue;
    if (scores[a * count + other].screened > scores[a * count + b].screened) ++better;
  }
  return better;
}

void PrintRecall(const std::vector<Fingerprint>& prints, const std::vector<PairScores>& scores) {
  const size_t count = prints.size();
  size_t worst_nearest = 0;
  size_t related = 0;
  size_t outscored = 0;
  double lowest_related = 1;
  double highest_other = 0;
  double error = 0;
  for (size_t a = 0; a < count; ++a) {
    size_t nearest = a == 0 ? 1 : 0;
    for (size_t b = 0; b < count; ++b) {
      const PairScores& pair = scores[a * count + b];
      if (a == b) continue;
      if (pair.full > scores[a * count + nearest].full) nearest = b;
      error += (pair.screened - pair.full) * (pair.screened - pair.full);
      if (!pair.related) {
        highest_other = std::max(highest_other, pair.screened);
        continue;
      }
      ++related;
      lowest_related = std::min(lowest_related, pair.screened);
      const bool below_noise = std::ranges::any_of(
          scores.begin() + static_cast<ptrdiff_t>(a * count),
          scores.begin() + static_cast<ptrdiff_t>((a + 1) * count), [&](const PairScores& other) {
            return !other.related && other.screened > pair.screened;
          });
      if (!below_noise) continue;
      ++outscored;
      fmt::print("{} {}: full {:.3f}, screened {:.3f}\n", prints[a].model_name,
                 prints[b].model_name, pair.full, pair.screened);
    }
    if (scores[a * count + nearest].related) {
      worst_nearest = std::max(worst_nearest, PlaceOf(scores, count, a, nearest));
    }
  }
  fmt::print("models {}, related pairs {}, of them outscored by an unrelated model {}\n", count,
             related, outscored);
  fmt::print("the nearest related model is at most at place {}\n", worst_nearest + 1);
  fmt::print("lowest screened score of a related pair {:.3f}, highest of the others {:.3f}\n",
             lowest_related, highest_other);
  fmt::print("screened minus full score, root mean square {:.3f}\n",
             std::sqrt(error / static_cast<double>(count * (count - 1))));
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<Fingerprint> prints;
  for (int i = 1; i < argc; ++i) {
    auto print = ReadFingerprint(argv[i]);
    if (!print) {
      fmt::print(stderr, "{}\n", DescribeError(print.error()));
      return 1;
    }
    prints.push_back(*std::move(print));
  }
  if (prints.size() < 2) {
    fmt::print(stderr, "screening_recall: give two fingerprint files or more\n");
    return 1;
  }
  const auto scores = ComparePairs(prints);
  if (!scores) {
    fmt::print(stderr, "{}\n", DescribeError(scores.error()));
    return 1;
  }
  PrintRecall(prints, *scores);
  return 0;
}
