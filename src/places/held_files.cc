#include "places/held_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "base/try.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;
using Bytes = std::span<const std::byte>;

class FileInMemory : public File {
 public:
  FileInMemory(std::string path, const HeldFile& file)
      : File(std::move(path), SizeOf(file)),
        start_(file.start),
        pieces_({std::as_bytes(std::span(start_))}) {
    pieces_.insert(pieces_.end(), file.pieces.begin(), file.pieces.end());
    uint64_t end = 0;
    for (const Bytes& piece : pieces_) ends_.push_back(end += piece.size());
  }

  Result<void> ReadAt(uint64_t offset_bytes, std::span<std::byte> out) const override {
    if (offset_bytes > size_bytes() || out.size() > size_bytes() - offset_bytes) {
      return Error{.problem = "the file ends before what is read of it",
                   .file = path(),
                   .byte_offset = offset_bytes};
    }
    auto end = std::upper_bound(ends_.begin(), ends_.end(), offset_bytes);
    while (!out.empty()) {
      const Bytes piece = pieces_[static_cast<size_t>(end - ends_.begin())];
      const auto begin = static_cast<size_t>(offset_bytes - (*end - piece.size()));
      const size_t count = std::min(piece.size() - begin, out.size());
      if (count > 0) std::memcpy(out.data(), piece.data() + begin, count);
      out = out.subspan(count);
      offset_bytes += count;
      ++end;
    }
    return {};
  }

 private:
  static uint64_t SizeOf(const HeldFile& file) {
    uint64_t bytes = file.start.size();
    for (const Bytes& piece : file.pieces) bytes += piece.size();
    return bytes;
  }

  std::string start_;
  std::vector<Bytes> pieces_;
  std::vector<uint64_t> ends_;  // parallel: where each ends in the file
};

}  // namespace

Result<HeldFile> HeldSafetensors(std::vector<TensorInMemory> tensors) {
  std::sort(tensors.begin(), tensors.end(), [](const TensorInMemory& a, const TensorInMemory& b) {
    return a.tensor.name < b.tensor.name;
  });
  HeldFile file;
  std::vector<TensorToWrite> described;
  for (const TensorInMemory& each : tensors) {
    const auto bytes = StoredBytes(each.tensor);
    if (bytes && *bytes != each.data.size()) {
      return Error{.problem = "the data has another size than shape and type say",
                   .tensor = each.tensor.name,
                   .found = fmt::format("{} bytes", each.data.size()),
                   .expected = fmt::format("{} bytes", *bytes)};
    }
    described.push_back(each.tensor);
    file.pieces.push_back(each.data);
  }
  // In the order of the names, as the pieces are.
  TG_ASSIGN(auto start, StartOfSafetensors(described, {}));
  file.start = std::move(start.bytes);
  return file;
}

const HeldFile* HeldFiles::Find(const fs::path& path) const {
  if (path.parent_path() != fs::path(kFolder)) return nullptr;
  const auto found = files_.find(path.filename().string());
  return found == files_.end() ? nullptr : &found->second;
}

Result<bool> HeldFiles::Exists(const fs::path& path) const {
  return path == fs::path(kFolder) || Find(path) != nullptr;
}

Result<bool> HeldFiles::IsFolder(const fs::path& path) const { return path == fs::path(kFolder); }

Result<std::vector<std::string>> HeldFiles::FilesIn(const fs::path& folder,
                                                    std::span<const std::string>) const {
  std::vector<std::string> names;
  if (folder != fs::path(kFolder)) return names;
  for (const auto& [name, file] : files_) names.push_back(name);
  return names;
}

Result<std::vector<std::string>> HeldFiles::FoldersIn(const fs::path&) const {
  return std::vector<std::string>();
}

Result<std::shared_ptr<const File>> HeldFiles::Open(const fs::path& path) const {
  const HeldFile* file = Find(path);
  if (file == nullptr) {
    return Error{
        .kind = ErrorKind::kNotFound, .problem = "no such file in memory", .file = path.string()};
  }
  return std::shared_ptr<const File>(std::make_shared<FileInMemory>(path.string(), *file));
}

}  // namespace tensorguard::internal
