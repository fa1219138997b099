#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/try.h"
#include "fingerprint/file/fingerprint_checks.h"
#include "fingerprint/file/fingerprint_file.h"
#include "fingerprint/file/fingerprint_tables.h"
#include "fingerprint/file/manifest.h"
#include "fingerprint/file/stored_numbers.h"
#include "fingerprint/kernels/kernel_algebra.h"
#include "fingerprint/screening.h"
#include "safetensors/safetensors.h"

namespace tensorguard::internal {
namespace {

constexpr std::string_view kVersionKey = "tensorguard.fingerprint";
constexpr std::string_view kIndexKey = "tensorguard.index";

std::string DigestIn(const TensorTable& table) {
  const auto found = table.metadata.find(kScreeningDigestKey);
  return found == table.metadata.end() ? std::string() : found->second;
}

Result<void> CheckDigest(std::span<const int8_t> numbers, const std::string& digest) {
  const std::string found = ScreeningDigest(numbers);
  if (found == digest) return {};
  return Error{.kind = ErrorKind::kBadFile,
               .problem = "the screening signature is not the one whose digest the file has",
               .tensor = kScreeningTensor,
               .found = found,
               .expected = digest.empty() ? "a digest in the metadata" : digest,
               .advice = "make the fingerprint again"};
}

class Decoding : public TableVisitor {
 public:
  Decoding(const TensorTable& table, const ReadBytes& read) : read_(read) {
    for (const TensorEntry& entry : table.tensors) entries_[entry.name] = &entry;
  }

  void Words(const std::string& name, const std::vector<std::vector<uint32_t>*>& items) override {
    if (items.empty()) return;
    uint64_t count = 0;
    for (const auto* item : items) count += item->size();
    std::vector<uint32_t> all(count);
    Read<uint32_t>(name, DType::kU32, {count}, all);
    auto next = all.begin();
    for (auto* item : items) {
      std::copy_n(next, item->size(), item->begin());
      next += std::ssize(*item);
    }
  }

  void Steps(const std::string& name, float step, const std::vector<FloatMatrix*>& items) override {
    if (items.empty()) return;
    uint64_t rows = 0;
    for (const FloatMatrix* item : items) rows += item->rows();
    const uint64_t columns = items[0]->columns();
    std::vector<int8_t> all(rows * columns);
    Read<int8_t>(name, DType::kI8, {rows, columns}, all);
    auto next = all.begin();
    for (FloatMatrix* item : items) {
      for (float& value : item->values()) value = FromStep(step, *next++);
    }
  }

  void ByteRows(const std::string& name, const std::vector<FloatMatrix*>& items) override {
    if (items.empty()) return;
    const uint64_t rows = items[0]->rows();
    const uint64_t columns = items[0]->columns();
    std::vector<int8_t> bytes(items.size() * rows * columns);
    std::vector<float> scales(items.size() * rows);
    Read<int8_t>(name, DType::kI8, {items.size(), rows, columns}, bytes);
    Read<float>(name + ".scale", DType::kF32, {items.size(), rows}, scales);
    if (problem_) return;
    const std::span<const int8_t> all(bytes);
    for (size_t i = 0; i < scales.size(); ++i) {
      const auto row = all.subspan(i * columns, columns);
      FromByteRow(scales[i], row, items[i / rows]->Row(i % rows));
    }
    CheckNumbers(name, items, scales);
  }

  void Halves(const std::string& name, const std::vector<FloatMatrix*>& items) override {
    if (items.empty()) return;
    const uint64_t size = items[0]->values().size();
    std::vector<uint16_t> halves(items.size() * size);
    std::vector<float> scales(items.size());
    Read<uint16_t>(name, DType::kF16, {items.size(), items[0]->rows(), items[0]->columns()},
                   halves);
    Read<float>(name + ".scale", DType::kF32, {items.size()}, scales);
    if (problem_) return;
    const std::span<const uint16_t> all(halves);
    for (size_t i = 0; i < items.size(); ++i) {
      FromHalfBlock(scales[i], all.subspan(i * size, size), items[i]->values());
    }
    CheckNumbers(name, items, scales);
  }

  void Doubles(const std::string& name, const std::vector<double*>& values) override {
    if (values.empty()) return;
    std::vector<double> numbers(values.size());
    Read<double>(name, DType::kF64, {values.size()}, numbers);
    for (size_t i = 0; i < values.size(); ++i) *values[i] = numbers[i];
  }

  void Floats(const std::string& name, const std::vector<std::span<float>>& items) override {
    ReadItems<float>(name, DType::kF32, items);
  }

  void Bytes(const std::string& name, const std::vector<std::span<uint8_t>>& items) override {
    ReadItems<uint8_t>(name, DType::kU8, items);
  }

