// Meta's and Mistral's own layout of a Llama: params.json and tensors of their own names.
#ifndef TENSORGUARD_WEIGHTS_NATIVE_NATIVE_LAYOUT_H_
#define TENSORGUARD_WEIGHTS_NATIVE_NATIVE_LAYOUT_H_

#include <memory>
#include <span>

#include "base/json.h"
#include "tensorguard/result.h"
#include "weights/gguf/gguf_weights.h"
#include "weights/weight_source.h"

namespace tensorguard::internal {

// Whether the tensors have the names that Meta's and Mistral's own code gives them
// ("tok_embeddings.weight", "layers.0.attention.wq.weight"): rotary pairs lie side by side there.
bool HasNativeNames(std::span<const TensorInfo> tensors);

// `stored` with Hugging Face's names and rows: rows 2 j and 2 j + 1 of each head of queries and
// keys become rows j and j + half again. `params` is params.json, or a config.json with the numbers
// of heads. Errors: kBadFile where heads are not stated or do not fit.
// Source: the converters of the field's library (convert_llama_weights_to_hf,
// convert_mistral_weights_to_hf), which turn the rows.
Result<UndoneConversion> UndoNativeLayout(std::shared_ptr<const WeightSource> stored,
                                          const Json& params);

// What config.json would say. REQUIRES: `params` is an object; `weights` of UndoNativeLayout.
Json ConfigOfNative(const Json& params, const WeightSource& weights);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_NATIVE_NATIVE_LAYOUT_H_
