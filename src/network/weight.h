// The weights of a network one by one, wherever and however they are stored.
#ifndef TENSORGUARD_NETWORK_WEIGHT_H_
#define TENSORGUARD_NETWORK_WEIGHT_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/bfloat16.h"
#include "model/model.h"
#include "numerics/float_matrix.h"
#include "roles/role.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

class WeightBlockObserver;

// `count` rows of a stored matrix: first, first + step, ...
struct RowRun {
  uint64_t first = 0;
  uint64_t count = 0;
  uint64_t step = 1;
};

// One matrix as the method means it, [out, in]: a whole tensor, the rows of one part of a fused
// one, or one expert of a stack, whichever way round it is stored. A bias, a gain or another vector
// is one of a single column.
struct Weight {
  // `role.role` is never a fused one (kQueryKeyValue, kKeyValue, kGateUp) but where the tensor
  // could not be split; `stacked_experts` is false and `expert` set for one of a stack. The rest is
  // as the tensor's.
  TensorRole role;
  size_t tensor_index = 0;  // in WeightSource::tensors()
  uint64_t rows = 0;        // outputs
  uint64_t columns = 0;     // inputs; 1 for a vector
  // The stored matrix that it is taken from, and which of its outputs, in this weight's order.
  uint64_t first_element = 0;  // of that matrix within the tensor
  uint64_t stored_rows = 0;    // outputs there; rows of storage unless input_major
  std::vector<RowRun> runs;    // counts add up to `rows`
  bool input_major = false;    // stored [in, out]

  // Outputs come in so many equal groups, each of which reads its own of as many groups of inputs
  // (SqueezeBERT); `columns` are those of one group. Where input_major too, the groups are stored
  // one after the other (ConvBERT).
  uint64_t groups = 1;
  bool is_vector = false;  // the tensor has one dimension (of one expert)
  unsigned threads = 0;    // that may multiply with it; 0: one per processor
  // Sees every block that is read to multiply with it. Null: nobody does.
  WeightBlockObserver* observer = nullptr;
};

// Rows of a weight as they were read: bfloat16 where they are stored so, else float32.
struct WeightBlock {
  uint64_t index = 0;
  uint64_t first_row = 0;
  uint64_t rows = 0;
  std::variant<std::span<const float>, std::span<const BFloat16>>
      values;  // [rows, columns], finite
};

// Called from any thread, by several at once, with blocks in no fixed order, and with the same one
// again where a weight is used twice. The block lives no longer than the call.
class WeightBlockObserver {
 public:
  virtual ~WeightBlockObserver() = default;
  virtual Result<void> Observe(const Weight& weight, const WeightBlock& block) = 0;
};

// Every tensor that is a parameter (no buffers, no scales of a quantiser), split where it is fused,
// in the order of the tensors, parts in the order query, key, value or gate, up; experts counted
// up. A packing that needs the number of heads, where the config does not tell, leaves the tensor
// whole with its fused role. Errors: kBadFile, naming the tensor, where a shape contradicts the
// config; kUnsupported, for rows longer than any model has.
Result<std::vector<Weight>> SplitWeights(const Model& model);

// All of a weight, [rows, columns]. Errors: those of ReadFloat32; kBadFile, naming the tensor and
// the element, for a number that is not finite.
Result<FloatMatrix> ReadWeight(const WeightSource& source, const Weight& weight);

// Rows [first_row, first_row + count) of a weight, [count, columns]. Errors: those of ReadWeight.
// Slower for an input-major one, whose rows lie scattered: ask for many at a time.
Result<FloatMatrix> ReadWeightRows(const WeightSource& source, const Weight& weight,
                                   uint64_t first_row, uint64_t count);

// Blocks are cut by shape alone, so that what is made of them comes out the same for any number of
// threads: 2^18 elements, which fit a processor core's own cache, or a single row. REQUIRES: the
// weight has elements.
uint64_t RowsPerBlock(const Weight& weight);
uint64_t BlockCount(const Weight& weight);

// Blocks that are read together: one; 16 of an input-major weight, whose rows lie scattered.
uint64_t BlocksPerReading(const Weight& weight);

// Reads blocks [first_block, first_block + BlocksPerReading(weight)), as many as there are, and
// calls use(block) for each in order. Errors: those of ReadWeight and of `use`.
Result<void> ReadBlocks(const WeightSource& source, const Weight& weight, uint64_t first_block,
                        const std::function<Result<void>(const WeightBlock&)>& use);

struct LinearOptions {
  unsigned threads = 0;  // 0: as the weight says
};

// inputs [n, columns * groups] times the weight transposed: [n, rows], read in blocks, so that
// memory follows n and not the weight. Where the weight is stored as bfloat16, the inputs are
// rounded to bfloat16 first: products are exact then, and made by the processor's bfloat16
// instructions. The same bytes for any number of threads; on another kind of processor the error of
// float32 sums apart (numerics/matrix_product.h). Errors: those of ReadWeight, of Multiply, of the
// observer.
Result<FloatMatrix> ApplyWeight(const WeightSource& source, const Weight& weight,
                                const FloatMatrix& inputs, const LinearOptions& options = {});

// The same by plain loops over the whole weight: what ApplyWeight is tested against.
Result<FloatMatrix> ApplyWeightPlainly(const WeightSource& source, const Weight& weight,
                                       const FloatMatrix& inputs);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_WEIGHT_H_
