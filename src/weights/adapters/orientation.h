// Whether a base stores a matrix as [outputs, inputs] or, as GPT-2's Conv1D does, the other way.
#ifndef TENSORGUARD_WEIGHTS_ADAPTERS_ORIENTATION_H_
#define TENSORGUARD_WEIGHTS_ADAPTERS_ORIENTATION_H_

#include <cstdint>

#include "tensorguard/result.h"
#include "weights/weight_source.h"

namespace tensorguard::internal {

enum class Orientation {
  kOutputsByInputs,
  kInputsByOutputs,
  kSquare,  // the shape does not tell
};

// Adapters can be merged into matrices of floating-point numbers, and into stacks of them. Errors:
// kUnsupported otherwise.
Result<void> CheckIsFloat(const TensorInfo& tensor);
Result<void> CheckIsFloatMatrix(const TensorInfo& tensor);

// How `matrix` holds a module of that many inputs and outputs. Errors: kMismatch if it does not.
Result<Orientation> OrientationOf(const TensorInfo& matrix, uint64_t outputs, uint64_t inputs);

// Decides for square matrices. PEFT goes by the module's class and writes what it found to
// fan_in_fan_out; where other matrices of the same adapter all lie the other way, they are better
// evidence than a config written by hand.
class OrientationEvidence {
 public:
  explicit OrientationEvidence(bool fan_in_fan_out) : fan_in_fan_out_(fan_in_fan_out) {}

  void See(Orientation orientation);

  // REQUIRES: everything has been seen. Never kSquare.
  Orientation Resolve(Orientation orientation) const;

 private:
  bool fan_in_fan_out_;
  bool saw_outputs_by_inputs_ = false;
  bool saw_inputs_by_outputs_ = false;
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_ADAPTERS_ORIENTATION_H_
