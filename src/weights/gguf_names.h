// llama.cpp's names of tensors to those of the model that was converted.
#ifndef TENSORGUARD_WEIGHTS_GGUF_NAMES_H_
#define TENSORGUARD_WEIGHTS_GGUF_NAMES_H_

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tensorguard {

// What llama.cpp's converter did to a tensor's numbers, to be undone.
enum class GgufChange {
  kNone,
  kQueryRows,     // rows of each head interleaved: rotary pairs (i, i + half) became neighbours
  kKeyRows,       // the same with the number of key-value heads
  kOneAdded,      // gains stored as a difference from 1 became gains
  kExpertsJoined  // one tensor per expert became one with experts first
};

struct GgufTensorName {
  std::string_view part;      // llama.cpp's, without "blk.N." and the ending ".weight" or ".bias"
  std::string_view hub_part;  // Hugging Face's, without its layer's prefix; "{}" is an expert
  GgufChange change = GgufChange::kNone;
};

// An architecture whose conversion is known.
struct GgufArchitecture {
  std::string_view name;                   // general.architecture
  bool with_experts;                       // NAME.expert_count is above 0
  std::string_view model_type;             // as config.json has it
  std::span<const GgufTensorName> outer;   // names without a layer, whole
  std::span<const GgufTensorName> layers;  // names in "blk.N." and "model.layers.N."
  std::string_view activation;
};

// Null where the conversion of this architecture is not known.
const GgufArchitecture* FindGgufArchitecture(std::string_view name, bool with_experts);

// "llama, qwen2, ..." for errors.
std::string KnownGgufArchitectures();

struct HubName {
  std::string name;  // "model.layers.3.self_attn.q_proj.weight"; "{}" stands for an expert
  GgufChange change = GgufChange::kNone;
};

// Empty if the architecture has no such tensor.
std::optional<HubName> HubNameOf(const GgufArchitecture& architecture, std::string_view gguf_name);

}  // namespace tensorguard

#endif  // TENSORGUARD_WEIGHTS_GGUF_NAMES_H_
