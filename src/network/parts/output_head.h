// From the last hidden state to the logits.
#ifndef TENSORGUARD_NETWORK_PARTS_OUTPUT_HEAD_H_
#define TENSORGUARD_NETWORK_PARTS_OUTPUT_HEAD_H_

#include <cstdint>
#include <optional>
#include <span>

#include "network/parts/activation.h"
#include "network/parts/embedding.h"
#include "network/parts/layer_context.h"
#include "network/parts/layer_parts.h"
#include "network/parts/linear_map.h"
#include "network/parts/norm.h"
#include "numerics/float_matrix.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// Points into a network: valid as long as that lives. Const methods may be called from any thread.
struct Head {
  const WeightSource* source = nullptr;
  const Weight* table = nullptr;    // [vocabulary, width]; the embedding's where they are tied
  const Weight* further = nullptr;  // [columns beyond the table's, vocabulary]; null: none
  bool tied = false;
  const Weight* bias = nullptr;  // per token; null: none
  // What masked language models have in front: matrix, activation, norm.
  std::optional<LinearMap> transform = {};
  Activation activation = Activation::kGelu;
  std::optional<Norm> norm = {};
  std::optional<LinearMap> projection = {};  // to the embedding's width
  float scale = 1;
  std::optional<float> softcap = {};

  // [n, vocabulary] of hidden states [n, hidden] after the final norm. Errors: those of
  // LinearMap::Apply.
  Result<FloatMatrix> Logits(FloatMatrix hidden) const;

  // Rows of the table, scaled as the logits are, with the gain of `closing` (the norm that wrote
  // what they are multiplied with) folded in, centred where it centres. [n, width]. Errors:
  // kBadFile for a table that lacks one of the ids; those of ReadWeight.
  Result<FloatMatrix> Rows(std::span<const uint32_t> ids, const std::optional<Norm>& closing) const;
};

// Empty where the model has no head. Errors: kBadFile where parts contradict each other.
Result<std::optional<Head>> ReadHead(const StackContext& context, const LayerParts& outer,
                                     const Embedding& embedding, bool tied);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_PARTS_OUTPUT_HEAD_H_