  // As many layers as the index has, and the numbers that the digest is of.
  void Screening(const std::string& digest, size_t layers) {
    std::vector<int8_t> numbers(layers * kScreenedParts * kScreeningLength);
    if (layers > 0) {
      Read<int8_t>(kScreeningTensor, DType::kI8, {layers, kScreenedParts, kScreeningLength},
                   numbers);
    }
    if (problem_) return;
    if (auto checked = CheckDigest(numbers, digest); !checked) problem_ = checked.error();
  }

  // The first problem; an error, too, if the file has a tensor that was not read.
  Result<void> Finish() {
    if (problem_) return *std::move(problem_);
    if (entries_.empty()) return {};
    return Error{.kind = ErrorKind::kBadFile,
                 .problem = "a fingerprint of this version has no such tensor",
                 .tensor = entries_.begin()->first};
  }

 private:
  template <typename T>
  void ReadItems(const std::string& name, DType dtype, const std::vector<std::span<T>>& items) {
    if (items.empty()) return;
    const uint64_t width = items[0].size();
    std::vector<T> values(items.size() * width);
    Read<T>(name, dtype, {items.size(), width}, values);
    for (size_t i = 0; i < items.size(); ++i) {
      std::copy_n(values.begin() + static_cast<ptrdiff_t>(i * width), width, items[i].begin());
    }
  }

  template <typename T>
  void Read(const std::string& name, DType dtype, const std::vector<uint64_t>& shape,
            std::vector<T>& values) {
    if (problem_) return;
    const auto found = entries_.find(name);
    if (found == entries_.end()) {
      problem_ = Error{.kind = ErrorKind::kNotFound,
                       .problem = "the fingerprint lacks a tensor",
                       .tensor = name};
      return;
    }
    const TensorEntry& entry = *found->second;
    entries_.erase(found);
    if (entry.dtype != dtype || entry.shape != shape) {
      const auto described = [](DType type, const std::vector<uint64_t>& dimensions) {
        return fmt::format("{} [{}]", InfoOf(type).name, fmt::join(dimensions, ", "));
      };
      problem_ = Error{.kind = ErrorKind::kBadFile,
                       .problem = "the tensor does not fit the index",
                       .tensor = name,
                       .found = described(entry.dtype, entry.shape),
                       .expected = described(dtype, shape)};
      return;
    }
    auto read = read_(entry.data_begin_bytes, std::as_writable_bytes(std::span(values)));
    if (!read) problem_ = std::move(read).error().InTensor(name);
  }

  void CheckNumbers(const std::string& name, const std::vector<FloatMatrix*>& items,
                    std::span<const float> scales) {
    const bool negative =
        std::any_of(scales.begin(), scales.end(), [](float scale) { return !(scale >= 0); });
    const bool finite = std::all_of(items.begin(), items.end(),
                                    [](const FloatMatrix* item) { return CanBeStored(*item); });
    if (finite && !negative) return;
    problem_ = Error{.kind = ErrorKind::kBadFile,
                     .problem = negative ? "a scale is not a positive number"
                                         : "a number is not finite, or near the end of float32",
                     .tensor = name};
  }

  const ReadBytes& read_;
  std::map<std::string, const TensorEntry*> entries_;  // not read yet
  std::optional<Error> problem_;
};

Result<void> CheckVersion(const TensorTable& table) {
  const auto version = table.metadata.find(std::string(kVersionKey));
  if (version == table.metadata.end()) {
    return Error{.kind = ErrorKind::kBadFile,
                 .problem = "not a fingerprint file",
                 .found = "a safetensors file without it",
                 .expected = fmt::format("\"{}\" in its metadata", kVersionKey),
                 .advice = "make one with 'tensorguard fingerprint MODEL'"};
  }
  const std::string& text = version->second;
  int number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc() || end != text.data() + text.size() || number < 1) {
    return Error{.kind = ErrorKind::kBadFile,
                 .problem = "the fingerprint's version is no number",
                 .found = text};
  }
  if (number == kFingerprintVersion) return {};
  if (number < kFingerprintVersion) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "the fingerprint is of an older version than this program reads",
                 .found = fmt::format("version {}", number),
                 .expected = fmt::format("version {}", kFingerprintVersion),
                 .advice = "make the fingerprint again with 'tensorguard fingerprint MODEL'"};
  }
  return Error{.kind = ErrorKind::kUnsupported,
               .problem = "the fingerprint is of a newer version than this program reads",
               .found = fmt::format("version {}", number),
               .expected = fmt::format("version {}", kFingerprintVersion),
               .advice = "use a newer tensorguard, or make the fingerprint again with this one"};
}

}  // namespace

