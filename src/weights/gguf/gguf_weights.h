// A GGUF model's tensors as they were before llama.cpp converted them.
#ifndef TENSORGUARD_WEIGHTS_GGUF_GGUF_WEIGHTS_H_
#define TENSORGUARD_WEIGHTS_GGUF_GGUF_WEIGHTS_H_

#include <memory>
#include <optional>
#include <string>

#include "formats/gguf/gguf_metadata.h"
#include "tensorguard/result.h"
#include "weights/gguf/gguf_names.h"
#include "weights/gguf/gguf_row_order.h"
#include "weights/weight_source.h"

namespace tensorguard::internal {

// The architecture of a GGUF model; `stored` are its tensors by llama.cpp's names. Empty where
// llama.cpp's conversion of it is not known here.
std::optional<GgufArchitecture> GgufArchitectureOf(const GgufMetadata& metadata,
                                                   const WeightSource& stored);

// What undoing a conversion needs to know beside the names.
struct ChangedNumbers {
  GgufHeads heads = {};
  uint64_t experts = 0;
};

ChangedNumbers ChangedNumbersOf(const GgufArchitecture& architecture, const GgufMetadata& metadata);

struct UndoneConversion {
  std::shared_ptr<const WeightSource> weights;
  std::string note = {};  // on tensors that were left as they are; empty: there are none
};

// `stored` with Hugging Face's names, and with everything undone that GgufChange lists: kernels of
// rows in another order, or of gains that are off by one, would be those of another model. A tensor
// that the architecture is not known to have stays as it is stored. Errors: kBadFile for numbers of
// heads or experts that do not fit the shapes, and for two tensors that are the same part.
Result<UndoneConversion> UndoConversion(std::shared_ptr<const WeightSource> stored,
                                        const GgufArchitecture& architecture,
                                        const ChangedNumbers& numbers);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_GGUF_GGUF_WEIGHTS_H_
