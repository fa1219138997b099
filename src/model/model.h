// A model as a person names it: a file or a folder, with its config, weights and architecture.
#ifndef TENSORGUARD_MODEL_MODEL_H_
#define TENSORGUARD_MODEL_MODEL_H_

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "architecture/architecture.h"
#include "base/file_store.h"
#include "base/json.h"
#include "tensorguard/result.h"
#include "weights/weight_source.h"

namespace tensorguard::internal {

struct Model {
  std::string name;  // the folder's or file's name without suffix
  std::filesystem::path path;
  Json config;              // config.json, what a GGUF file's metadata say, or null
  bool is_adapter = false;  // an adapter merged into `base_name`
  std::string base_name;
  // For ReadVocabulary, which also finds out whether there is a tokenizer: a broken one must not
  // keep the weights from being read.
  std::filesystem::path tokenizer_folder;  // or a GGUF file, which holds its own
  FileStorePtr files = LocalFiles();       // that `tokenizer_folder` lies in
  std::shared_ptr<const WeightSource> weights;
  Architecture architecture;
  // What was done or assumed to read it, and what lies beside it, for a reader.
  std::vector<std::string> notes = {};

  uint64_t parameter_count() const;  // elements of all tensors that are parameters (not buffers)
};

// Which of the models, or of the parts of a model, that lie in one place.
struct PartChoice {
  std::string name;      // as FindModelParts names it, or the beginning of tensors' names
  bool required = true;  // a model without that part is an error; else it is taken whole
};

struct OpenModelOptions {
  // The model that an adapter folder belongs to. REQUIRES where the path is an adapter folder.
  std::optional<std::filesystem::path> base;
  std::optional<PartChoice> part = {};
  // Where both lie.
  FileStorePtr files = LocalFiles();
};

// Opens a model; reads headers and configs, no weights. Errors: those of OpenStoredWeights and
// MergeAdapter; kUsage if an adapter comes without a base, or a base with a model that is none, and
// for several models of which none is chosen, or a part that is not there.
Result<Model> OpenModel(const std::filesystem::path& path, const OpenModelOptions& options = {});

// True if `path` is a PEFT adapter's folder, or the adapter_model file in one. Errors: those
// of `files`, and of ResolveHubCache.
Result<bool> NamesAdapter(const std::filesystem::path& path,
                          const FileStore& files = *LocalFiles());

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_MODEL_MODEL_H_
