// Which stack of layers a tensor belongs to, and which stack is the model's own.
#ifndef TENSORGUARD_ARCHITECTURE_STACKS_H_
#define TENSORGUARD_ARCHITECTURE_STACKS_H_

#include <cstdint>
#include <span>
#include <string>

#include "architecture/tensor_path.h"
#include "roles/role.h"

namespace tensorguard::internal {

struct MainStack {
  std::string name;  // "" or "decoder"
  uint32_t layers = 0;
};

// Fills `stack` where it is empty (towers have theirs), and counts `layer` from 0 within it.
// `roles` are parallel to the paths and come from ReadName.
MainStack AssignStacks(const ModelPaths& model, std::span<TensorRole> roles);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_ARCHITECTURE_STACKS_H_
