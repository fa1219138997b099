// One stack over one sequence: its layers one after the other, and what lies around them.
#ifndef TENSORGUARD_NETWORK_SEQUENCE_STACK_RUN_H_
#define TENSORGUARD_NETWORK_SEQUENCE_STACK_RUN_H_

#include <cstdint>
#include <span>
#include <vector>

#include "network/forward.h"
#include "network/sequence/sequence_attention.h"
#include "network/stack.h"
#include "numerics/float_matrix.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

struct StackResult {
  ForwardResult result;   // without logits
  FloatMatrix head_rows;  // what the head reads: the last hidden state, or that of another stream
};

class StackRun {
 public:
  // `encoded`: what the encoder made, for cross-attention; null where there is none. All must
  // outlive the run.
  StackRun(const Stack& stack, const FloatMatrix* encoded, const ForwardOptions& options)
      : stack_(stack), encoded_(encoded), options_(options), attention_(stack, encoded, options) {}

  // Errors: those of ApplyWeight; kUnsupported for what is not known of sequences.
  Result<StackResult> Run(std::span<const uint32_t> ids);

 private:
  Result<FloatMatrix> Enter(std::span<const uint32_t> ids);
  Result<FloatMatrix> RunLayer(const Layer& layer, FloatMatrix stream);
  Result<FloatMatrix> RunParallel(const Layer& layer, FloatMatrix stream);
  Result<FloatMatrix> RunOnStreams(const Layer& layer, FloatMatrix streams);
  Result<FloatMatrix> RunInTurn(const Layer& layer, FloatMatrix stream);
  Result<FloatMatrix> RunInOtherWidth(const Layer& layer, const FloatMatrix& stream);
  Result<FloatMatrix> RunSpan(size_t first, size_t last, FloatMatrix stream,
                              std::vector<FloatMatrix>& hidden);
  Result<StackResult> RunCycles();
  Result<StackResult> RunReversible();
  Result<FloatMatrix> MixerInput(const Layer& layer, const FloatMatrix& stream);
  Result<FloatMatrix> RunMixer(const Layer& layer, const FloatMatrix& rows);
  Result<FloatMatrix> RunCrossAttention(const Layer& layer, const FloatMatrix& rows);
  Result<FloatMatrix> RunFeedForwardOf(const Layer& layer, const FloatMatrix& rows) const;
  Result<StackResult> Close(std::vector<FloatMatrix> hidden, FloatMatrix stream) const;

  const Stack& stack_;
  const FloatMatrix* encoded_;
  const ForwardOptions& options_;
  SequenceAttention attention_;
  std::span<const uint32_t> ids_;
  RowLayout layout_;
  FloatMatrix embedded_;     // what entered the first layer
  FloatMatrix side_inputs_;  // of all layers, side by side; empty: none
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_SEQUENCE_STACK_RUN_H_
