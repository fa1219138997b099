// What the parts of a layer are read with.
#ifndef TENSORGUARD_NETWORK_PARTS_LAYER_CONTEXT_H_
#define TENSORGUARD_NETWORK_PARTS_LAYER_CONTEXT_H_

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "architecture/config_view.h"
#include "architecture/table/architecture_traits.h"
#include "network/parts/linear_map.h"
#include "network/parts/norm.h"
#include "network/weight.h"
#include "tensorguard/result.h"
#include "weights/weight_source.h"

namespace tensorguard::internal {

// One stack of layers of a model, before its layers are read.
struct StackContext {
  const WeightSource* source = nullptr;
  ConfigView config;  // as seen from this stack
  const ArchitectureTraits* traits = nullptr;
  PositionScheme positions = PositionScheme::kUnknown;
  bool is_guess = false;    // no config, or an architecture without a row: the reading may be wrong
  std::string name = {};    // as TensorRole::stack
  bool is_encoder = false;  // of an encoder-decoder: sees both ways
  uint64_t hidden_size = 0;                  // width of the residual stream
  uint64_t layer_count = 0;                  // that are stored
  std::set<std::string>* assumed = nullptr;  // what was not stated
};

// A norm of these weights. `width`: the columns that it normalises together, 0 for the whole row.
Norm MakeNorm(const StackContext& context, const Weight* gain, const Weight* bias,
              size_t width = 0);

// The activation of feed-forwards: config.json's, else the table's, else SiLU where there is a gate
// and GELU where there is none.
Activation ReadActivation(const StackContext& context, bool gated);

// Fails, naming the tensor, where the map has not the widths that its place wants (0: any).
Result<void> CheckMap(const LinearMap& map, uint64_t inputs, uint64_t outputs);

// The error for a tensor that does not fit into its layer.
Error BadPart(const LinearMap& map, std::string problem, std::string found, std::string expected);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_PARTS_LAYER_CONTEXT_H_