Result<bool> HoldsFingerprint(const std::filesystem::path& path) {
  TG_ASSIGN(const auto file, File::Open(path));
  TG_ASSIGN(const auto table, ReadSafetensorsTable(*file));
  return table.metadata.contains(std::string(kVersionKey));
}

Result<Fingerprint> DecodeFingerprint(const TensorTable& table, uint64_t file_bytes,
                                      const ReadBytes& read) {
  TG_TRY(CheckVersion(table));
  const auto index = table.metadata.find(std::string(kIndexKey));
  if (index == table.metadata.end()) {
    return Error{.kind = ErrorKind::kBadFile,
                 .problem = "the fingerprint has no index",
                 .expected = fmt::format("\"{}\" in its metadata", kIndexKey)};
  }
  auto fingerprint = IndexFromText(index->second, file_bytes);
  if (!fingerprint) return std::move(fingerprint).error();
  Decoding decoding(table, read);
  VisitTables(*fingerprint, decoding);
  decoding.Screening(DigestIn(table), fingerprint->layers.size());
  TG_TRY(decoding.Finish());
  TG_TRY(CheckFingerprint(*fingerprint));
  return fingerprint;
}

namespace {

// Bytes in memory as a file. `bytes` must outlive it; `name` stands for a path in errors.
class BytesFile final : public File {
 public:
  BytesFile(std::string name, std::span<const std::byte> bytes)
      : File(std::move(name), bytes.size()), bytes_(bytes) {}

  Result<void> ReadAt(uint64_t offset_bytes, std::span<std::byte> out) const override {
    if (offset_bytes > bytes_.size() || out.size() > bytes_.size() - offset_bytes) {
      return Error{
          .kind = ErrorKind::kBadFile, .problem = "file ends while being read", .file = path()};
    }
    if (!out.empty()) std::memcpy(out.data(), bytes_.data() + offset_bytes, out.size());
    return {};
  }

 private:
  std::span<const std::byte> bytes_;
};

Result<Fingerprint> ReadFrom(const File& file) {
  TG_ASSIGN(const auto table, ReadSafetensorsTable(file));
  auto fingerprint = DecodeFingerprint(table, file.size_bytes(),
                                       [&](uint64_t offset_bytes, std::span<std::byte> out) {
                                         return file.ReadAt(offset_bytes, out);
                                       });
  if (!fingerprint) return std::move(fingerprint).error().InFile(file.path());
  return fingerprint;
}

}  // namespace

Result<Fingerprint> ReadFingerprint(const std::filesystem::path& path) {
  TG_ASSIGN(const auto file, File::Open(path));
  return ReadFrom(*file);
}

Result<Fingerprint> ReadFingerprintBytes(std::span<const std::byte> bytes,
                                         const std::string& name) {
  return ReadFrom(BytesFile(name, bytes));
}

namespace {

Result<ScreeningSignature> ReadScreeningFrom(const File& file) {
  TG_ASSIGN(const auto table, ReadSafetensorsTable(file));
  const auto in_file = [&](Error error) { return std::move(error).InFile(file.path()); };
  if (auto version = CheckVersion(table); !version) return in_file(version.error());
  std::vector<int8_t> numbers;
  const auto entry = std::ranges::find(table.tensors, kScreeningTensor, &TensorEntry::name);
  if (entry != table.tensors.end()) {
    const std::vector<uint64_t>& shape = entry->shape;
    if (entry->dtype != DType::kI8 || shape.size() != 3 || shape[0] == 0 ||
        shape[0] > kMostLayers || shape[1] != kScreenedParts || shape[2] != kScreeningLength) {
      return in_file(
          {.kind = ErrorKind::kBadFile,
           .problem = "the screening signature has another shape",
           .tensor = kScreeningTensor,
           .found = fmt::format("{} [{}]", InfoOf(entry->dtype).name, fmt::join(shape, ", ")),
           .expected = fmt::format("I8 [layers, {}, {}]", kScreenedParts, kScreeningLength)});
    }
    numbers.resize(entry->element_count);
    auto read = file.ReadAt(entry->data_begin_bytes, std::as_writable_bytes(std::span(numbers)));
    if (!read) return std::move(read).error().InTensor(kScreeningTensor);
  }
  if (auto checked = CheckDigest(numbers, DigestIn(table)); !checked) {
    return in_file(checked.error());
  }
  return ScreeningSignature(std::move(numbers));
}

}  // namespace

Result<ScreeningSignature> ReadScreening(const std::filesystem::path& path) {
  TG_ASSIGN(const auto file, File::Open(path));
  return ReadScreeningFrom(*file);
}

Result<ScreeningSignature> ReadScreeningBytes(std::span<const std::byte> bytes,
                                              const std::string& name) {
  return ReadScreeningFrom(BytesFile(name, bytes));
}

}  // namespace tensorguard::internal
