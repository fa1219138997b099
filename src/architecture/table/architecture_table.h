// The table of architectures: one row each, found by a config's model type or by words of names.
#ifndef TENSORGUARD_ARCHITECTURE_TABLE_ARCHITECTURE_TABLE_H_
#define TENSORGUARD_ARCHITECTURE_TABLE_ARCHITECTURE_TABLE_H_

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "architecture/config_view.h"
#include "architecture/table/architecture_row.h"
#include "architecture/tensor_path.h"
#include "roles/role.h"

namespace tensorguard::internal {

// All rows. Of those whose words fit, the first counts.
std::span<const ArchitectureRow> ArchitectureRows();

// The row of that name, else the one that has it among its further model types; in lower case. Null
// if there is none.
const ArchitectureRow* FindRow(std::string_view name);

// The row that says what the architecture of that name computes: its own or the one that it is
// like. Null where none does; never one without `computes`.
const ArchitectureRow* FindComputingRow(std::string_view name);

// What an architecture without a row is read as: a decoder like Llama, positions unknown until
// config.json tells.
const ArchitectureRow& GenericRow();
const ArchitectureTraits& GenericTraits();

struct KnownArchitecture {
  std::string name;      // as Architecture::name
  std::string known_by;  // as Architecture::known_by
  ArchitectureRow row;   // an empty row where the table has none
};

KnownArchitecture FindArchitecture(const ConfigView& config, const ModelPaths& model);

// The layout of the architecture's fused query, key and value; empty where names decide.
std::optional<Packing> AttentionPacking(const KnownArchitecture& known, const ConfigView& config);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_ARCHITECTURE_TABLE_ARCHITECTURE_TABLE_H_
