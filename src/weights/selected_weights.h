// Some of a model's tensors, perhaps under other names.
#ifndef TENSORGUARD_WEIGHTS_SELECTED_WEIGHTS_H_
#define TENSORGUARD_WEIGHTS_SELECTED_WEIGHTS_H_

#include <memory>
#include <string>
#include <vector>

#include "tensorguard/result.h"
#include "weights/weight_source.h"

namespace tensorguard::internal {

struct SelectedTensor {
  size_t tensor = 0;  // of the source
  std::string name;   // that it has here
};

// The tensors of `weights` that are selected, sorted by their names here. Errors: kBadFile, naming
// both, for two of one name. REQUIRES: the indices are those of tensors of `weights`.
Result<std::shared_ptr<const WeightSource>> SelectTensors(
    std::shared_ptr<const WeightSource> weights, std::vector<SelectedTensor> selected);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_SELECTED_WEIGHTS_H_
