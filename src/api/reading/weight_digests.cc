#include "api/reading/weight_digests.h"

#include <system_error>
#include <utility>

#include "api/reading/sources.h"
#include "api/reading/whole_file.h"
#include "base/try.h"
#include "fingerprint/digest/hex_text.h"
#include "model/model_name.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;

Result<std::vector<fs::path>> PathsOf(const ModelFiles& model, const Places& places) {
  if (model.weights) return model.weights->files;
  std::vector<fs::path> paths;
  TG_ASSIGN(const auto names, places.FilesIn(model.folder));
  for (const std::string& name : names) {
    const fs::path path = model.folder / name;
    if (name.starts_with("adapter_") && path.extension() != ".json") paths.push_back(path);
  }
  return paths;
}

std::string NameBelow(const fs::path& folder, const fs::path& path) {
  const fs::path name = path.lexically_relative(folder);
  const bool below = !name.empty() && *name.begin() != ".." && name != ".";
  return (below ? name : path.filename()).generic_string();
}

Result<WeightFile> Described(const fs::path& path, const fs::path& folder, const Places& places) {
  WeightFile file = {.path = path, .name = NameBelow(folder, path), .bytes = {}, .sha256 = {}};
  TG_ASSIGN(const auto stated, places.StatedContentOf(path));
  if (stated) {
    file.sha256 = DigestFromHex(stated->sha256);
    file.bytes = stated->bytes;
    return file;
  }
  std::error_code elsewhere;
  const uint64_t bytes = fs::file_size(path, elsewhere);
  if (!elsewhere) file.bytes = bytes;
  return file;
}

}  // namespace

Result<ListedModel> ListWeightFiles(const std::string& argument, const Session& session) {
  ListedModel listed;
  if (IsFingerprintFile(argument)) return listed;
  TG_ASSIGN(const auto places, session.places());
  TG_ASSIGN(const auto model, places->Find(argument));
  TG_ASSIGN(const auto paths, PathsOf(model, *places));
  listed.name = ModelNameFromPath(model.path);
  listed.complete = !model.is_adapter;
  for (const fs::path& path : paths) {
    TG_ASSIGN(auto file, Described(path, model.folder, *places));
    listed.files.push_back(std::move(file));
    if (path.extension() == ".onnx") listed.complete = false;
  }
  return listed;
}

Result<void> MeasureSha256(WeightFile& file, const Session& session) {
  TG_ASSIGN(const auto places, session.places());
  TG_ASSIGN(const auto opened, places->Open(file.path));
  Sha256Hasher hasher;
  TG_TRY(ReadThrough(
      *opened, "SHA-256", [&](std::span<const std::byte> bytes) { hasher.Add(bytes); }, session));
  file.bytes = opened->size_bytes();
  file.sha256 = hasher.Finish();
  return {};
}

}  // namespace tensorguard::internal
