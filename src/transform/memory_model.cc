#include "transform/memory_model.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

namespace tensorguard::internal {
namespace {

class FileInMemory : public File {
 public:
  FileInMemory(std::string path, std::string contents)
      : File(std::move(path), contents.size()), contents_(std::move(contents)) {}

  Result<void> ReadAt(uint64_t offset_bytes, std::span<std::byte> out) const override {
    if (offset_bytes > contents_.size() || out.size() > contents_.size() - offset_bytes) {
      return Error{.problem = "the file ends before what is read of it", .file = path()};
    }
    if (!out.empty()) std::memcpy(out.data(), contents_.data() + offset_bytes, out.size());
    return {};
  }

 private:
  std::string contents_;
};

class FolderInMemory : public FileStore {
 public:
  explicit FolderInMemory(std::map<std::string, std::string> contents)
      : contents_(std::move(contents)) {}

  Result<bool> Exists(const std::filesystem::path& path) const override {
    return IsRoot(path) || contents_.contains(path.filename().string());
  }
  Result<bool> IsFolder(const std::filesystem::path& path) const override { return IsRoot(path); }
  Result<std::vector<std::string>> FilesIn(const std::filesystem::path&,
                                           std::span<const std::string>) const override {
    std::vector<std::string> names;
    for (const auto& [name, text] : contents_) names.push_back(name);
    return names;
  }
  Result<std::vector<std::string>> FoldersIn(const std::filesystem::path&) const override {
    return std::vector<std::string>();
  }
  Result<std::shared_ptr<const File>> Open(const std::filesystem::path& path) const override {
    const auto found = contents_.find(path.filename().string());
    if (found == contents_.end()) {
      return Error{
          .kind = ErrorKind::kNotFound, .problem = "there is no such file", .file = path.string()};
    }
    return std::shared_ptr<const File>(
        std::make_shared<FileInMemory>(path.string(), found->second));
  }

 private:
  static bool IsRoot(const std::filesystem::path& path) { return !path.has_parent_path(); }

  std::map<std::string, std::string> contents_;
};

}  // namespace

TensorsInMemory::TensorsInMemory(std::vector<NamedTensor> tensors) : tensors_(std::move(tensors)) {
  for (const NamedTensor& tensor : tensors_) {
    const uint64_t count = tensor.values.size();
    infos_.push_back({.name = tensor.name,
                      .dtype = tensor.dtype,
                      .shape = tensor.shape,
                      .element_count = count,
                      .stored_bytes = count * InfoOf(tensor.dtype).bits / 8,
                      .file = "memory"});
  }
}

Result<void> TensorsInMemory::ReadFloat32(size_t tensor_index, uint64_t first_element,
                                          std::span<float> out) const {
  std::copy_n(tensors_[tensor_index].values.begin() + static_cast<std::ptrdiff_t>(first_element),
              out.size(), out.begin());
  return {};
}

bool TensorsInMemory::IsBFloat16(size_t tensor_index) const {
  return tensors_[tensor_index].dtype == DType::kBF16;
}

Result<void> TensorsInMemory::ReadBFloat16(size_t tensor_index, uint64_t first_element,
                                           std::span<BFloat16> out) const {
  const std::vector<float>& values = tensors_[tensor_index].values;
  for (size_t i = 0; i < out.size(); ++i) out[i] = RoundToBFloat16(values[first_element + i]);
  return {};
}

FileStorePtr FilesInMemory(std::map<std::string, std::string> contents) {
  return std::make_shared<FolderInMemory>(std::move(contents));
}

}  // namespace tensorguard::internal
