// Files that a program holds in memory, as one folder.
#ifndef TENSORGUARD_PLACES_HELD_FILES_H_
#define TENSORGUARD_PLACES_HELD_FILES_H_

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_store.h"
#include "safetensors/safetensors_writer.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// A tensor and its elements where they lie: little-endian, row-major.
struct TensorInMemory {
  TensorToWrite tensor;
  std::span<const std::byte> data;
};

// A file of pieces that follow each other: what it holds of its own, then what others hold.
struct HeldFile {
  std::string start = {};
  std::vector<std::span<const std::byte>> pieces = {};
};

// The safetensors file of these tensors; their data stays where it is. Errors: kBadFile, naming the
// tensor, for data of another size than the shape says; those of StartOfSafetensors.
Result<HeldFile> HeldSafetensors(std::vector<TensorInMemory> tensors);

// Holds the files of one folder. What their pieces point to must outlive this and
// what Open gives.
class HeldFiles : public FileStore {
 public:
  static constexpr std::string_view kFolder = "(in memory)";

  // By name.
  explicit HeldFiles(std::map<std::string, HeldFile> files) : files_(std::move(files)) {}

  Result<bool> Exists(const std::filesystem::path& path) const override;
  Result<bool> IsFolder(const std::filesystem::path& path) const override;
  Result<std::vector<std::string>> FilesIn(
      const std::filesystem::path& folder,
      std::span<const std::string> likely_names = {}) const override;
  Result<std::vector<std::string>> FoldersIn(const std::filesystem::path& folder) const override;
  Result<std::shared_ptr<const File>> Open(const std::filesystem::path& path) const override;

 private:
  const HeldFile* Find(const std::filesystem::path& path) const;

  std::map<std::string, HeldFile> files_;
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PLACES_HELD_FILES_H_
