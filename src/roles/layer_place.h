// Where a layer stands in its model.
#ifndef TENSORGUARD_ROLES_LAYER_PLACE_H_
#define TENSORGUARD_ROLES_LAYER_PLACE_H_

#include <cstdint>
#include <string>
#include <utility>

namespace tensorguard::internal {

// The stack, and the layer's index in it; see TensorRole.
using LayerPlace = std::pair<std::string, uint32_t>;

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_ROLES_LAYER_PLACE_H_
