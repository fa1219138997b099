#include "weights/onnx/onnx_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cstring>
#include <map>
#include <utility>

#include "base/checked.h"
#include "base/folder_of.h"
#include "base/try.h"
#include "weights/elements/element_types.h"
#include "weights/files/links.h"
#include "weights/files/strided_read.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostOpenFiles = 64;
// Decoded at a time. A multiple of every group.
constexpr size_t kBlockElements = 16384;

Result<fs::path> ExternalPath(const FileStorePtr& store, const fs::path& model_file,
                              const std::string& location) {
  const fs::path folder = FolderOf(model_file);
  const fs::path relative(location);
  const bool climbs = std::find(relative.begin(), relative.end(), "..") != relative.end();
  if (relative.is_absolute() || climbs || location.find('\0') != location.npos) {
    return Error{.problem = "external data lies outside of the model's folder",
                 .found = location,
                 .expected = "a path below the folder without \"..\""};
  }
  fs::path path = folder / relative;
  TG_ASSIGN(const auto exists, store->Exists(path));
  if (!exists) {
    return Error{.kind = ErrorKind::kNotFound,
                 .problem = "file of external data is missing",
                 .found = location,
                 .advice = "fetch it from where the model is from, and put it beside the model"};
  }
  if (LeadsOutOf(folder, path)) {
    return Error{.problem = "external data is a link that leads out of the model's folder",
                 .found = location};
  }
  return path;
}

// Opens each file of external data once.
class FileList {
 public:
  FileList(fs::path model_file, FileStorePtr store)
      : model_file_(std::move(model_file)), store_(std::move(store)) {}

  Result<size_t> AddModel() { return Add(model_file_); }

  Result<size_t> AddExternal(const std::string& location) {
    const auto known = known_.find(location);
    if (known != known_.end()) return known->second;
    TG_ASSIGN(const auto path, ExternalPath(store_, model_file_, location));
    auto index = Add(path);
    if (index) known_.emplace(location, *index);
    return index;
  }

  std::vector<PooledFile> files;

 private:
  Result<size_t> Add(const fs::path& path) {
    TG_ASSIGN(const auto file, store_->Open(path));
    files.push_back({file->path(), file->size_bytes()});
    return files.size() - 1;
  }

  fs::path model_file_;
  FileStorePtr store_;
  std::map<std::string, size_t> known_;
};

Result<void> CheckExternalRange(const OnnxTensor& tensor, const OnnxExternalData& data,
                                const PooledFile& file) {
  const auto end = CheckedAdd(data.begin_bytes, tensor.data_bytes);
  if (end && *end <= file.size_bytes) return {};
  return Error{.problem = "external data ends past the end of its file",
               .file = file.path,
               .byte_offset = data.begin_bytes,
               .found = fmt::format("{} bytes from {} on", tensor.data_bytes, data.begin_bytes),
               .expected = fmt::format("an end of at most {}", file.size_bytes),
               .advice = "fetch the file again; the download was probably cut short"};
}

float SignedNibble(float code) { return code >= 8 ? code - 16 : code; }

// Codes of `bits` from `bytes`, from code `first` of the bytes on.
void Unpack(std::span<const std::byte> bytes, unsigned bits, uint64_t first, std::span<float> out) {
  const unsigned mask = (1u << bits) - 1;
  for (size_t i = 0; i < out.size(); ++i) {
    const uint64_t bit = (first + i) * bits;
    out[i] = static_cast<float>(std::to_integer<unsigned>(bytes[bit / 8]) >> bit % 8 & mask);
  }
}

}  // namespace

OnnxData::OnnxData(std::vector<OnnxTensor> tensors, std::vector<Place> places,
                   std::vector<PooledFile> files, FileStorePtr store)
    : tensors_(std::move(tensors)),
      places_(std::move(places)),
      files_(std::move(files), std::move(store), kMostOpenFiles) {}

Result<std::shared_ptr<const OnnxData>> OnnxData::Open(const fs::path& file,
                                                       std::vector<OnnxTensor> tensors,
                                                       const FileStorePtr& store) {
  FileList list(file, store);
  TG_ASSIGN(const auto model, list.AddModel());
  std::vector<Place> places;
  for (const OnnxTensor& tensor : tensors) {
    Place place;
    if (const auto* data = std::get_if<OnnxInlineData>(&tensor.data)) {
      place = {.file = model, .begin_bytes = data->begin_bytes};
    } else if (const auto* external = std::get_if<OnnxExternalData>(&tensor.data)) {
      const auto index = list.AddExternal(external->location);
      if (!index) return Error(index.error()).InFile(file.string()).InTensor(tensor.name);
      auto checked = CheckExternalRange(tensor, *external, list.files[*index]);
      if (!checked) return std::move(checked).error().InTensor(tensor.name);
      place = {.file = *index, .begin_bytes = external->begin_bytes};
    }
    places.push_back(place);
  }
  return std::shared_ptr<const OnnxData>(
      new OnnxData(std::move(tensors), std::move(places), std::move(list.files), store));
}

const std::string& OnnxData::FileOf(size_t tensor) const {
  return files_.file(places_[tensor].file.value_or(0)).path;
}

