#include "weights/stored_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/file.h"
#include "formats/safetensors.h"
#include "weights/element_types.h"
#include "weights/file_pool.h"
#include "weights/weight_files.h"

namespace tensorguard {
namespace {

// Far below the usual limit of 1024 descriptors, and enough for one shard per thread.
constexpr size_t kMostOpenFiles = 64;
// Decoded at a time: a block stays in the processor's cache. A multiple of every group.
constexpr size_t kBlockElements = 16384;
constexpr size_t kMostGroupElements = 4;

struct StoredTensor {
  TensorInfo info;
  size_t file = 0;  // into the pool
  uint64_t data_begin_bytes = 0;
};

class StoredWeights : public WeightSource {
 public:
  StoredWeights(std::vector<PooledFile> files, std::vector<StoredTensor> tensors);

  const std::vector<TensorInfo>& tensors() const override { return tensors_; }
  Result<void> ReadFloat32(size_t tensor_index, uint64_t first_element,
                           std::span<float> out) const override;
  bool IsBFloat16(size_t tensor_index) const override {
    return tensors_[tensor_index].dtype == DType::kBF16;
  }
  Result<void> ReadBFloat16(size_t tensor_index, uint64_t first_element,
                            std::span<BFloat16> out) const override;

 private:
  struct Place {
    size_t file;
    uint64_t data_begin_bytes;
  };

  FilePool files_;
  std::vector<TensorInfo> tensors_;
  std::vector<Place> places_;  // of tensors_, in the same order
};

StoredWeights::StoredWeights(std::vector<PooledFile> files, std::vector<StoredTensor> tensors)
    : files_(std::move(files), kMostOpenFiles) {
  tensors_.reserve(tensors.size());
  places_.reserve(tensors.size());
  for (StoredTensor& tensor : tensors) {
    tensors_.push_back(std::move(tensor.info));
    places_.push_back({tensor.file, tensor.data_begin_bytes});
  }
}

// Elements [first_element, first_element + out.size()) that lie inside one group of packed ones.
Result<void> ReadInsideGroup(const File& file, DType dtype, uint64_t tensor_begin_bytes,
                             uint64_t first_element, std::span<float> out) {
  std::array<std::byte, kMostGroupElements> stored;
  std::array<float, kMostGroupElements> decoded;
  const unsigned group_elements = ElementsPerGroup(dtype);
  const auto group = std::span(stored).first(group_elements * InfoOf(dtype).bits / 8);
  auto read =
      file.ReadAt(tensor_begin_bytes + first_element / group_elements * group.size(), group);
  if (!read) return read;
  DecodeToFloat32(dtype, group, std::span(decoded).first(group_elements));
  std::copy_n(decoded.begin() + first_element % group_elements, out.size(), out.begin());
  return {};
}

Result<void> ReadElements(const File& file, DType dtype, uint64_t tensor_begin_bytes,
                          uint64_t first_element, std::span<float> out) {
  const unsigned bits = InfoOf(dtype).bits;
  const unsigned group_elements = ElementsPerGroup(dtype);
  std::array<std::byte, kBlockElements * sizeof(double)> stored;
  while (!out.empty()) {
    const size_t in_group = first_element % group_elements;
    const size_t most = in_group == 0 ? kBlockElements : group_elements - in_group;
    const auto block = out.first(std::min(out.size(), most));
    Result<void> read;
    if (in_group != 0) {
      read = ReadInsideGroup(file, dtype, tensor_begin_bytes, first_element, block);
    } else {
      // A last group that is not wanted whole is read up to the last byte that is.
      const auto bytes = std::span(stored).first((block.size() * bits + 7) / 8);
      read = file.ReadAt(
          tensor_begin_bytes + first_element / group_elements * (group_elements * bits / 8), bytes);
      if (read) DecodeToFloat32(dtype, bytes, block);
    }
    if (!read) return read;
    out = out.subspan(block.size());
    first_element += block.size();
  }
  return {};
}

Result<void> StoredWeights::ReadFloat32(size_t tensor_index, uint64_t first_element,
                                        std::span<float> out) const {
  const TensorInfo& tensor = tensors_[tensor_index];
  const Place& place = places_[tensor_index];
  assert(first_element <= tensor.element_count &&
         out.size() <= tensor.element_count - first_element);
  if (!IsReal(tensor.dtype)) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "complex numbers cannot be read as weights",
                 .file = tensor.file,
                 .tensor = tensor.name,
                 .found = std::string(InfoOf(tensor.dtype).name)};
  }
  auto file = files_.Open(place.file);
  if (!file) return std::move(file).error().InTensor(tensor.name);
  Result<void> read;
  if (tensor.dtype == DType::kF32) {
    read = (*file)->ReadAt(place.data_begin_bytes + first_element * sizeof(float),
                           std::as_writable_bytes(out));
  } else {
    read = ReadElements(**file, tensor.dtype, place.data_begin_bytes, first_element, out);
  }
  if (!read) return std::move(read).error().InTensor(tensor.name);
  return {};
}

