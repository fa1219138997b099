// A weight along directions of the residual stream, block by block as it is read.
#ifndef TENSORGUARD_PROFILE_FRAME_STREAM_PROJECTION_H_
#define TENSORGUARD_PROFILE_FRAME_STREAM_PROJECTION_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <vector>

#include "base/bfloat16.h"
#include "network/weight.h"
#include "numerics/float_matrix.h"
#include "profile/frame/frame_plan.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// Blocks may come from any thread in any order, each once; what comes out depends on neither. Sums
// over blocks are made in their order: a block that comes early waits as its product.
class StreamProjection {
 public:
  // `directions` [n, hidden]. Both must outlive the object.
  StreamProjection(const FloatMatrix& directions, const StreamWeight& of);

  // Errors: those of Multiply.
  Result<void> Add(const WeightBlock& block);

  // [n, outer]. REQUIRES: every block was added.
  FloatMatrix Take();

 private:
  template <typename Number>
  Result<void> AddReader(const WeightBlock& block, std::span<const Number> values);
  template <typename Number>
  Result<void> AddWriter(const WeightBlock& block, std::span<const Number> values);
  void AddInOrder(uint64_t block, FloatMatrix product);
  template <typename Number>
  const std::vector<Number>& Directions() const;

  const StreamWeight& of_;
  uint64_t count_;
  // Behind the gain, [n, hidden], in both forms that blocks come in.
  std::vector<float> float32_;
  std::vector<BFloat16> bfloat16_;
  FloatMatrix projection_;

  std::mutex mutex_;
  uint64_t next_block_ = 0;                  // guarded by mutex_, as the next, and projection_ of
  std::map<uint64_t, FloatMatrix> waiting_;  // a weight that writes
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PROFILE_FRAME_STREAM_PROJECTION_H_
