// Which tensors of a checkpoint are the model's, and what they are called.
#ifndef TENSORGUARD_FORMATS_TORCH_TORCH_STATE_H_
#define TENSORGUARD_FORMATS_TORCH_TORCH_STATE_H_

#include <string>
#include <vector>

#include "formats/torch/pickle.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

struct TorchNamedTensor {
  std::string name;
  PickleRef tensor = 0;
};

struct TorchState {
  std::vector<TorchNamedTensor> tensors;  // sorted by name, names unique
  std::vector<std::string> left_out;      // paths of what holds tensors but is not the model's
};

// A dictionary that holds tensors itself is the model. One that holds dictionaries alone is asked
// for the usual wrapper ("state_dict", "model", "module" ...), which is taken off; state of the
// training beside it ("optimizer" ...) is left out. Names are the paths of keys, joined by dots.
// docs/formats/pytorch.md has the rules. Errors: kUsage with the list where several dictionaries
// could be the model; kUnsupported for a value in the model's dictionary that may be numbers but is
// no tensor; kBadFile.
Result<TorchState> FindTorchState(const Pickle& pickle);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FORMATS_TORCH_TORCH_STATE_H_