Result<void> StoredWeights::ReadBFloat16(size_t tensor_index, uint64_t first_element,
                                         std::span<BFloat16> out) const {
  static_assert(std::endian::native == std::endian::little, "files are little-endian");
  const TensorInfo& tensor = tensors_[tensor_index];
  const Place& place = places_[tensor_index];
  assert(tensor.dtype == DType::kBF16 && first_element <= tensor.element_count &&
         out.size() <= tensor.element_count - first_element);
  auto file = files_.Open(place.file);
  if (!file) return std::move(file).error().InTensor(tensor.name);
  auto read = (*file)->ReadAt(place.data_begin_bytes + first_element * sizeof(BFloat16),
                              std::as_writable_bytes(out));
  if (!read) return std::move(read).error().InTensor(tensor.name);
  return {};
}

struct OpenedFiles {
  std::vector<PooledFile> files;
  std::vector<StoredTensor> tensors;  // sorted by name
};

Result<OpenedFiles> ReadTables(const std::vector<std::filesystem::path>& paths) {
  OpenedFiles opened;
  for (const std::filesystem::path& path : paths) {
    auto file = File::Open(path);
    if (!file) return std::move(file).error();
    auto table = ReadSafetensorsTable(**file);
    if (!table) return std::move(table).error();
    for (TensorEntry& entry : table->tensors) {
      opened.tensors.push_back(
          {.info = {.name = std::move(entry.name),
                    .dtype = entry.dtype,
                    .shape = std::move(entry.shape),
                    .element_count = entry.element_count,
                    .stored_bytes = entry.data_end_bytes - entry.data_begin_bytes,
                    .file = (*file)->path()},
           .file = opened.files.size(),
           .data_begin_bytes = entry.data_begin_bytes});
    }
    opened.files.push_back({(*file)->path(), (*file)->size_bytes()});
  }
  std::sort(opened.tensors.begin(), opened.tensors.end(),
            [](const StoredTensor& a, const StoredTensor& b) {
              return std::tie(a.info.name, a.file) < std::tie(b.info.name, b.file);
            });
  return opened;
}

Result<void> CheckNamesUnique(const std::vector<StoredTensor>& tensors) {
  const auto twin = std::adjacent_find(
      tensors.begin(), tensors.end(),
      [](const StoredTensor& a, const StoredTensor& b) { return a.info.name == b.info.name; });
  if (twin == tensors.end()) return {};
  return Error{.problem = "tensor lies in two shards",
               .file = twin->info.file,
               .tensor = twin->info.name,
               .found = fmt::format("also in {}", (twin + 1)->info.file)};
}

// The index and the shards must hold the same tensors in the same places. Both are sorted by name.
Result<void> CheckAgainstIndex(const ShardIndex& index, const OpenedFiles& opened) {
  auto stored = opened.tensors.begin();
  for (const IndexedTensor& indexed : index.tensors) {
    if (stored != opened.tensors.end() && stored->info.name < indexed.name) break;
    const std::string& promised_file = opened.files[indexed.shard].path;
    if (stored == opened.tensors.end() || stored->info.name != indexed.name) {
      return Error{.problem = "shard lacks a tensor that the index promises",
                   .file = promised_file,
                   .tensor = indexed.name};
    }
    if (stored->file != indexed.shard) {
      return Error{.problem = "tensor lies in another shard than the index says",
                   .file = stored->info.file,
                   .tensor = indexed.name,
                   .expected = promised_file};
    }
    ++stored;
  }
  if (stored == opened.tensors.end()) return {};
  return Error{.problem = "shard holds a tensor that the index does not name",
               .file = stored->info.file,
               .tensor = stored->info.name};
}

}  // namespace

Result<std::shared_ptr<const WeightSource>> OpenStoredWeights(const std::filesystem::path& path) {
  auto found = FindWeightFiles(path);
  if (!found) return std::move(found).error();
  auto opened = ReadTables(found->files);
  if (!opened) return std::move(opened).error();
  auto unique = CheckNamesUnique(opened->tensors);
  if (!unique) return std::move(unique).error();
  if (found->index) {
    auto agreed = CheckAgainstIndex(*found->index, *opened);
    if (!agreed) return std::move(agreed).error();
  }
  if (opened->tensors.empty()) {
    return Error{.problem = "model holds no tensors", .file = path.string()};
  }
  return std::shared_ptr<const WeightSource>(
      std::make_shared<StoredWeights>(std::move(opened->files), std::move(opened->tensors)));
}

}  // namespace tensorguard
