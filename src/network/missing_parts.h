// What a model lacks though its config or its other layers show that it should be there.
#ifndef TENSORGUARD_NETWORK_MISSING_PARTS_H_
#define TENSORGUARD_NETWORK_MISSING_PARTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "network/network.h"

namespace tensorguard::internal {

struct MissingPart {
  std::string what;           // "layers 4-5", "down of layer 2", "the final norm"
  std::string found = {};     // what is there instead
  std::string expected = {};  // and what shows that more should be
  uint64_t parameters = 0;    // as many as in the layers beside it; 0: cannot be told
};

// By names, shapes and the model's config alone, no weight is read: layers that config.json counts
// or that lie between others, matrices that most layers of the same kind have, halves of all
// layers, the final norm of layers with norms in front.
//
// What differs by design is not missing: layers of another mixer, of experts or none, that a list
// of the config sets apart layer by layer; what half of the layers lack; stored layers that run
// again; keys and values that the config says are shared.
std::vector<MissingPart> FindMissingParts(const Json& config, const Network& network);

// "0-3, 5": numbers in ascending order.
std::string NumberRanges(const std::vector<uint32_t>& numbers);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_MISSING_PARTS_H_
