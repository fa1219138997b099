// What enters every layer beside the stream: the per-layer embeddings of Gemma 4.
#ifndef TENSORGUARD_NETWORK_STREAMS_SIDE_INPUT_H_
#define TENSORGUARD_NETWORK_STREAMS_SIDE_INPUT_H_

#include <cstdint>
#include <optional>
#include <span>

#include "network/parts/activation.h"
#include "network/parts/layer_context.h"
#include "network/parts/layer_parts.h"
#include "network/parts/linear_map.h"
#include "network/parts/norm.h"
#include "numerics/float_matrix.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// One layer's part: stream + norm(projection(activation(gate stream) * input)), then times the
// layer's factor. Points into a network: valid as long as that lives.
struct SideInput {
  std::optional<LinearMap> gate = {};  // empty: the factor alone
  std::optional<LinearMap> projection = {};
  std::optional<Norm> norm = {};
  Activation activation = Activation::kGeluTanh;
  const WeightSource* source = nullptr;
  const Weight* factor = nullptr;  // on the stream; null: none

  bool Holds(const Weight& weight) const;
};

// What all layers' inputs are made of: a row of the table for each token, and a projection of the
// embedded token, through a norm for each layer.
struct SideInputs {
  const WeightSource* source = nullptr;
  const Weight* table = nullptr;  // [vocabulary, layers * width]
  std::optional<LinearMap> projection = {};
  std::optional<Norm> norm = {};
  uint64_t width = 0;
};

// Empty where the layer has none.
std::optional<SideInput> FindSideInput(const StackContext& context, const LayerParts& layer);

// Of the weights outside layers; empty where there are none.
std::optional<SideInputs> FindSideInputs(const StackContext& context, const LayerParts& outer);

// [n, layers * width] for a sequence of tokens and what enters the first layer of them; empty where
// there are no such inputs. Errors: those of ReadWeight and LinearMap::Apply.
Result<FloatMatrix> SideInputsOf(const std::optional<SideInputs>& inputs,
                                 std::span<const uint32_t> ids, const FloatMatrix& embedded);

// The stream after layer `index` with what the layer makes of its input. Errors: those of
// LinearMap::Apply; kBadFile where the inputs lack the layer.
Result<FloatMatrix> AddSideInput(const SideInput& layer, uint32_t index, const FloatMatrix& inputs,
                                 FloatMatrix stream);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_STREAMS_SIDE_INPUT_H_
