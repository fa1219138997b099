// What a network is put together from: for the forward pass.
#ifndef TENSORGUARD_NETWORK_NETWORK_PARTS_H_
#define TENSORGUARD_NETWORK_NETWORK_PARTS_H_

#include <optional>
#include <vector>

#include "network/parts/output_head.h"
#include "network/stack.h"

namespace tensorguard::internal {

struct NetworkParts {
  std::vector<Stack> stacks;  // the encoder before the decoder
  std::optional<Head> head;
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_NETWORK_PARTS_H_
