#include "model/model.h"

#include <fmt/format.h>

#include <utility>

#include "architecture/config_checks.h"
#include "architecture/config_view.h"
#include "base/try.h"
#include "formats/weight_format.h"
#include "model/found_model.h"
#include "model/gguf_config.h"
#include "model/model_config.h"
#include "model/model_name.h"
#include "model/model_parts.h"
#include "model/notes_on_files.h"
#include "tokenizers/vocabulary.h"
#include "weights/adapters/adapter.h"
#include "weights/adapters/inner_adapter.h"
#include "weights/files/stored_weights.h"
#include "weights/gguf/gguf_kinds.h"
#include "weights/gguf/gguf_weights.h"
#include "weights/native/native_layout.h"
#include "weights/native/parallel_shards.h"
#include "weights/onnx/onnx_weight_source.h"
#include "weights/placeholders.h"
#include "weights/quantised/quantisation_config.h"
#include "weights/quantised/quantised_weights.h"
#include "weights/training_state.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;

// What the formats differ in.
struct ModelParts {
  Json config;
  fs::path tokenizer_folder;
  std::shared_ptr<const WeightSource> weights;
  std::vector<std::string> notes = {};
};

void AddNote(std::string note, std::vector<std::string>& notes) {
  if (!note.empty()) notes.push_back(std::move(note));
}

// llama.cpp's conversion is not known: its names of tensors are read as any others.
Result<ModelParts> OpenGgufAsStored(const fs::path& first_file, const GgufMetadata& metadata,
                                    std::shared_ptr<const WeightSource> stored) {
  const auto name = metadata.Text("general.architecture");
  const std::string model_type = name ? "gguf-" + *name : std::string("gguf");
  const GgufArchitecture unknown = {.name = name ? std::string_view(*name) : std::string_view(),
                                    .with_experts = false,
                                    .model_type = model_type,
                                    .names = {}};
  Json config = GgufConfig(unknown, metadata, *stored);
  if (!CheckGgufNumbers(unknown, metadata) || !CheckConfigNumbers(config)) {
    config = {{"model_type", model_type}};  // what it says of numbers is not needed
  }
  std::string note = fmt::format(
      "the conversion of the architecture {} to GGUF is not known: names, rows and gains are those "
      "of the file, not those of the model before it was converted",
      name ? *name : std::string("(not stated)"));
  return ModelParts{std::move(config), first_file, std::move(stored), {std::move(note)}};
}

// The first file holds the metadata and the vocabulary.
Result<ModelParts> OpenGguf(const fs::path& first_file, const GgufMetadata& metadata,
                            std::shared_ptr<const WeightSource> stored) {
  const auto in_file = [&](Result<void> checked) {
    if (!checked) checked = std::move(checked).error().InFile(first_file.string());
    return checked;
  };
  TG_TRY(in_file(CheckHoldsModel(metadata)));
  const auto gguf = GgufArchitectureOf(metadata, *stored);
  if (!gguf) return OpenGgufAsStored(first_file, metadata, std::move(stored));
  TG_TRY(in_file(CheckGgufNumbers(*gguf, metadata)));
  TG_ASSIGN(auto undone,
            UndoConversion(std::move(stored), *gguf, ChangedNumbersOf(*gguf, metadata)));
  Json config = GgufConfig(*gguf, metadata, *undone.weights);
  TG_TRY(in_file(CheckConfigNumbers(config)));
  ModelParts parts = {std::move(config), first_file, std::move(undone.weights)};
  AddNote(std::move(undone.note), parts.notes);
  return parts;
}

Result<ModelParts> OpenOnnx(const OnnxFiles& onnx, const FileStorePtr& files) {
  TG_ASSIGN(const auto folder, FolderOfOnnxConfig(onnx.back(), *files));
  TG_ASSIGN(auto config, ReadConfig(folder, *files));
  TG_ASSIGN(const auto source, OnnxSourceOf(config, folder, *files));
  TG_ASSIGN(auto weights, OpenOnnxWeights(onnx, source, files));
  return ModelParts{std::move(config), folder, std::move(weights)};
}

// Tensors by the names of Meta's and Mistral's own code.
Result<ModelParts> OpenNative(const fs::path& folder, Json config,
                              std::shared_ptr<const WeightSource> stored, const FileStore& files) {
  TG_ASSIGN(const auto params, ReadNativeParams(folder, files));
  const bool stated = params.is_object() || ConfigView(config).Heads().has_value();
  if (!stated) {
    return ModelParts{
        std::move(config),
        folder,
        std::move(stored),
        {"the names are those of Meta's and Mistral's own code, and no params.json tells the "
         "number of heads: rows of queries and keys stay in the order of that code"}};
  }
  const fs::path stated_in = folder / (params.is_object() ? "params.json" : "config.json");
  auto undone = UndoNativeLayout(stored, params.is_object() ? params : config);
  if (!undone) {
    Error error = std::move(undone).error();
    error.advice = "check that " + stated_in.string() + " belongs to these weights";
    return error;
  }
  if (params.is_object()) {
    config = ConfigOfNative(params, *undone->weights);
    auto checked = CheckConfigNumbers(config);
    if (!checked) return std::move(checked).error().InFile(stated_in.string());
  }
  ModelParts parts = {std::move(config), folder, std::move(undone->weights)};
  AddNote(std::move(undone->note), parts.notes);
  return parts;
}

