// The table of architectures whose conversion by llama.cpp is known.
#ifndef TENSORGUARD_WEIGHTS_GGUF_GGUF_ARCHITECTURES_H_
#define TENSORGUARD_WEIGHTS_GGUF_GGUF_ARCHITECTURES_H_

#include <array>
#include <span>
#include <string_view>

namespace tensorguard::internal {

// What llama.cpp's converter did to a tensor's numbers, to be undone.
enum class GgufChange {
  kNone,
  kQueryRows,        // rows of each head interleaved: rotary pairs (i, i + half) became neighbours
  kKeyRows,          // the same with the number of key-value heads
  kFusedHeads,       // rows q, k, v of each head became all q, all k, all v
  kFusedGroups,      // the same with groups of several q, one k and one v per key-value head
  kOneAdded,         // gains stored as a difference from 1 became gains
  kExpertsJoined,    // one tensor per expert became one with experts first
  kDimensionDropped  // a matrix of one row became a vector
};

// One name, or many: "{}" is a number, of a layer or an expert. Without an ending ".weight" or
// ".bias" both names stand for two tensors with the same ending; with one they stand for
// themselves.
struct GgufTensorName {
  std::string_view gguf;
  std::string_view hub;  // with kExpertsJoined its last "{}" is the expert
  GgufChange change = GgufChange::kNone;
};

struct GgufArchitecture {
  std::string_view name;        // general.architecture
  bool with_experts;            // NAME.expert_count is above 0
  std::string_view model_type;  // as config.json has it
  // A tensor is looked for in each; the unused ones are empty.
  std::array<std::span<const GgufTensorName>, 5> names;
  // What config.json says of every model of this kind and no key of the file does: a JSON object.
  std::string_view config = "{}";
  // A tensor that tells this kind from another of the same name; rows with one go first.
  std::string_view told_by = {};
};

std::span<const GgufArchitecture> GgufArchitectures();

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_GGUF_GGUF_ARCHITECTURES_H_
