#include "api/inspection/declared_facts.h"

#include <algorithm>
#include <filesystem>
#include <span>

#include "base/file.h"
#include "base/folder_of.h"
#include "base/json.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMostOfCard = 64 << 10;
constexpr size_t kMostNames = 64;

std::string_view Trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r");
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") + 1 - begin);
}

// Without quotes around it.
std::string NameOf(std::string_view text) {
  text = Trimmed(text);
  if (text.size() >= 2 && (text.front() == '"' || text.front() == '\'') &&
      text.back() == text.front()) {
    text = text.substr(1, text.size() - 2);
  }
  return std::string(text);
}

void Add(std::string name, std::vector<std::string>& names) {
  if (!name.empty() && names.size() < kMostNames) names.push_back(std::move(name));
}

// "[a, b]" in one line.
void AddList(std::string_view text, std::vector<std::string>& names) {
  while (!text.empty()) {
    const size_t end = std::min(text.find(','), text.size());
    Add(NameOf(text.substr(0, end)), names);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

// The tokenizer lies beside the card; that of a GGUF file is the file.
fs::path FolderOfModel(const Model& model) {
  const fs::path& place = model.is_adapter ? model.path : model.tokenizer_folder;
  const auto is_folder = model.files->IsFolder(place);
  return is_folder && *is_folder ? place : FolderOf(place);
}

// The beginning of the card; empty where there is none.
std::string CardOf(const Model& model) {
  const fs::path path = FolderOfModel(model) / "README.md";
  const auto exists = model.files->Exists(path);
  if (!exists || !*exists) return {};
  const auto file = model.files->Open(path);
  if (!file) return {};
  std::string text(std::min((*file)->size_bytes(), kMostOfCard), '\0');
  if (!(*file)->ReadAt(0, std::as_writable_bytes(std::span(text)))) return {};
  return text;
}

void AddText(const Json& object, const char* key, const char* where,
             std::vector<DeclaredBase>& bases) {
  if (!object.is_object()) return;
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string()) return;
  auto name = found->get<std::string>();
  if (!name.empty()) bases.push_back({std::move(name), where});
}

}  // namespace

std::vector<std::string> BasesOfCard(std::string_view card) {
  std::vector<std::string> names;
  constexpr std::string_view kFence = "---";
  constexpr std::string_view kKey = "base_model:";
  bool inside = false;
  bool in_list = false;
  while (!card.empty()) {
    const size_t end = std::min(card.find('\n'), card.size());
    const std::string_view line = card.substr(0, end);
    card.remove_prefix(std::min(end + 1, card.size()));
    if (Trimmed(line) == kFence) {
      if (inside) return names;
      inside = true;
      continue;
    }
    if (!inside) return names;
    const std::string_view text = Trimmed(line);
    if (in_list && text.starts_with('-')) {
      Add(NameOf(text.substr(1)), names);
      continue;
    }
    in_list = false;
    if (!line.starts_with(kKey)) continue;
    const std::string_view value = Trimmed(line.substr(kKey.size()));
    in_list = value.empty();
    if (value.starts_with('[') && value.ends_with(']')) {
      AddList(value.substr(1, value.size() - 2), names);
    } else {
      Add(NameOf(value), names);
    }
  }
  return {};  // front matter without an end is none
}

std::vector<DeclaredBase> DeclaredBases(const Model& model) {
  std::vector<DeclaredBase> bases;
  for (std::string& name : BasesOfCard(CardOf(model))) {
    bases.push_back({std::move(name), "README.md"});
  }
  const fs::path adapter = FolderOfModel(model) / "adapter_config.json";
  const auto exists = model.files->Exists(adapter);
  if (exists && *exists) {
    const auto config = ReadJsonFile(*model.files, adapter);
    if (config) AddText(*config, "base_model_name_or_path", "adapter_config.json", bases);
  }
  if (!model.is_adapter) AddText(model.config, "_name_or_path", "config.json", bases);
  return bases;
}

}  // namespace tensorguard::internal