// Safetensors, PyTorch, NumPy: tables of tensors that may be a quantiser's, by Hugging Face's
// names.
Result<ModelParts> OpenNamedTensors(const fs::path& folder,
                                    std::shared_ptr<const WeightSource> stored,
                                    const FileStore& files) {
  TG_TRY(CheckHoldsNumbers(stored->tensors()));
  TG_ASSIGN(auto kept, LeaveOutTrainingState(std::move(stored)));
  TG_ASSIGN(auto config, ReadConfig(folder, files));
  TG_ASSIGN(const auto quantisation, ReadQuantisationConfig(config, folder, files));
  TG_ASSIGN(auto weights, DequantiseWeights(std::move(kept.weights), quantisation));
  if (HasNativeNames(weights->tensors())) {
    return OpenNative(folder, std::move(config), std::move(weights), files);
  }
  TG_ASSIGN(auto merged, MergeInnerAdapter(std::move(weights), config, folder, files));
  ModelParts parts = {std::move(config), folder, std::move(merged.weights)};
  AddNote(std::move(kept.note), parts.notes);
  AddNote(std::move(merged.note), parts.notes);
  return parts;
}

// A file that cannot be read may lie beside the model in another format.
Error WithOtherFormat(Error error, const WeightFiles& found) {
  if (found.in_other_formats.empty()) return error;
  const WeightFiles& other = found.in_other_formats.front();
  fs::path path = other.files[0];
  const FormatNames* format = FormatOfWeightName(path.filename().string());
  if (other.index && format != nullptr) {
    path.replace_filename(std::string(format->main_stem) + std::string(format->index_suffix));
  }
  error.advice +=
      fmt::format("{}give the path of the model in the other format, if that is meant: {}",
                  error.advice.empty() ? "" : "; or ", path.string());
  return error;
}

// Files for several processors, each with a share of every tensor.
Result<std::shared_ptr<const WeightSource>> OpenShares(const std::vector<fs::path>& paths,
                                                       const FileStorePtr& files) {
  std::vector<std::shared_ptr<const WeightSource>> shares;
  for (const fs::path& path : paths) {
    TG_ASSIGN(auto stored, OpenStoredModel({.files = {path}, .index = {}}, files));
    shares.push_back(std::move(stored.weights));
  }
  return JoinParallelShards(std::move(shares));
}

Result<ModelParts> OpenParts(const ModelFiles& found, const FileStorePtr& files) {
  const std::vector<fs::path>& weight_files = found.weights->files;
  if (IsOnnxName(weight_files[0])) return OpenOnnx(weight_files, files);
  if (weight_files.size() > 1 && weight_files[0].filename() == "consolidated.00.pth") {
    TG_ASSIGN(auto joined, OpenShares(weight_files, files));
    return OpenNamedTensors(found.folder, std::move(joined), *files);
  }
  auto stored = OpenStoredModel(*found.weights, files);
  if (!stored) return WithOtherFormat(std::move(stored).error(), *found.weights);
  if (stored->gguf) return OpenGguf(weight_files[0], *stored->gguf, std::move(stored->weights));
  return OpenNamedTensors(found.folder, std::move(stored->weights), *files);
}

// The one model that is meant, where several lie side by side, or the part of a model.
Result<void> ChoosePart(const std::optional<PartChoice>& choice, Model& model) {
  const auto parts = FindModelParts(model.config, model.architecture, model.weights->tensors());
  const auto in_path = [&](Error error) { return std::move(error).InFile(model.path.string()); };
  if (!choice) return parts.empty() ? Result<void>() : in_path(SeveralModels(parts));
  auto taken = TakePart(model.weights, parts, choice->name);
  if (!taken) {
    if (choice->required || !parts.empty()) {
      return in_path(NoSuchPart(choice->name, parts, model.weights->tensors()));
    }
    model.notes.push_back(fmt::format("has no part {}: taken whole", choice->name));
    return {};
  }
  model.weights = *std::move(taken);
  model.architecture = Understand(model.config, model.weights->tensors());
  model.notes.push_back(fmt::format("the part {} alone", choice->name));
  if (choice->name != kPartOutside) model.name += "." + choice->name;
  return {};
}

Result<Model> OpenPlainModel(const ModelFiles& found, const FileStorePtr& files,
                             const std::optional<PartChoice>& part) {
  TG_ASSIGN(auto parts, OpenParts(found, files));
  Architecture architecture = Understand(parts.config, parts.weights->tensors());
  Model model = {.name = ModelNameFromPath(found.path),
                 .path = found.path,
                 .config = std::move(parts.config),
                 .base_name = {},
                 .tokenizer_folder = std::move(parts.tokenizer_folder),
                 .files = files,
                 .weights = std::move(parts.weights),
                 .architecture = std::move(architecture),
                 .notes = std::move(parts.notes)};
  AddNotesOnFiles(found, *model.weights, files, model.notes);
  TG_TRY(ChoosePart(part, model));
  return model;
}

Result<Model> OpenAdapter(const ModelFiles& found, const ModelFiles& base_found,
                          const FileStorePtr& files, const std::optional<PartChoice>& part) {
  TG_ASSIGN(auto base, OpenFoundModel(base_found, {}, files, part));
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
               .architecture = std::move(architecture),
               .notes = std::move(base.notes)};
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
  return OpenFoundModel(found, base, options.files, options.part);
}

Result<Model> OpenFoundModel(const ModelFiles& found, const std::optional<ModelFiles>& base,
                             const FileStorePtr& files, const std::optional<PartChoice>& part) {
  if (found.is_adapter && base) return OpenAdapter(found, *base, files, part);
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
  return OpenPlainModel(found, files, part);
}

Result<bool> NamesAdapter(const fs::path& path, const FileStore& files) {
  TG_ASSIGN(const auto found, FindKindOfFiles(path, files));
  return found.is_adapter;
}

}  // namespace tensorguard::internal
