#include "model/model.h"

#include "model/gguf_config.h"
#include "model/model_config.h"
#include "model/model_name.h"
#include "tokenizers/vocabulary.h"
#include "weights/adapters/adapter.h"
#include "weights/files/hub_cache.h"
#include "weights/files/stored_weights.h"
#include "weights/files/weight_files.h"
#include "weights/gguf/gguf_weights.h"
#include "weights/onnx/onnx_weight_source.h"
#include "weights/quantised/quantisation_config.h"
#include "weights/quantised/quantised_weights.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;

// The snapshot in a Hub cache folder; any other path as it is.
Result<fs::path> ResolvePath(const fs::path& path, const FileStore& files) {
  const auto is_cache = IsHubCacheFolder(path, files);
  if (!is_cache) return is_cache.error();
  return *is_cache ? ResolveHubCache(path, files) : path;
}

// A folder that holds a PEFT adapter, whether the folder or its weight file was named.
Result<std::optional<fs::path>> AdapterFolder(const fs::path& path, const FileStore& files) {
  const auto is_folder = files.IsFolder(path);
  if (!is_folder) return is_folder.error();
  if (!*is_folder && path.filename() != "adapter_model.safetensors" &&
      path.filename() != "adapter_model.bin") {
    return std::optional<fs::path>();
  }
  const fs::path folder = *is_folder ? path : FolderOf(path);
  const auto is_adapter = IsAdapterFolder(folder, files);
  if (!is_adapter) return is_adapter.error();
  return *is_adapter ? std::optional(folder) : std::nullopt;
}

// Where config.json and the tokenizer lie: beside the weights.
Result<fs::path> CompanionFolder(const fs::path& path, const FileStore& files) {
  const auto is_folder = files.IsFolder(path);
  if (!is_folder) return is_folder.error();
  return *is_folder ? path : FolderOf(path);
}

// What the formats differ in.
struct ModelParts {
  Json config;
  fs::path tokenizer_folder;
  std::shared_ptr<const WeightSource> weights;
};

// The first file holds the metadata and the vocabulary.
Result<ModelParts> OpenGguf(const fs::path& first_file, const GgufMetadata& metadata,
                            std::shared_ptr<const WeightSource> stored) {
  const auto gguf = GgufArchitectureOf(metadata, *stored);
  if (!gguf) return Error(gguf.error()).InFile(first_file.string());
  auto weights = UndoGgufConversion(std::move(stored), metadata);
  if (!weights) return std::move(weights).error();
  Json config = GgufConfig(**gguf, metadata, **weights);
  return ModelParts{std::move(config), first_file, *std::move(weights)};
}

Result<ModelParts> OpenOnnx(const OnnxFiles& onnx, const FileStorePtr& files) {
  const auto folder = FolderOfOnnxConfig(onnx.back(), *files);
  if (!folder) return folder.error();
  auto config = ReadConfig(*folder, *files);
  if (!config) return std::move(config).error();
  const auto source = OnnxSourceOf(*config, *folder, *files);
  if (!source) return source.error();
  auto weights = OpenOnnxWeights(onnx, *source, files);
  if (!weights) return std::move(weights).error();
  return ModelParts{*std::move(config), *folder, *std::move(weights)};
}

// Safetensors, PyTorch, NumPy: tables of tensors that may be a quantiser's, by Hugging Face's
// names.
Result<ModelParts> OpenNamedTensors(const fs::path& path,
                                    std::shared_ptr<const WeightSource> stored,
                                    const FileStore& files) {
  const auto folder = CompanionFolder(path, files);
  if (!folder) return folder.error();
  auto config = ReadConfig(*folder, files);
  if (!config) return std::move(config).error();
  const auto quantisation = ReadQuantisationConfig(*config, *folder, files);
  if (!quantisation) return quantisation.error();
  auto weights = DequantiseWeights(std::move(stored), *quantisation);
  if (!weights) return std::move(weights).error();
  return ModelParts{*std::move(config), *folder, *std::move(weights)};
}

Result<ModelParts> OpenParts(const fs::path& path, const FileStorePtr& files) {
  const auto found = FindWeightFiles(path, *files);
  if (!found) return found.error();
  if (IsOnnxName(found->files[0])) return OpenOnnx(found->files, files);
  auto stored = OpenStoredWeights(path, files);
  if (!stored) return std::move(stored).error();
  const auto metadata = ReadGgufMetadata(path, *files);
  if (!metadata) return metadata.error();
  if (*metadata) return OpenGguf(found->files[0], **metadata, *std::move(stored));
  return OpenNamedTensors(path, *std::move(stored), *files);
}

Result<Model> OpenPlainModel(const fs::path& path, const fs::path& resolved,
                             const FileStorePtr& files) {
  auto parts = OpenParts(resolved, files);
  if (!parts) return std::move(parts).error();
  Architecture architecture = Understand(parts->config, parts->weights->tensors());
  return Model{.name = ModelNameFromPath(path),
               .path = path,
               .config = std::move(parts->config),
               .base_name = {},
               .tokenizer_folder = std::move(parts->tokenizer_folder),
               .files = files,
               .weights = std::move(parts->weights),
               .architecture = std::move(architecture)};
}

Result<Model> OpenAdapter(const fs::path& path, const fs::path& folder, const fs::path& base_path,
                          const FileStorePtr& files) {
  auto base = OpenModel(base_path, {.base = {}, .files = files});
  if (!base) return std::move(base).error();
  auto merged = MergeAdapter(base->weights, folder, files);
  if (!merged) return std::move(merged).error();
  const auto own_tokenizer = FindTokenizerFile(folder, *files);
  if (!own_tokenizer) return own_tokenizer.error();
  const auto is_folder = files->IsFolder(path);
  if (!is_folder) return is_folder.error();
  Architecture architecture = Understand(base->config, (*merged)->tensors());
  // An adapter is named by its folder: the file's name is the same for all of them.
  return Model{.name = ModelNameFromPath(*is_folder ? path : folder),
               .path = path,
               .config = std::move(base->config),
               .is_adapter = true,
               .base_name = std::move(base->name),
               .tokenizer_folder = *own_tokenizer ? folder : base->tokenizer_folder,
               .files = files,
               .weights = *std::move(merged),
               .architecture = std::move(architecture)};
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
  const FileStorePtr& files = options.files;
  const auto resolved = ResolvePath(path, *files);
  if (!resolved) return resolved.error();
  const auto adapter = AdapterFolder(*resolved, *files);
  if (!adapter) return adapter.error();
  if (*adapter && options.base) return OpenAdapter(path, **adapter, *options.base, files);
  if (*adapter) {
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
  return OpenPlainModel(path, *resolved, files);
}

Result<bool> NamesAdapter(const fs::path& path, const FileStore& files) {
  const auto resolved = ResolvePath(path, files);
  if (!resolved) return resolved.error();
  const auto adapter = AdapterFolder(*resolved, files);
  if (!adapter) return adapter.error();
  return adapter->has_value();
}

}  // namespace tensorguard::internal
