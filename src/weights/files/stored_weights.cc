#include "weights/files/stored_weights.h"

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
#include "base/try.h"
#include "formats/archives/archive.h"
#include "formats/archives/deflated_data.h"
#include "formats/archives/zip.h"
#include "formats/gguf/gguf.h"
#include "formats/numpy/numpy.h"
#include "formats/torch/torch.h"
#include "formats/weight_format.h"
#include "safetensors/safetensors.h"
#include "safetensors/safetensors_header.h"
#include "weights/elements/element_types.h"
#include "weights/files/file_pool.h"
#include "weights/files/model_path_errors.h"
#include "weights/files/strided_read.h"
#include "weights/files/weight_files.h"
#include "weights/onnx/onnx_weight_source.h"

namespace tensorguard::internal {
namespace {

// Far below the usual limit of 1024 descriptors, and enough for one shard per thread.
constexpr size_t kMostOpenFiles = 64;
// Decoded at a time: a block stays in the processor's cache. A multiple of every group.
constexpr size_t kBlockElements = 16384;
static_assert(kBlockElements % kMostGroupElements == 0);
// Of a strided tensor: the more rows at a time, the fewer reads.
constexpr size_t kStridedBlockBytes = 1 << 20;

struct StoredTensor {
  TensorInfo info;
  size_t file = 0;  // into the pool
  uint64_t data_begin_bytes = 0;
  std::vector<uint64_t> strides;  // empty: row-major
  std::optional<PackedRange> packed;
};

// What unpacks from a part of a file, as a file.
class UnpackedFile : public File {
 public:
  UnpackedFile(std::shared_ptr<const File> file, std::shared_ptr<const DeflatedData> packed)
      : File(file->path(), packed->size_bytes()),
        file_(std::move(file)),
        packed_(std::move(packed)) {}

  Result<void> ReadAt(uint64_t offset_bytes, std::span<std::byte> out) const override {
    auto read = packed_->ReadAt(SourceOf(*file_), offset_bytes, out);
    if (!read) return std::move(read).error().InFile(path());
    return {};
  }

 private:
  std::shared_ptr<const File> file_;
  std::shared_ptr<const DeflatedData> packed_;
};

class StoredWeights : public WeightSource {
 public:
  StoredWeights(std::vector<PooledFile> files, std::vector<StoredTensor> tensors,
                FileStorePtr store);

  const std::vector<TensorInfo>& tensors() const override { return tensors_; }
  Result<void> ReadFloat32(size_t tensor_index, uint64_t first_element,
                           std::span<float> out) const override;
  bool IsBFloat16(size_t tensor_index) const override {
    return tensors_[tensor_index].dtype == DType::kBF16;
  }
  Result<void> ReadBFloat16(size_t tensor_index, uint64_t first_element,
                            std::span<BFloat16> out) const override;
  Result<void> ReadBytes(size_t tensor_index, uint64_t first_byte,
                         std::span<std::byte> out) const override;

 private:
  struct Place {
    size_t file;
    uint64_t data_begin_bytes;
    std::vector<uint64_t> strides;
    std::shared_ptr<const DeflatedData> packed;  // null: the bytes lie in the file as they are
  };

  // The bytes that the tensor's place counts in: the file, or what unpacks from a part of it.
  Result<std::shared_ptr<const File>> OpenData(size_t tensor_index) const;

  StridedTensor StridedPlace(size_t tensor_index) const;

