#include "families/lineage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

namespace tensorguard::internal {
namespace {

using ::testing::ElementsAre;

// Sketches of four matrices that grow by random steps, as training grows them.
class Trained {
 public:
  explicit Trained(unsigned seed) : generator_(seed) {
    for (size_t i = 0; i < kMatrices; ++i) sketches_.emplace_back(kSketchSize, kSketchSize);
    Train(1);
  }

  Trained Child(unsigned seed, float step) const {
    Trained child = *this;
    child.generator_.seed(seed);
    child.Train(step);
    return child;
  }

  // As if a layer had been dropped: less weight in all, and no counterpart for what is left out.
  Trained Pruned() const {
    Trained pruned = *this;
    pruned.sketches_.pop_back();
    return pruned;
  }

  Fingerprint AsFingerprint() const {
    Fingerprint fingerprint;
    fingerprint.vocabulary_size = 100;
    for (size_t i = 0; i < sketches_.size(); ++i) {
      fingerprint.layers.push_back({.index = static_cast<uint32_t>(i)});
      double squares = 0;
      for (const float each : sketches_[i].values()) squares += each * each;
      WeightSummary weight = {.tensor = "w" + std::to_string(i), .rows = 64, .columns = 64};
      weight.role = {.role = Role::kUp, .layer = static_cast<uint32_t>(i)};
      weight.norm = std::sqrt(squares);
      weight.sketch = sketches_[i];
      // Different numbers have different digests.
      std::memcpy(weight.digest.data(), sketches_[i].values().data(), weight.digest.size());
      fingerprint.weights.push_back(std::move(weight));
    }
    return fingerprint;
  }

 private:
  static constexpr size_t kMatrices = 4;

  void Train(float step) {
    std::normal_distribution<float> normal(0, step);
    for (FloatMatrix& sketch : sketches_) {
      for (float& each : sketch.values()) each += normal(generator_);
    }
  }

  std::mt19937 generator_;
  std::vector<FloatMatrix> sketches_;
};

std::vector<size_t> Trace(const Trained& unknown, const std::vector<Trained>& known) {
  std::vector<Fingerprint> fingerprints;
  std::vector<Comparison> comparisons;
  const Fingerprint print = unknown.AsFingerprint();
  for (const Trained& each : known) {
    fingerprints.push_back(each.AsFingerprint());
    comparisons.push_back(*CompareFingerprints(print, fingerprints.back()));
  }
  std::vector<Relative> relatives;
  for (size_t i = 0; i < known.size(); ++i) {
    relatives.push_back({.known = i, .with_unknown = &comparisons[i]});
  }
  const auto lineage = TraceLineage(print, fingerprints, relatives);
  EXPECT_TRUE(lineage);
  return lineage ? *lineage : std::vector<size_t>();
}

TEST(Lineage, AFineTuneOfAFineTuneNamesParentAndRoot) {
  const Trained base(1);
  const Trained first = base.Child(2, 0.1f);
  EXPECT_THAT(Trace(first.Child(4, 0.1f), {base, first}), ElementsAre(1u, 0u));
  EXPECT_THAT(Trace(first.Child(4, 0.1f), {base.Child(3, 0.1f), first, base}), ElementsAre(1u, 2u));
}

TEST(Lineage, ALighterModelOfOtherDepthIsNoRoot) {
  const Trained base(1);
  const Trained pruned = base.Pruned().Child(3, 0.05f);
  EXPECT_THAT(Trace(base.Child(2, 0.1f), {base, pruned}), ElementsAre(0u));
}

TEST(Lineage, ASiblingIsNoAncestor) {
  const Trained base(1);
  EXPECT_THAT(Trace(base.Child(4, 0.1f), {base.Child(2, 0.1f), base}), ElementsAre(1u));
}

TEST(Lineage, AChildIsNoParent) {
  const Trained base(1);
  const Trained unknown = base.Child(2, 0.2f);
  EXPECT_THAT(Trace(unknown, {unknown.Child(3, 0.05f), base}), ElementsAre(1u));
}

TEST(Lineage, OneRelativeIsParentAndRoot) {
  const Trained base(1);
  EXPECT_THAT(Trace(base.Child(2, 0.1f), {base}), ElementsAre(0u));
}

}  // namespace
}  // namespace tensorguard::internal
