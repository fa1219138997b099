// What a tensor of an adapter file is, by its name.
#ifndef TENSORGUARD_WEIGHTS_ADAPTERS_ADAPTER_NAMES_H_
#define TENSORGUARD_WEIGHTS_ADAPTERS_ADAPTER_NAMES_H_

#include <string>
#include <string_view>

#include "tensorguard/result.h"

namespace tensorguard::internal {

enum class AdapterPart {
  kLoraA,           // [rank, inputs]
  kLoraB,           // [outputs, rank]
  kLoraBBias,       // [outputs]
  kLoraMagnitude,   // [outputs], DoRA
  kLoraEmbeddingA,  // [rank, rows of the embedding]
  kLoraEmbeddingB,  // [columns of the embedding, rank]
  kIa3,             // [1, inputs] or [outputs, 1]
  kMlxA,            // [inputs, rank]
  kMlxB,            // [rank, outputs]
  kReplacement,     // a whole tensor that stands in for the base's
};

struct AdapterName {
  AdapterPart part = AdapterPart::kReplacement;
  // The module that the part belongs to; for a replacement the tensor's whole name. Without PEFT's
  // wrappers, as the trained model would call it.
  std::string target;
};

// The name without the wrapper that PEFT puts around the whole model.
std::string_view WithoutModelWrapper(std::string_view name);

// Errors: kUnsupported for parts of other kinds of adapter.
Result<AdapterName> ParseAdapterName(std::string_view name);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_ADAPTERS_ADAPTER_NAMES_H_
