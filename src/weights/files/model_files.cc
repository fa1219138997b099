#include "weights/files/model_files.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/folder_of.h"
#include "base/try.h"
#include "weights/adapters/adapter.h"
#include "weights/files/hub_cache.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;

// All but the weights of a model that is no adapter; `place` is the path or its snapshot.
struct Found {
  ModelFiles files;
  fs::path place;
};

constexpr std::array<std::string_view, 3> kAdapterFiles = {
    "adapter_model.safetensors", "adapter_model.bin", "adapters.safetensors"};

bool IsAdapterFile(std::string_view name) {
  return std::find(kAdapterFiles.begin(), kAdapterFiles.end(), name) != kAdapterFiles.end() ||
         name.ends_with("_adapters.safetensors");
}

// Of a folder with adapter_config.json: whether there is an adapter, or a model alone.
Result<void> TellAdapter(const FileStore& files, ModelFiles& found) {
  std::vector<std::string> likely = NamesOfWholeModels();
  likely.insert(likely.end(), kAdapterFiles.begin(), kAdapterFiles.end());
  TG_ASSIGN(const auto names, files.FilesIn(found.folder, likely));
  const auto adapter = std::find_if(names.begin(), names.end(), IsAdapterFile);
  const auto model = WholeModelIn(names);
  if (!model) {
    found.is_adapter = true;
    return {};
  }
  if (adapter == names.end()) {
    found.leftover_adapter_config = true;
    return {};
  }
  return Error{.kind = ErrorKind::kUsage,
               .problem = "the folder holds an adapter and a whole model",
               .file = found.folder.string(),
               .found = *adapter + ", " + *model,
               .expected = "one of them",
               .advice = "give the path of the model, " + (found.folder / *model).string() +
                         ", or move the adapter and adapter_config.json into a folder of their "
                         "own and give that with --base MODEL"};
}

Result<Found> FindAllButWeights(const fs::path& path, const FileStore& files) {
  TG_ASSIGN(const auto is_folder, files.IsFolder(path));
  TG_ASSIGN(auto place, is_folder ? PlaceOfFolder(path, files) : path);
  Found found = {.files = {.path = path, .is_folder = is_folder, .folder = {}, .weights = {}},
                 .place = std::move(place)};
  found.files.folder = is_folder ? found.place : FolderOf(path);
  const fs::path name = path.filename();
  const bool adapter_file =
      !is_folder && (name == "adapter_model.safetensors" || name == "adapter_model.bin");
  if (!is_folder && !adapter_file) return found;
  TG_ASSIGN(const auto has_config, IsAdapterFolder(found.files.folder, files));
  if (!has_config) return found;
  if (adapter_file) {
    found.files.is_adapter = true;
  } else {
    TG_TRY(TellAdapter(files, found.files));
  }
  return found;
}

}  // namespace

Result<ModelFiles> FindModelFiles(const fs::path& path, const FileStore& files) {
  TG_ASSIGN(auto found, FindAllButWeights(path, files));
  if (found.files.is_adapter) return std::move(found.files);
  TG_ASSIGN(auto weights, found.files.is_folder ? FindWeightFilesIn(found.place, files)
                                                : FindWeightFiles(found.place, files));
  found.files.weights = std::move(weights);
  return std::move(found.files);
}

Result<ModelFiles> FindKindOfFiles(const fs::path& path, const FileStore& files) {
  TG_ASSIGN(auto found, FindAllButWeights(path, files));
  return std::move(found.files);
}

}  // namespace tensorguard::internal