  FilePool files_;
  std::vector<TensorInfo> tensors_;
  std::vector<Place> places_;  // of tensors_, in the same order
};

StoredWeights::StoredWeights(std::vector<PooledFile> files, std::vector<StoredTensor> tensors,
                             FileStorePtr store)
    : files_(std::move(files), std::move(store), kMostOpenFiles) {
  tensors_.reserve(tensors.size());
  places_.reserve(tensors.size());
  for (StoredTensor& tensor : tensors) {
    tensors_.push_back(std::move(tensor.info));
    Place place = {tensor.file, tensor.data_begin_bytes, std::move(tensor.strides), nullptr};
    if (const auto& packed = tensor.packed) {
      place.packed = std::make_shared<const DeflatedData>(packed->begin_bytes, packed->end_bytes,
                                                          packed->size_bytes);
    }
    places_.push_back(std::move(place));
  }
}

Result<std::shared_ptr<const File>> StoredWeights::OpenData(size_t tensor_index) const {
  const Place& place = places_[tensor_index];
  auto file = files_.Open(place.file);
  if (!file || place.packed == nullptr) return file;
  return std::shared_ptr<const File>(
      std::make_shared<UnpackedFile>(*std::move(file), place.packed));
}

// REQUIRES: the tensor has strides, and so elements of whole bytes.
StridedTensor StoredWeights::StridedPlace(size_t tensor_index) const {
  return {.begin_bytes = places_[tensor_index].data_begin_bytes,
          .element_bytes = InfoOf(tensors_[tensor_index].dtype).bits / 8,
          .shape = tensors_[tensor_index].shape,
          .strides = places_[tensor_index].strides};
}

// Where the groups of a tensor of packed or block elements lie.
struct Groups {
  DType dtype;
  uint64_t tensor_begin_bytes;
  unsigned elements;  // of one group
  unsigned bytes;

