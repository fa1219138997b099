// Summaries of all weights of a network from one reading, whoever reads them.
#ifndef TENSORGUARD_PROFILE_WEIGHTS_WEIGHT_SUMMARIES_H_
#define TENSORGUARD_PROFILE_WEIGHTS_WEIGHT_SUMMARIES_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "fingerprint/fingerprint.h"
#include "network/weight.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// Measures the blocks of weights as they are read to multiply with them, and reads itself what
// nobody multiplies with. Memory follows the number of weights in work, not the model.
//
// Observe may be called from any thread; the rest from one, when no other call is under way.
class WeightSummaries : public WeightBlockObserver {
 public:
  // `on_read`: called from any thread with the tensor and the stored bytes of each block when it is
  // first read.
  using OnRead = std::function<void(std::string_view tensor, uint64_t bytes)>;
  explicit WeightSummaries(OnRead on_read = {});
  ~WeightSummaries() override;

  // The weights to summarise. Both must outlive the object. To be called once, before any block is
  // observed.
  void Expect(const WeightSource& source, std::span<const Weight> weights);

  // Blocks of other weights, and those measured before, are passed over. Errors: those of
  // WeightMeasures.
  Result<void> Observe(const Weight& weight, const WeightBlock& block) override;

  // Reads and measures what was not observed, of the weights that `wanted` marks (parallel to them;
  // empty: of all). `threads` 0: one per processor. Errors: those of ReadBlocks and of
  // WeightMeasures.
  Result<void> ReadRest(unsigned threads, const std::vector<bool>& wanted = {});

  // One summary for each weight that was seen whole, in their order. To be called once, after
  // ReadRest.
  std::vector<WeightSummary> Take();

 private:
  struct Task;
  class ProbeShelf;

  Result<void> Measure(Task& task, const TensorInfo& tensor, const WeightBlock& block);

  OnRead on_read_;
  const WeightSource* source_ = nullptr;
  std::span<const Weight> weights_;
  std::vector<std::unique_ptr<Task>> tasks_;  // of weights_
  std::unique_ptr<ProbeShelf> probes_;
};

// Reads and summarises the weights. Errors: those of ReadRest.
Result<std::vector<WeightSummary>> SummariseWeights(const WeightSource& source,
                                                    std::span<const Weight> weights,
                                                    unsigned threads = 0);

// Whether a weight has a sketch of its own: no vocabulary table, no routed expert from kExpertsKept
// on, no rows above kLongestSketched.
bool HasSketch(const Weight& weight);

// Whether a weight's rows are sampled one by one: tables of tokens and of positions.
bool HasRowSample(const Weight& weight);

// The rows of a vocabulary table times X, [rows, kSketchSize]. Errors: those of ReadWeight.
// REQUIRES: rows below the table's.
Result<FloatMatrix> SketchRows(const WeightSource& source, const Weight& table,
                               std::span<const uint32_t> rows);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PROFILE_WEIGHTS_WEIGHT_SUMMARIES_H_
