// What a model consists of: its stacks of layers, towers and projectors.
#ifndef TENSORGUARD_API_INSPECTION_PARTS_OF_MODEL_H_
#define TENSORGUARD_API_INSPECTION_PARTS_OF_MODEL_H_

#include <cstdint>
#include <string>
#include <vector>

#include "model/model.h"
#include "network/network.h"

namespace tensorguard::internal {

struct InspectedPart {
  std::string name;         // "model" for the main stack and what goes with it; else the stack's
  uint64_t parameters = 0;  // of its tensors that are no buffers
  double share = 0;         // of the model's parameters
  uint64_t layers = 0;
  double named_share = 0;      // of its parameters in tensors whose role is known
  uint64_t mixers = 0;         // layers whose attention or other mixer is computed
  uint64_t feed_forwards = 0;  // likewise
};

// In the order of their parameters, largest first. `network` may be null: nothing is computed then.
std::vector<InspectedPart> PartsOfModel(const Model& model, const Network* network);

// "attention and feed-forward of 6 layers", "weights alone".
std::string UnderstoodText(const InspectedPart& part);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_INSPECTION_PARTS_OF_MODEL_H_
