#include "architecture/table/architecture_table.h"

#include <algorithm>
#include <vector>

#include "base/text.h"

namespace tensorguard::internal {
namespace {

constexpr ArchitectureRow kGeneric = {.name = "generic",
                                      .computes = ArchitectureTraits{.placement_flag = "prenorm"}};

// Calls `visit` for each of the space-separated words until it returns true; tells whether it did.
template <typename Visit>
bool AnyWord(std::string_view words, Visit visit) {
  while (!words.empty()) {
    const size_t end = std::min(words.find(' '), words.size());
    if (visit(words.substr(0, end))) return true;
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return false;
}

bool HasAllWords(const ArchitectureRow& row, const ModelPaths& model) {
  return !AnyWord(row.words, [&](std::string_view word) { return !model.HasWord(word); });
}

bool IsAlso(const ArchitectureRow& row, std::string_view name) {
  return AnyWord(row.also, [&](std::string_view word) { return word == name; });
}

const ArchitectureRow* FindByType(std::string_view type, const ModelPaths& model) {
  for (const ArchitectureRow& row : ArchitectureRows()) {
    const bool named = row.name == type || IsAlso(row, type);
    if (named && (!row.words_needed || HasAllWords(row, model))) return &row;
  }
  return nullptr;
}

const ArchitectureRow* FindByWords(const ModelPaths& model) {
  for (const ArchitectureRow& row : ArchitectureRows()) {
    if (!row.words.empty() && HasAllWords(row, model)) return &row;
  }
  return nullptr;
}

std::vector<ArchitectureRow> CollectRows() {
  std::vector<ArchitectureRow> rows;
  for (const auto& family : {EncoderDecoderRows(), EncoderRows(), FusedRows(), GptRows(),
                             HybridRows(), MixtureRows(), LlamaRows()}) {
    rows.insert(rows.end(), family.begin(), family.end());
  }
  return rows;
}

}  // namespace

std::span<const ArchitectureRow> ArchitectureRows() {
  static const std::vector<ArchitectureRow> rows = CollectRows();
  return rows;
}

const ArchitectureRow* FindRow(std::string_view name) {
  const auto rows = ArchitectureRows();
  auto found = std::ranges::find(rows, name, &ArchitectureRow::name);
  if (found == rows.end()) {
    found = std::ranges::find_if(rows, [&](const auto& row) { return IsAlso(row, name); });
  }
  return found == rows.end() ? nullptr : &*found;
}

const ArchitectureRow* FindComputingRow(std::string_view name) {
  const ArchitectureRow* row = FindRow(name);
  if (row != nullptr && !row->like.empty()) row = FindRow(row->like);
  return row != nullptr && row->computes ? row : nullptr;
}

const ArchitectureRow& GenericRow() { return kGeneric; }

const ArchitectureTraits& GenericTraits() { return *kGeneric.computes; }

KnownArchitecture FindArchitecture(const ConfigView& config, const ModelPaths& model) {
  // A wrapper's own type first: it may have a row. Else that of the text model inside.
  const auto whole = config.ModelType();
  const auto text = config.TextModelType();
  for (const auto& type : {whole, text}) {
    if (!type) continue;
    const ArchitectureRow* row = FindByType(LowerAscii(*type), model);
    if (row != nullptr) return {std::string(row->name), "config", *row};
  }
  if (whole && text == *whole + "_text") return {*whole, "config", {}};
  if (text) return {*text, "config", {}};
  if (whole) return {*whole, "config", {}};
  const ArchitectureRow* row = FindByWords(model);
  if (row != nullptr) return {std::string(row->name), "names", *row};
  return {"generic", "names", {}};
}

std::optional<Packing> AttentionPacking(const KnownArchitecture& known, const ConfigView& config) {
  if (known.name == "falcon") {
    if (config.Flag("new_decoder_architecture").value_or(false)) return Packing::kInterleavedGroups;
    if (config.Flag("multi_query").value_or(true))
      return Packing::kInterleavedGroups;  // one group: q heads, k, v
    return Packing::kInterleavedHeads;
  }
  if (known.name == "gpt_bigcode" && !config.Flag("multi_query").value_or(true))
    return Packing::kInterleavedHeads;
  return known.row.attention_packing;
}

}  // namespace tensorguard::internal
