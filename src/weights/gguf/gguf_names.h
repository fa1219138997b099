// llama.cpp's names of tensors to those of the model that was converted.
#ifndef TENSORGUARD_WEIGHTS_GGUF_GGUF_NAMES_H_
#define TENSORGUARD_WEIGHTS_GGUF_GGUF_NAMES_H_

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "weights/gguf/gguf_architectures.h"
#include "weights/weight_source.h"

namespace tensorguard::internal {

// Null where the conversion of this architecture is not known. `tensors` are the file's.
const GgufArchitecture* FindGgufArchitecture(std::string_view name, bool with_experts,
                                             std::span<const TensorInfo> tensors);

struct OriginalName {
  std::string name;  // "model.layers.3.self_attn.q_proj.weight"; "{}" stands for an expert
  GgufChange change = GgufChange::kNone;
};

// Empty if the architecture has no such tensor.
std::optional<OriginalName> HubNameOf(const GgufArchitecture& architecture,
                                      std::string_view gguf_name);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_GGUF_GGUF_NAMES_H_