  uint64_t BeginOf(uint64_t element) const {
    return tensor_begin_bytes + element / elements * bytes;
  }
};

// Elements [first_element, first_element + out.size()) that lie inside one group.
Result<void> ReadInsideGroup(const File& file, const Groups& groups, uint64_t first_element,
                             std::span<float> out) {
  std::array<std::byte, kMostGroupBytes> stored;
  std::array<float, kMostGroupElements> decoded;
  const auto group = std::span(stored).first(groups.bytes);
  auto read = file.ReadAt(groups.BeginOf(first_element), group);
  if (!read) return read;
  DecodeToFloat32(groups.dtype, group, std::span(decoded).first(groups.elements));
  std::copy_n(decoded.begin() + first_element % groups.elements, out.size(), out.begin());
  return {};
}

Result<void> ReadElements(const File& file, DType dtype, uint64_t tensor_begin_bytes,
                          uint64_t first_element, std::span<float> out) {
  const Groups groups = {dtype, tensor_begin_bytes, ElementsPerGroup(dtype), BytesPerGroup(dtype)};
  std::array<std::byte, kBlockElements * sizeof(double)> stored;
  while (!out.empty()) {
    const size_t in_group = first_element % groups.elements;
    const size_t whole = std::min(out.size(), kBlockElements) / groups.elements * groups.elements;
    std::span<float> block;
    Result<void> read;
    if (in_group != 0 || whole == 0) {
      block = out.first(std::min<size_t>(out.size(), groups.elements - in_group));
      read = ReadInsideGroup(file, groups, first_element, block);
    } else {
      block = out.first(whole);
      const auto bytes = std::span(stored).first(whole / groups.elements * groups.bytes);
      read = file.ReadAt(groups.BeginOf(first_element), bytes);
      if (read) DecodeToFloat32(dtype, bytes, block);
    }
    if (!read) return read;
    out = out.subspan(block.size());
    first_element += block.size();
  }
  return {};
}

Result<void> ReadStridedElements(const File& file, DType dtype, const StridedTensor& tensor,
                                 uint64_t first_element, std::span<float> out) {
  if (dtype == DType::kF32) {
    return ReadStrided(file, tensor, first_element, std::as_writable_bytes(out));
  }
  const size_t block_elements =
      std::min<size_t>(out.size(), kStridedBlockBytes / tensor.element_bytes);
  std::vector<std::byte> stored(block_elements * tensor.element_bytes);
  while (!out.empty()) {
    const auto block = out.first(std::min(out.size(), block_elements));
    const auto bytes = std::span(stored).first(block.size() * tensor.element_bytes);
    auto read = ReadStrided(file, tensor, first_element, bytes);
    if (!read) return read;
    DecodeToFloat32(dtype, bytes, block);
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
  auto file = OpenData(tensor_index);
  if (!file) return std::move(file).error().InTensor(tensor.name);
  Result<void> read;
  if (!place.strides.empty()) {
    read =
        ReadStridedElements(**file, tensor.dtype, StridedPlace(tensor_index), first_element, out);
  } else if (tensor.dtype == DType::kF32) {
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
  auto file = OpenData(tensor_index);
  if (!file) return std::move(file).error().InTensor(tensor.name);
  const auto bytes = std::as_writable_bytes(out);
  auto read =
      place.strides.empty()
          ? (*file)->ReadAt(place.data_begin_bytes + first_element * sizeof(BFloat16), bytes)
          : ReadStrided(**file, StridedPlace(tensor_index), first_element, bytes);
  if (!read) return std::move(read).error().InTensor(tensor.name);
  return {};
}

Result<void> StoredWeights::ReadBytes(size_t tensor_index, uint64_t first_byte,
                                      std::span<std::byte> out) const {
  const TensorInfo& tensor = tensors_[tensor_index];
  const Place& place = places_[tensor_index];
  [[maybe_unused]] const uint64_t bytes = tensor.element_count * (InfoOf(tensor.dtype).bits / 8);
  assert(first_byte <= bytes && out.size() <= bytes - first_byte);
  auto file = OpenData(tensor_index);
  if (!file) return std::move(file).error().InTensor(tensor.name);
  if (place.strides.empty()) {
    auto read = (*file)->ReadAt(place.data_begin_bytes + first_byte, out);
    if (!read) return std::move(read).error().InTensor(tensor.name);
    return {};
  }
  const StridedTensor strided = StridedPlace(tensor_index);
  if (first_byte % strided.element_bytes != 0 || out.size() % strided.element_bytes != 0) {
    return WeightSource::ReadBytes(tensor_index, first_byte, out);
  }
  auto read = ReadStrided(**file, strided, first_byte / strided.element_bytes, out);
  if (!read) return std::move(read).error().InTensor(tensor.name);
  return {};
}

struct ReadFile {
  TensorTable table;
  std::optional<GgufMetadata> gguf = {};
};

// A part of a split model knows how many there are, whatever the files are called.
Result<ReadFile> ReadGguf(const File& file, size_t files_of_model) {
  TG_ASSIGN(auto header, ReadGgufHeader(file));
  const uint64_t parts = header.metadata.Number("split.count").value_or(files_of_model);
  if (parts == files_of_model || (parts == 0 && files_of_model == 1)) {
    return ReadFile{std::move(header.table), std::move(header.metadata)};
  }
  return Error{
      .kind = ErrorKind::kUsage,
      .problem = "file is one part of a split model",
      .file = file.path(),
      .found = fmt::format("{} parts by the file's metadata", parts),
      .expected = fmt::format("{}", files_of_model),
      .advice = "name the parts NAME-00001-of-00003.gguf and give the first, or the folder"};
}

// By the first bytes; what they do not tell, the name does.
Result<ReadFile> ReadTable(const File& file, size_t files_of_model) {
  constexpr size_t kStartBytes = std::max(kTorchLegacyStartBytes, kArchiveStartBytes);
  std::string start(std::min<uint64_t>(file.size_bytes(), kStartBytes), '\0');
  TG_TRY(file.ReadAt(0, std::as_writable_bytes(std::span(start))));
  const FormatNames* format = FormatOfWeightName(file.path());
  const bool numpy = format != nullptr && format->format == kNumpyFormat;
  // Any file may be called ".bin"; a header of safetensors begins with a brace.
  const bool torch = format != nullptr && format->format == kTorchFormat &&
                     (start.size() <= kLengthFieldBytes || start[kLengthFieldBytes] != '{');
  const ArchiveKind* const archive = ArchiveOfFile(file.path(), start);
  if (archive != nullptr && !(torch && StartsAsTar(start))) {
    return PackedModel(file.path(), *archive);
  }
  TG_ASSIGN(const auto gguf, IsGgufFile(file));
  if (gguf) return ReadGguf(file, files_of_model);
  const bool is_numpy = numpy || start.starts_with(kNumpyMagic);
  const bool is_torch = torch || start.starts_with(kZipMagic) || StartsAsTorchLegacy(start);
  TG_ASSIGN(auto table, is_numpy   ? ReadNumpyTable(file)
                        : is_torch ? ReadTorchTable(file)
                                   : ReadSafetensorsTable(file));
  return ReadFile{std::move(table)};
}

// Without the gaps of a strided tensor, and each element of an expanded one once.
uint64_t StoredBytes(const TensorEntry& entry) {
  if (entry.packed) return entry.packed->end_bytes - entry.packed->begin_bytes;
  const uint64_t range_bytes = entry.data_end_bytes - entry.data_begin_bytes;
  if (entry.strides.empty()) return range_bytes;
  return std::min(range_bytes, entry.element_count * (InfoOf(entry.dtype).bits / 8));
}

struct OpenedFiles {
  std::vector<PooledFile> files;
  std::vector<StoredTensor> tensors;  // sorted by name
  std::optional<GgufMetadata> gguf;   // of the first file
};

Result<OpenedFiles> ReadTables(const std::vector<std::filesystem::path>& paths,
                               const FileStore& files) {
  OpenedFiles opened;
  for (const std::filesystem::path& path : paths) {
    TG_ASSIGN(auto file, files.Open(path));
    TG_ASSIGN(auto contents, ReadTable(*file, paths.size()));
    if (opened.files.empty()) opened.gguf = std::move(contents.gguf);
    for (TensorEntry& entry : contents.table.tensors) {
      opened.tensors.push_back({.info = {.name = std::move(entry.name),
                                         .dtype = entry.dtype,
                                         .shape = std::move(entry.shape),
                                         .element_count = entry.element_count,
                                         .stored_bytes = StoredBytes(entry),
                                         .file = file->path()},
                                .file = opened.files.size(),
                                .data_begin_bytes = entry.data_begin_bytes,
                                .strides = std::move(entry.strides),
                                .packed = entry.packed});
    }
    opened.files.push_back({file->path(), file->size_bytes()});
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

Result<StoredModel> OpenStoredModel(const WeightFiles& found, const FileStorePtr& files) {
  if (IsOnnxName(found.files[0])) {
    TG_ASSIGN(auto weights, OpenOnnxWeights(found.files, {}, files));
    return StoredModel{std::move(weights), {}};
  }
  TG_ASSIGN(auto opened, ReadTables(found.files, *files));
  TG_TRY(CheckNamesUnique(opened.tensors));
  if (found.index) {
    TG_TRY(CheckAgainstIndex(*found.index, opened));
  }
  if (opened.tensors.empty()) {
    return Error{.problem = "model holds no tensors",
                 .file = found.files[0].string(),
                 .advice = "name a file with weights: this one has metadata or a vocabulary alone"};
  }
  auto weights =
      std::make_shared<StoredWeights>(std::move(opened.files), std::move(opened.tensors), files);
  return StoredModel{std::move(weights), std::move(opened.gguf)};
}

Result<std::shared_ptr<const WeightSource>> OpenStoredWeights(const std::filesystem::path& path,
                                                              const FileStorePtr& files) {
  TG_ASSIGN(const auto found, FindWeightFiles(path, *files));
  TG_ASSIGN(auto model, OpenStoredModel(found, files));
  return std::move(model.weights);
}

}  // namespace tensorguard::internal
