// A tensor's role as far as its own name and its siblings' names tell it.
#ifndef TENSORGUARD_ARCHITECTURE_NAME_READING_H_
#define TENSORGUARD_ARCHITECTURE_NAME_READING_H_

#include <cstdint>
#include <span>

#include "architecture/role_table.h"
#include "architecture/tensor_path.h"
#include "roles/role.h"

namespace tensorguard::internal {

// Sets role, companion_of, is_bias, layer (as in the name), expert, stacked_experts, shared_expert,
// cross_attention, packing (the row's), and `stack` for towers. `shape` may be empty.
TensorRole ReadName(const ModelPaths& model, const TensorPath& path,
                    std::span<const uint64_t> shape);

// The same of a tensor in a tower that is all of the model: no word of its name puts it beside the
// main stack. What reads images or sound in front of the layers is kModality.
TensorRole ReadNameInTower(const ModelPaths& model, const TensorPath& path,
                           std::span<const uint64_t> shape);

// The block that the tensor's module lies in.
Block BlockOfTensor(const ModelPaths& model, const TensorPath& path);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_ARCHITECTURE_NAME_READING_H_
