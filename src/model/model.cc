#include "model/model.h"

#include <string_view>
#include <system_error>

#include "formats/weight_format.h"
#include "model/gguf_config.h"
#include "places/place_name.h"
#include "tokenizers/vocabulary.h"
#include "weights/adapter.h"
#include "weights/gguf_weights.h"
#include "weights/hub_cache.h"
#include "weights/onnx_weights.h"
#include "weights/quantisation_config.h"
#include "weights/quantised_weights.h"
#include "weights/stored_weights.h"
#include "weights/weight_files.h"

namespace tensorguard {
namespace {

namespace fs = std::filesystem;

fs::path FolderOf(const fs::path& file) {
  return file.has_parent_path() ? file.parent_path() : fs::path(".");
}

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

Result<Json> ReadConfig(const fs::path& folder, const FileStore& files) {
  const fs::path file = folder / "config.json";
  const auto exists = files.Exists(file);
  if (!exists) return exists.error();
  if (!*exists) return Json();
  auto config = ReadJsonFile(files, file);
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
                            const GgufMetadata& metadata, const FileStorePtr& files) {
  const auto found = FindWeightFiles(resolved, *files);
  if (!found) return found.error();
  const auto gguf = GgufArchitectureOf(metadata, *stored);
  if (!gguf) return Error(gguf.error()).InFile(found->files[0].string());
  auto weights = UndoGgufConversion(std::move(stored), metadata);
  if (!weights) return std::move(weights).error();
  Json config = GgufConfig(**gguf, metadata, **weights);
  Architecture architecture = Understand(config, (*weights)->tensors());
  return Model{.name = ModelNameFromPath(path),
               .path = path,
               .config = std::move(config),
               .base_name = {},
               .tokenizer_folder = found->files[0],
               .files = files,
               .weights = *std::move(weights),
               .architecture = std::move(architecture)};
}

// Beside the exports, or a folder further up, where transformers.js has them in "onnx".
Result<fs::path> FolderOfConfig(const fs::path& weight_file, const FileStore& files) {
  const fs::path folder = FolderOf(weight_file);
  const auto beside = files.Exists(folder / "config.json");
  if (!beside) return beside.error();
  if (*beside) return folder;
  const fs::path parent = folder == "." ? fs::path("..") : FolderOf(folder);
  const auto further_up = files.Exists(parent / "config.json");
  if (!further_up) return further_up.error();
  return *further_up ? parent : folder;
}

// What the export does not tell; onnxruntime-genai has its own config.
Result<OnnxSource> OnnxSourceOf(const Json& config, const fs::path& folder,
                                const FileStore& files) {
  OnnxSource source;
  const auto text = [](const Json& object, const char* key) {
    const auto found = object.is_object() ? object.find(key) : object.end();
    const bool is_text = object.is_object() && found != object.end() && found->is_string();
    return is_text ? found->get<std::string>() : std::string();
  };
  source.model_type = text(config, "model_type");
  if (config.is_object()) {
    const auto tied = config.find("tie_word_embeddings");
    source.tied_head = tied != config.end() && tied->is_boolean() && tied->get<bool>();
  }
  const fs::path genai = folder / "genai_config.json";
  const auto exists = files.Exists(genai);
  if (!exists) return exists.error();
  if (!source.model_type.empty() || !*exists) return source;
  const auto settings = ReadJsonFile(files, genai);
  if (!settings) return settings.error();
  if (settings->is_object() && settings->contains("model")) {
    source.model_type = text((*settings)["model"], "type");
  }
  return source;
}

Result<Model> OpenOnnxModel(const fs::path& path, const OnnxFiles& onnx,
                            const FileStorePtr& files) {
  const auto folder = FolderOfConfig(onnx.back(), *files);
  if (!folder) return folder.error();
  auto config = ReadConfig(*folder, *files);
  if (!config) return std::move(config).error();
  const auto source = OnnxSourceOf(*config, *folder, *files);
  if (!source) return source.error();
  auto weights = OpenOnnxWeights(onnx, *source, files);
  if (!weights) return std::move(weights).error();
  Architecture architecture = Understand(*config, (*weights)->tensors());
  return Model{.name = ModelNameFromPath(path),
               .path = path,
               .config = *std::move(config),
               .base_name = {},
               .tokenizer_folder = *folder,
               .files = files,
               .weights = *std::move(weights),
               .architecture = std::move(architecture)};
}

Result<Model> OpenPlainModel(const fs::path& path, const fs::path& resolved,
                             const FileStorePtr& files) {
  const auto found = FindWeightFiles(resolved, *files);
  if (!found) return found.error();
  if (IsOnnxName(found->files[0])) return OpenOnnxModel(path, found->files, files);
  auto weights = OpenStoredWeights(resolved, files);
  if (!weights) return std::move(weights).error();
  const auto metadata = ReadGgufMetadata(resolved, *files);
  if (!metadata) return metadata.error();
  if (*metadata) return OpenGgufModel(path, resolved, *std::move(weights), **metadata, files);
  const auto folder = CompanionFolder(resolved, *files);
  if (!folder) return folder.error();
  auto config = ReadConfig(*folder, *files);
  if (!config) return std::move(config).error();
  const auto quantisation = ReadQuantisationConfig(*config, *folder, *files);
  if (!quantisation) return quantisation.error();
  weights = DequantiseWeights(*std::move(weights), *quantisation);
  if (!weights) return std::move(weights).error();
  Architecture architecture = Understand(*config, (*weights)->tensors());
  return Model{.name = ModelNameFromPath(path),
               .path = path,
               .config = *std::move(config),
               .base_name = {},
               .tokenizer_folder = *folder,
               .files = files,
               .weights = *std::move(weights),
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

std::string ModelNameFromPath(const fs::path& path) {
  const fs::path named = NamedPath(path);
  const fs::path parent = named.parent_path();
  if (parent.filename() == "snapshots") {  // models--ORG--NAME/snapshots/REVISION
    std::string cached = HubCacheName(parent.parent_path().filename().string());
    if (!cached.empty()) return cached;
  }
  const std::string remote = LastPartOf(path.string());
  std::string name = remote.empty() ? named.filename().string() : remote;
  std::string cached = HubCacheName(name);
  if (!cached.empty()) return cached;
  constexpr std::string_view kFeatures = "_features.json";
  const std::string_view suffix = name.ends_with(kFeatures) ? kFeatures : WeightSuffixOf(name);
  if (name.size() > suffix.size()) name.resize(name.size() - suffix.size());
  return name;
}

}  // namespace tensorguard
