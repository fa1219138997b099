// Everything that a fingerprint says about one weight, measured in a single pass over its rows.
#ifndef TENSORGUARD_PROFILE_WEIGHTS_WEIGHT_MEASURES_H_
#define TENSORGUARD_PROFILE_WEIGHTS_WEIGHT_MEASURES_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "fingerprint/digest/content_digest.h"
#include "fingerprint/fingerprint.h"
#include "fingerprint/sketches/probe_numbers.h"
#include "fingerprint/sketches/row_samples.h"
#include "network/weight.h"
#include "profile/weights/row_measures.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// Up to this many elements, the quantiles are exact; of larger weights they are those of a
// FixedSample of this size: the share of elements below a stated quantile errs by less than 1.2 %
// at three standard deviations.
inline constexpr uint64_t kQuantileSample = 16'384;
// The same for groups of neighbours whose different values are counted.
inline constexpr uint64_t kGroupSample = 1'024;
inline constexpr uint64_t kSmallGroup = 32;
inline constexpr uint64_t kLargeGroup = kLargestGroup;

// Weights with longer rows (and longer vectors) have no sketch: their X would fill the memory.
inline constexpr uint64_t kLongestSketched = uint64_t{1} << 18;

Error TooLargeToSketch(const TensorInfo& tensor);

// Random inputs of one length in both forms that blocks come in, the same numbers.
struct Probes {
  explicit Probes(uint64_t length);

  FloatMatrix float32;             // ProbeMatrix(length)
  std::vector<BFloat16> bfloat16;  // row-major
};

// Blocks may be measured by any thread, each once; what comes out depends on neither order nor
// number of threads.
class WeightMeasures {
 public:
  // `probes`: of the weight's columns (of a vector: its rows); null for no sketch.
  // `row_probes`: of its columns; null for no sample of its rows.
  // `tensor` and `weight` must outlive the object. REQUIRES: the weight has elements.
  WeightMeasures(const TensorInfo& tensor, const Weight& weight,
                 std::shared_ptr<const Probes> probes,
                 std::shared_ptr<const RowProbes> row_probes = nullptr);

  // Errors: those of Multiply.
  Result<void> Measure(const WeightBlock& block);

  // REQUIRES: every block is measured. Errors: kBadFile, naming the tensor, for numbers too large
  // to sum.
  Result<WeightSummary> Finish();

 private:
  struct Block {
    RowMeasures rows = {};  // but the columns
    uint64_t distinct_in_small = 0;
    uint64_t distinct_in_large = 0;
    BlockDigest digest = {};
    // Of the rounded numbers; empty if one is infinite then.
    std::optional<BlockDigest> as_bfloat16 = {};
    std::optional<BlockDigest> as_float16 = {};
    std::vector<double> sketch = {};
  };

  template <typename Number>
  Result<void> MeasureValues(uint64_t first_row, std::span<const Number> values, Block& block);
  template <typename Number>
  void TakeSamples(uint64_t first_row, std::span<const Number> values, Block& block);
  template <typename Number>
  void SampleRows(uint64_t first_row, std::span<const Number> values);
  template <typename Number>
  Result<void> AddToSketch(uint64_t first_row, std::span<const Number> values, Block& block);
  void MarkColumns(const std::vector<uint8_t>& filled);
  void AddDigests(WeightSummary& summary) const;
  Result<void> AddSketch(WeightSummary& summary) const;
  void AddQuantiles(float least, float greatest, WeightSummary& summary);

  const TensorInfo& tensor_;
  const Weight& weight_;
  std::shared_ptr<const Probes> probes_;
  std::shared_ptr<const RowProbes> row_probes_;
  OutputBuckets buckets_;
  FixedSample elements_;
  FixedSample small_groups_;
  FixedSample large_groups_;
  std::vector<Block> blocks_;
  std::vector<float> sampled_;  // parallel to elements_
  FixedSample rows_;
  RowSample row_sample_;  // parallel to rows_

  std::atomic<bool> all_columns_filled_ = false;
  std::mutex columns_mutex_;
  std::vector<uint8_t> filled_columns_;  // guarded by columns_mutex_; 1: not all zero
};

// The same by plain loops over the whole weight (digests of the same blocks): what the measures
// are tested against.
Result<WeightSummary> SummarisePlainly(const WeightSource& source, const Weight& weight,
                                       bool with_sketch, bool with_rows = false);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PROFILE_WEIGHTS_WEIGHT_MEASURES_H_
