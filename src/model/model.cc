#include "model/model.h"

#include "architecture/config_checks.h"
#include "base/try.h"
#include "model/found_model.h"
#include "model/gguf_config.h"
#include "model/model_config.h"
#include "model/model_name.h"
#include "tokenizers/vocabulary.h"
#include "weights/adapters/adapter.h"
#include "weights/files/stored_weights.h"
#include "weights/gguf/gguf_weights.h"
#include "weights/onnx/onnx_weight_source.h"
#include "weights/quantised/quantisation_config.h"
#include "weights/quantised/quantised_weights.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;

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
  if (auto checked = CheckGgufNumbers(**gguf, metadata); !checked) {
    return std::move(checked).error().InFile(first_file.string());
  }
  TG_ASSIGN(auto weights, UndoGgufConversion(std::move(stored), metadata));
  Json config = GgufConfig(**gguf, metadata, *weights);
  if (auto checked = CheckConfigNumbers(config); !checked) {
    return std::move(checked).error().InFile(first_file.string());
  }
  return ModelParts{std::move(config), first_file, std::move(weights)};
}

Result<ModelParts> OpenOnnx(const OnnxFiles& onnx, const FileStorePtr& files) {
  TG_ASSIGN(const auto folder, FolderOfOnnxConfig(onnx.back(), *files));
  TG_ASSIGN(auto config, ReadConfig(folder, *files));
  TG_ASSIGN(const auto source, OnnxSourceOf(config, folder, *files));
  TG_ASSIGN(auto weights, OpenOnnxWeights(onnx, source, files));
  return ModelParts{std::move(config), folder, std::move(weights)};
}

// Safetensors, PyTorch, NumPy: tables of tensors that may be a quantiser's, by Hugging Face's
// names.
Result<ModelParts> OpenNamedTensors(const fs::path& folder,
                                    std::shared_ptr<const WeightSource> stored,
                                    const FileStore& files) {
  TG_ASSIGN(auto config, ReadConfig(folder, files));
  TG_ASSIGN(const auto quantisation, ReadQuantisationConfig(config, folder, files));
  TG_ASSIGN(auto weights, DequantiseWeights(std::move(stored), quantisation));
  return ModelParts{std::move(config), folder, std::move(weights)};
}

Result<ModelParts> OpenParts(const ModelFiles& found, const FileStorePtr& files) {
  const std::vector<fs::path>& weight_files = found.weights->files;
  if (IsOnnxName(weight_files[0])) return OpenOnnx(weight_files, files);
  TG_ASSIGN(auto stored, OpenStoredModel(*found.weights, files));
  if (stored.gguf) return OpenGguf(weight_files[0], *stored.gguf, std::move(stored.weights));
  return OpenNamedTensors(found.folder, std::move(stored.weights), *files);
}

Result<Model> OpenPlainModel(const ModelFiles& found, const FileStorePtr& files) {
  TG_ASSIGN(auto parts, OpenParts(found, files));
  Architecture architecture = Understand(parts.config, parts.weights->tensors());
  return Model{.name = ModelNameFromPath(found.path),
               .path = found.path,
               .config = std::move(parts.config),
               .base_name = {},
               .tokenizer_folder = std::move(parts.tokenizer_folder),
               .files = files,
               .weights = std::move(parts.weights),
               .architecture = std::move(architecture)};
}

Result<Model> OpenAdapter(const ModelFiles& found, const ModelFiles& base_found,
                          const FileStorePtr& files) {
  TG_ASSIGN(auto base, OpenFoundModel(base_found, {}, files));
  TG_ASSIGN(auto merged, MergeAdapter(base.weights, found.folder, files));
  TG_ASSIGN(const auto own_tokenizer, FindTokenizerFile(found.folder, *files));
  Architecture architecture = Understand(base.config, merged->tensors());
  // An adapter is named by its folder: the file's name is the same for all of them.
  return Model{.name = ModelNameFromPath(found.is_folder ? found.path : found.folder),
               .path = found.path,
               .config = std::move(base.config),
               .is_adapter = true,
               .base_name = std::move(base.name),
               .tokenizer_folder = own_tokenizer ? found.folder : base.tokenizer_folder,
               .files = files,
               .weights = std::move(merged),
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
  TG_ASSIGN(const auto found, FindModelFiles(path, *options.files));
  std::optional<ModelFiles> base;
  if (options.base) {
    TG_ASSIGN(auto base_found, FindModelFiles(*options.base, *options.files));
    base = std::move(base_found);
  }
  return OpenFoundModel(found, base, options.files);
}

Result<Model> OpenFoundModel(const ModelFiles& found, const std::optional<ModelFiles>& base,
                             const FileStorePtr& files) {
  if (found.is_adapter && base) return OpenAdapter(found, *base, files);
  if (found.is_adapter) {
    return Error{.kind = ErrorKind::kUsage,
                 .problem = "an adapter says nothing without the model it belongs to",
                 .file = found.path.string(),
                 .expected = "the base model as well",
                 .advice = "name the base model with --base MODEL"};
  }
  if (base) {
    return Error{.kind = ErrorKind::kUsage,
                 .problem = "a base model was given, but this is no adapter",
                 .file = found.path.string(),
                 .expected = "a folder with adapter_config.json"};
  }
  return OpenPlainModel(found, files);
}

Result<bool> NamesAdapter(const fs::path& path, const FileStore& files) {
  return AreOfAdapter(path, files);
}

}  // namespace tensorguard::internal
