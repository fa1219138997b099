// What the names alone do not tell about an architecture.
#ifndef TENSORGUARD_ARCHITECTURE_ARCHITECTURE_TABLE_H_
#define TENSORGUARD_ARCHITECTURE_ARCHITECTURE_TABLE_H_

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "architecture/config_view.h"
#include "architecture/tensor_path.h"
#include "roles/role.h"

namespace tensorguard::internal {

struct ArchitectureRow {
  std::string_view name;
  std::string_view also = {};   // further values of model_type that mean the same, space-separated
  std::string_view words = {};  // words of names that tell it where no config does; empty: none
  std::optional<bool> tied = {};  // tie_word_embeddings where config.json does not say
  std::optional<Packing> attention_packing = {};  // of its fused query, key, value
  std::optional<Packing> gate_packing = {};       // of its fused gate and up
  bool up_holds_gate = false;                     // its "up" is gate and up fused
  bool query_holds_gate = false;                  // its query has an output gate per head
  bool words_needed = false;  // the row holds only where the words are there, config or not
};

std::span<const ArchitectureRow> ArchitectureRows();

struct KnownArchitecture {
  std::string name;      // as Architecture::name
  std::string known_by;  // as Architecture::known_by
  ArchitectureRow row;   // an empty row where the table has none
};

KnownArchitecture FindArchitecture(const ConfigView& config, const ModelPaths& model);

// The layout of the architecture's fused query, key and value; empty where names decide.
std::optional<Packing> AttentionPacking(const KnownArchitecture& known, const ConfigView& config);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_ARCHITECTURE_ARCHITECTURE_TABLE_H_