Result<void> OnnxData::ReadBytes(size_t tensor, uint64_t first_byte,
                                 std::span<std::byte> out) const {
  const Place& place = places_[tensor];
  if (!place.file) {
    const auto& bytes = std::get<std::string>(tensors_[tensor].data);
    std::memcpy(out.data(), bytes.data() + first_byte, out.size());
    return {};
  }
  TG_ASSIGN(auto file, files_.Open(*place.file));
  return file->ReadAt(place.begin_bytes + first_byte, out);
}

// Elements that lie one after the other, from `first_element` of the tensor on.
Result<void> OnnxData::ReadRun(const OnnxMatrix& matrix, uint64_t first_element,
                               std::span<float> out) const {
  const OnnxTensor& tensor = tensors_[matrix.tensor];
  const unsigned bits = tensor.nibbles != OnnxNibbles::kNone ? 4 : matrix.code_bits;
  const unsigned group = bits != 0 ? 8 / bits : ElementsPerGroup(tensor.dtype);
  const unsigned group_bytes = bits != 0 ? 1 : BytesPerGroup(tensor.dtype);
  const size_t most = std::min(kBlockElements, out.size() + 2 * group);
  std::vector<std::byte> bytes(most / group * group_bytes + group_bytes);
  std::vector<float> decoded(bits != 0 ? 0 : bytes.size() / group_bytes * group);
  while (!out.empty()) {
    const uint64_t skipped = first_element % group;
    const size_t taken = std::min<size_t>(out.size(), kBlockElements - group);
    const uint64_t groups = (skipped + taken + group - 1) / group;
    const auto stored = std::span(bytes).first(groups * group_bytes);
    auto read = ReadBytes(matrix.tensor, first_element / group * group_bytes, stored);
    if (!read) return read;
    if (bits != 0) {
      Unpack(stored, bits, skipped, out.first(taken));
    } else {
      const auto numbers = std::span(decoded).first(groups * group);
      DecodeToFloat32(tensor.dtype, stored, numbers);
      std::copy_n(numbers.begin() + static_cast<std::ptrdiff_t>(skipped), taken, out.begin());
    }
    if (tensor.nibbles == OnnxNibbles::kSigned) {
      std::transform(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(taken), out.begin(),
                     SignedNibble);
    }
    out = out.subspan(taken);
    first_element += taken;
  }
  return {};
}

Result<void> OnnxData::Read(size_t tensor, uint64_t first_element, std::span<float> out) const {
  return ReadRun({.tensor = tensor}, first_element, out);
}

Result<void> OnnxData::ReadMatrix(const OnnxMatrix& matrix, uint64_t columns,
                                  uint64_t first_element, std::span<float> out) const {
  if (out.empty()) return {};
  if (matrix.column_stride == 1 && matrix.row_stride == columns) {
    return ReadRun(matrix, matrix.first_element + first_element, out);
  }
  if (matrix.row_stride == 0 && matrix.column_stride == 0) {
    float number = 0;
    auto read = ReadRun(matrix, matrix.first_element, std::span(&number, 1));
    std::fill(out.begin(), out.end(), number);
    return read;
  }
  const OnnxTensor& tensor = tensors_[matrix.tensor];
  const uint64_t end = first_element + out.size();
  const uint64_t first_row = first_element / columns;
  const uint64_t end_row = (end + columns - 1) / columns;
  if (matrix.column_stride == 1 || columns == 1) {
    for (uint64_t row = first_row; row < end_row; ++row) {
      const uint64_t begin = std::max(first_element, row * columns);
      const uint64_t count = std::min(end, (row + 1) * columns) - begin;
      auto read =
          ReadRun(matrix, matrix.first_element + row * matrix.row_stride + begin - row * columns,
                  out.subspan(begin - first_element, count));
      if (!read) return read;
    }
    return {};
  }
  const Place& place = places_[matrix.tensor];
  const bool whole_bytes = matrix.code_bits == 0 && tensor.nibbles == OnnxNibbles::kNone &&
                           InfoOf(tensor.dtype).bits % 8 == 0;
  if (place.file && whole_bytes) {
    const unsigned element_bytes = InfoOf(tensor.dtype).bits / 8;
    TG_ASSIGN(auto file, files_.Open(*place.file));
    const StridedTensor strided = {
        .begin_bytes = place.begin_bytes + matrix.first_element * element_bytes,
        .element_bytes = element_bytes,
        .shape = {end_row, columns},
        .strides = {matrix.row_stride, matrix.column_stride}};
    std::vector<std::byte> bytes(out.size() * element_bytes);
    auto read = ReadStrided(*file, strided, first_element, bytes);
    if (read) DecodeToFloat32(tensor.dtype, bytes, out);
    return read;
  }
  // A column at a time: its elements of these rows are neighbours.
  assert(matrix.row_stride == 1);
  std::vector<float> part(end_row - first_row);
  for (uint64_t column = 0; column < columns; ++column) {
    auto read =
        ReadRun(matrix, matrix.first_element + first_row + column * matrix.column_stride, part);
    if (!read) return read;
    for (uint64_t row = first_row; row < end_row; ++row) {
      const uint64_t element = row * columns + column;
      if (element >= first_element && element < end) {
        out[element - first_element] = part[row - first_row];
      }
    }
  }
  return {};
}

}  // namespace tensorguard::internal
