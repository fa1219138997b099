// Layers that run in two nested cycles, each with a state of its own (HRM).
#ifndef TENSORGUARD_NETWORK_STREAMS_CYCLES_H_
#define TENSORGUARD_NETWORK_STREAMS_CYCLES_H_

#include <cstdint>
#include <optional>

#include "network/parts/layer_context.h"
#include "network/parts/layer_parts.h"
#include "network/weight.h"

namespace tensorguard::internal {

// The first half of the layers makes the state of the fast cycle, the second that of the slow one;
// each reads the sum of both. Points into a network: valid as long as that lives.
struct Cycles {
  const Weight* start = nullptr;  // of the fast cycle's state: a row for every token
  uint64_t slow = 1;              // turns
  uint64_t fast = 1;              // in each of those
};

// Of the weights outside layers; empty where there are none.
std::optional<Cycles> FindCycles(const StackContext& context, const LayerParts& outer);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_STREAMS_CYCLES_H_
