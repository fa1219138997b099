#include "weights/files/model_files.h"

#include <utility>

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

Result<Found> FindAllButWeights(const fs::path& path, const FileStore& files) {
  TG_ASSIGN(const auto is_folder, files.IsFolder(path));
  TG_ASSIGN(auto place, is_folder ? PlaceOfFolder(path, files) : path);
  Found found = {.files = {.path = path, .is_folder = is_folder, .folder = {}, .weights = {}},
                 .place = std::move(place)};
  found.files.folder = is_folder ? found.place : FolderOf(path);
  const fs::path name = path.filename();
  if (is_folder || name == "adapter_model.safetensors" || name == "adapter_model.bin") {
    TG_ASSIGN(const auto is_adapter, IsAdapterFolder(found.files.folder, files));
    found.files.is_adapter = is_adapter;
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

Result<bool> AreOfAdapter(const fs::path& path, const FileStore& files) {
  TG_ASSIGN(const auto found, FindAllButWeights(path, files));
  return found.files.is_adapter;
}

}  // namespace tensorguard::internal
