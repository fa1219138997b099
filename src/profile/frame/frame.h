// The forms of a model's layers in the weights' own frame, from one reading of its weights.
#ifndef TENSORGUARD_PROFILE_FRAME_FRAME_H_
#define TENSORGUARD_PROFILE_FRAME_FRAME_H_

#include <memory>

#include "frame/frame_forms.h"
#include "network/network.h"
#include "network/weight.h"
#include "numerics/float_matrix.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

struct FrameOptions {
  unsigned threads = 0;  // 0: one per processor
};

// Axes of a frame, or as many as the residual stream has where it is narrower (docs/frame.md).
inline constexpr size_t kFrameAxes = 12;
// Directions among which the axes are found.
inline constexpr size_t kCandidateAxes = 16;
// Directions along which units are told one by one; the first are the candidates.
inline constexpr size_t kUnitDirections = 32;

// Rows of the residual stream, [tokens, hidden] each: where tokens enter it, and what reads them
// out.
struct StreamRows {
  const FloatMatrix* inputs = nullptr;
  const FloatMatrix* outputs = nullptr;
};

// Makes the forms from blocks of weights as they are read to multiply with them, and reads itself
// what nobody multiplies with. Memory follows the layers in work, not the model. What comes out is
// the same for any order of the blocks and any number of threads.
//
// Observe may be called from any thread; the rest from one, when no other call is under way.
class FrameObserver : public WeightBlockObserver {
 public:
  // Reads the gains and a sample of the rows that read the residual stream, and finds the candidate
  // axes. `network` must outlive the object. Errors: those of ReadWeight and of Multiply.
  static Result<std::unique_ptr<FrameObserver>> Prepare(const Network& network,
                                                        const FrameOptions& options = {});
  ~FrameObserver() override = default;

  // Blocks of weights that are in no form, and those seen before, are passed over. Errors: those of
  // Multiply; kBadFile, naming the tensor, for numbers too large to multiply.
  Result<void> Observe(const Weight& weight, const WeightBlock& block) override = 0;

  // Reads what was not observed. Errors: those of ReadBlocks and Observe.
  virtual Result<void> ReadRest() = 0;

  // REQUIRES: after ReadRest; to be called once. Errors: kSystem if the system's linear algebra
  // fails.
  virtual Result<FrameForms> Finish(const StreamRows& tokens) = 0;
  Result<FrameForms> Finish() { return Finish(StreamRows()); }
};

// Prepare, ReadRest, Finish. Without a frame (axes 0) where no layer has an attention or a
// feed-forward that fits the residual stream, or all weights are zero.
Result<FrameForms> ComputeFrameForms(const Network& network, const FrameOptions& options = {});

// The same from whole weights by plain loops in float64: what ComputeFrameForms is tested against.
Result<FrameForms> ComputeFrameFormsPlainly(const Network& network);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PROFILE_FRAME_FRAME_H_
