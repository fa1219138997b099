#include "api/reading/file_digests.h"

#include <algorithm>
#include <filesystem>
#include <span>

#include "api/reading/sources.h"
#include "api/reading/whole_file.h"
#include "base/try.h"
#include "fingerprint/digest/blake3.h"
#include "fingerprint/digest/hex_text.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;

Result<FileDigest> DigestOf(const fs::path& path, const Session& session) {
  TG_ASSIGN(const auto file, File::Open(path));
  Blake3Hasher hasher;
  TG_TRY(ReadThrough(
      *file, "digest", [&](std::span<const std::byte> bytes) { hasher.Add(bytes); }, session));
  return FileDigest{.file = path.filename().string(),
                    .bytes = file->size_bytes(),
                    .blake3 = HexOf(hasher.Finish())};
}

// Those that lie on this machine; none if one does not.
Result<std::vector<fs::path>> FilesOf(const std::string& argument, const Session& session) {
  if (IsFingerprintFile(argument)) return std::vector<fs::path>{argument};
  TG_ASSIGN(const auto places, session.places());
  TG_ASSIGN(const auto found, places->Find(argument));
  std::vector<fs::path> files;
  if (found.weights) files = found.weights->files;
  std::error_code ignored;
  if (found.is_adapter && fs::is_directory(found.folder, ignored)) {
    TG_ASSIGN(const auto names, LocalFiles()->FilesIn(found.folder));
    for (const std::string& name : names) {
      if (name.starts_with("adapter_")) files.push_back(found.folder / name);
    }
  }
  const fs::path config = found.folder / "config.json";
  if (fs::exists(config, ignored)) files.push_back(config);
  const bool all_here = std::all_of(files.begin(), files.end(), [](const fs::path& file) {
    std::error_code unseen;
    return fs::exists(file, unseen);
  });
  return all_here ? files : std::vector<fs::path>();
}

}  // namespace

Result<std::vector<FileDigest>> DigestsOfFiles(const std::string& argument,
                                               const Session& session) {
  TG_ASSIGN(const auto files, FilesOf(argument, session));
  std::vector<FileDigest> digests;
  for (const fs::path& file : files) {
    TG_ASSIGN(auto digest, DigestOf(file, session));
    digests.push_back(std::move(digest));
  }
  return digests;
}

}  // namespace tensorguard::internal
