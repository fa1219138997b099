#include "model/model.h"

#include <string_view>
#include <system_error>

#include "model/gguf_config.h"
#include "tokenizers/vocabulary.h"
#include "weights/adapter.h"
#include "weights/gguf_weights.h"
#include "weights/hub_cache.h"
#include "weights/stored_weights.h"
#include "weights/weight_files.h"

namespace tensorguard {
namespace {

namespace fs = std::filesystem;

bool Exists(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

bool IsFolder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

// The snapshot in a Hub cache folder; any other path as it is.
Result<fs::path> ResolvePath(const fs::path& path) {
  return IsHubCacheFolder(path) ? ResolveHubCache(path) : path;
}

// A folder that holds a PEFT adapter, whether the folder or its weight file was named.
std::optional<fs::path> AdapterFolder(const fs::path& path) {
  if (IsFolder(path)) return IsAdapterFolder(path) ? std::optional(path) : std::nullopt;
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  const bool adapter_file = path.filename() == "adapter_model.safetensors";
  return adapter_file && IsAdapterFolder(folder) ? std::optional(folder) : std::nullopt;
}

// Where config.json and the tokenizer lie: beside the weights.
fs::path CompanionFolder(const fs::path& path) {
  if (IsFolder(path)) return path;
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

Result<Json> ReadConfig(const fs::path& folder) {
  const fs::path file = folder / "config.json";
  if (!Exists(file)) return Json();
  auto config = ReadJsonFile(file);
  if (config && !config->is_object()) {
    return Error{.kind = ErrorKind::kBadFile,
                 .problem = "the model's configuration is not a JSON object",
                 .file = file.string(),
                 .found = config->type_name(),
                 .expected = "an object"};
  }
  return config;
}

// Its first file holds the metadata and the vocabulary.
Result<Model> OpenGgufModel(const fs::path& path, const fs::path& resolved,
                            std::shared_ptr<const WeightSource> stored,
                            const GgufMetadata& metadata) {
  const auto files = FindWeightFiles(resolved);
  if (!files) return files.error();
  const auto gguf = GgufArchitectureOf(metadata, *stored);
  if (!gguf) return Error(gguf.error()).InFile(files->files[0].string());
  auto weights = UndoGgufConversion(std::move(stored), metadata);
  if (!weights) return std::move(weights).error();
  Json config = GgufConfig(**gguf, metadata, **weights);
  Architecture architecture = Understand(config, (*weights)->tensors());
  return Model{.name = ModelNameFromPath(path),
               .path = path,
               .config = std::move(config),
               .base_name = {},
               .tokenizer_folder = files->files[0],
               .weights = *std::move(weights),
               .architecture = std::move(architecture)};
}

Result<Model> OpenPlainModel(const fs::path& path, const fs::path& resolved) {
  auto weights = OpenStoredWeights(resolved);
  if (!weights) return std::move(weights).error();
  const auto metadata = ReadGgufMetadata(resolved);
  if (!metadata) return metadata.error();
  if (*metadata) return OpenGgufModel(path, resolved, *std::move(weights), **metadata);
  const fs::path folder = CompanionFolder(resolved);
  auto config = ReadConfig(folder);
  if (!config) return std::move(config).error();
  Architecture architecture = Understand(*config, (*weights)->tensors());
  return Model{.name = ModelNameFromPath(path),
               .path = path,
               .config = *std::move(config),
               .base_name = {},
               .tokenizer_folder = folder,
               .weights = *std::move(weights),
               .architecture = std::move(architecture)};
}

Result<Model> OpenAdapter(const fs::path& path, const fs::path& folder, const fs::path& base_path) {
  auto base = OpenModel(base_path);
  if (!base) return std::move(base).error();
  auto merged = MergeAdapter(base->weights, folder);
  if (!merged) return std::move(merged).error();
  Architecture architecture = Understand(base->config, (*merged)->tensors());
  // An adapter is named by its folder: the file's name is the same for all of them.
  return Model{.name = ModelNameFromPath(IsFolder(path) ? path : folder),
               .path = path,
               .config = std::move(base->config),
               .is_adapter = true,
               .base_name = std::move(base->name),
               .tokenizer_folder = FindTokenizerFile(folder) ? folder : base->tokenizer_folder,
               .weights = *std::move(merged),
               .architecture = std::move(architecture)};
}

// "NAME" of "models--ORG--NAME", empty if `folder` is not named so.
std::string HubCacheName(const std::string& folder) {
  constexpr std::string_view kPrefix = "models--";
  if (!folder.starts_with(kPrefix)) return {};
  const size_t organisation_end = folder.find("--", kPrefix.size());
  // Models without an organisation are cached as "models--NAME".
  return folder.substr(organisation_end == folder.npos ? kPrefix.size() : organisation_end + 2);
}

// The path without trailing slashes, and with "." and ".." replaced by the folder they mean.
fs::path NamedPath(const fs::path& path) {
  fs::path named = path.lexically_normal();
  if (!named.has_filename()) named = named.parent_path();
  if (named.filename() != "." && named.filename() != ".." && !named.empty()) return named;
  std::error_code failed;
  const fs::path absolute = fs::weakly_canonical(path, failed);
  return failed ? named : absolute;
}

}  // namespace

uint64_t Model::parameter_count() const {
  uint64_t count = 0;
  const auto& tensors = weights->tensors();
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (architecture.roles[i].role != Role::kBuffer) count += tensors[i].element_count;
  }
  return count;
}

Result<Model> OpenModel(const fs::path& path, const OpenModelOptions& options) {
  const auto resolved = ResolvePath(path);
  if (!resolved) return resolved.error();
  const auto adapter = AdapterFolder(*resolved);
  if (adapter && options.base) return OpenAdapter(path, *adapter, *options.base);
  if (adapter) {
    return Error{.kind = ErrorKind::kUsage,
                 .problem = "an adapter says nothing without the model it belongs to",
                 .file = path.string(),
                 .expected = "the base model as well",
                 .advice = "name the base model with --base MODEL"};
  }
  if (options.base) {
    return Error{.kind = ErrorKind::kUsage,
                 .problem = "a base model was given, but this is no adapter",
                 .file = path.string(),
                 .expected = "a folder with adapter_config.json"};
  }
  return OpenPlainModel(path, *resolved);
}

bool NamesAdapter(const fs::path& path) {
  const auto resolved = ResolvePath(path);
  return resolved && AdapterFolder(*resolved);
}

std::string ModelNameFromPath(const fs::path& path) {
  const fs::path named = NamedPath(path);
  const fs::path parent = named.parent_path();
  if (parent.filename() == "snapshots") {  // models--ORG--NAME/snapshots/REVISION
    std::string cached = HubCacheName(parent.parent_path().filename().string());
    if (!cached.empty()) return cached;
  }
  std::string name = named.filename().string();
  std::string cached = HubCacheName(name);
  if (!cached.empty()) return cached;
  for (const std::string_view suffix : {"_features.json", ".safetensors", ".gguf"}) {
    if (name.size() > suffix.size() && name.ends_with(suffix)) {
      name.resize(name.size() - suffix.size());
      break;
    }
  }
  return name;
}

}  // namespace tensorguard
