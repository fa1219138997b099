// One architecture: how it is stored, how it is told, and what it computes.
#ifndef TENSORGUARD_ARCHITECTURE_TABLE_ARCHITECTURE_ROW_H_
#define TENSORGUARD_ARCHITECTURE_TABLE_ARCHITECTURE_ROW_H_

#include <optional>
#include <span>
#include <string_view>

#include "architecture/table/architecture_traits.h"
#include "roles/role.h"

namespace tensorguard::internal {

struct ArchitectureRow {
  std::string_view name;
  std::string_view also = {};   // further values of model_type that mean the same, space-separated
  std::string_view words = {};  // words of names that tell it where no config does; empty: none
  bool words_needed = false;    // the row holds only where the words are there, config or not

  // How it is stored, where names do not tell.
  std::optional<bool> tied = {};  // tie_word_embeddings where config.json does not say
  std::optional<Packing> attention_packing = {};  // of its fused query, key, value
  std::optional<Packing> gate_packing = {};       // of its fused gate and up
  bool up_holds_gate = false;                     // its "up" is gate and up fused
  bool query_holds_gate = false;                  // its query has an output gate per head

  // What it computes: as another row does, or this. Neither: it is not known.
  std::string_view like = {};
  std::optional<ArchitectureTraits> computes = {};
};

// The rows by family: a file each.
std::span<const ArchitectureRow> EncoderDecoderRows();
std::span<const ArchitectureRow> EncoderRows();
std::span<const ArchitectureRow> FusedRows();
std::span<const ArchitectureRow> GptRows();
std::span<const ArchitectureRow> HybridRows();
std::span<const ArchitectureRow> MixtureRows();
std::span<const ArchitectureRow> LlamaRows();

// `base` with some members changed by `change`: how a row says in what it differs from another.
template <typename Change>
constexpr ArchitectureTraits Varied(ArchitectureTraits base, Change change) {
  change(base);
  return base;
}

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_ARCHITECTURE_TABLE_ARCHITECTURE_ROW_H_
