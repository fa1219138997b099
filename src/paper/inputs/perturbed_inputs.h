// The five inputs for every width that a model's tensors have.
#ifndef TENSORGUARD_PAPER_INPUTS_PERTURBED_INPUTS_H_
#define TENSORGUARD_PAPER_INPUTS_PERTURBED_INPUTS_H_

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <vector>

#include "paper/inputs/perturbation.h"
#include "paper/responses/tensor_response.h"
#include "tensorguard/result.h"
#include "weights/weight_source.h"

namespace tensorguard::internal {

// The tensor whose cross-entropy the adversarial input for `width` follows: the first of `matrices`
// with that many columns. REQUIRES: there is one.
size_t FirstMatrixOfWidth(std::span<const TensorInfo> tensors, std::span<const size_t> matrices,
                          uint64_t width);

// Stored bytes that the adversarial inputs for `widths` read: the first matrix of each width.
// REQUIRES: there is one for every width.
uint64_t AdversarialBytes(std::span<const TensorInfo> tensors, std::span<const size_t> matrices,
                          const std::set<uint64_t>& widths);

// Makes inputs on demand and keeps them: because the seed is set anew for each draw, they depend on
// the width alone (and the adversarial one on one tensor of that width). Not thread-safe.
class PerturbedInputs {
 public:
  // `matrices`: indices of the model's 2-D tensors in the order in which the adversarial input
  // looks for the first one of its width. `weights` must outlive this object.
  PerturbedInputs(const WeightSource& weights, std::span<const size_t> matrices, unsigned threads,
                  BytesReadCallback on_read);

  // The inputs for tensors with `width` columns, in the order of kAllNoises. Without
  // `with_adversarial` that input may be a zero vector; leaving it out saves a pass over a tensor.
  // The reference stays valid until the next call.
  Result<std::span<const std::vector<float>>> ForWidth(uint64_t width, bool with_adversarial);

 private:
  const WeightSource& weights_;
  std::vector<size_t> matrices_;
  unsigned threads_;
  BytesReadCallback on_read_;

  struct Inputs {
    std::vector<std::vector<float>> of_noise;
    bool has_adversarial = false;
  };
  std::map<uint64_t, Inputs> by_width_;
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PAPER_INPUTS_PERTURBED_INPUTS_H_
