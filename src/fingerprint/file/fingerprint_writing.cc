#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/atomic_file.h"
#include "base/try.h"
#include "fingerprint/file/fingerprint_file.h"
#include "fingerprint/file/fingerprint_tables.h"
#include "fingerprint/file/manifest.h"
#include "fingerprint/file/stored_numbers.h"
#include "fingerprint/screening.h"
#include "fingerprint/stored_fingerprint.h"
#include "safetensors/safetensors_writer.h"

namespace tensorguard::internal {
namespace {

struct EncodedTensor {
  DType dtype;
  std::vector<uint64_t> shape;
  std::vector<std::byte> bytes;
};

template <typename T>
void AppendBytes(std::span<const T> values, std::vector<std::byte>& bytes) {
  const auto raw = std::as_bytes(values);
  bytes.insert(bytes.end(), raw.begin(), raw.end());
}

class Encoding : public TableVisitor {
 public:
  const std::map<std::string, EncodedTensor>& tensors() const { return tensors_; }

  void AddScreening(const ScreeningSignature& screening) {
    if (screening.layers() == 0) return;
    AppendBytes(screening.numbers(), Add(kScreeningTensor, DType::kI8,
                                         {screening.layers(), kScreenedParts, kScreeningLength}));
  }

  void Words(const std::string& name, const std::vector<std::vector<uint32_t>*>& items) override {
    if (items.empty()) return;
    uint64_t count = 0;
    for (const auto* item : items) count += item->size();
    auto& bytes = Add(name, DType::kU32, {count});
    for (const auto* item : items) AppendBytes<uint32_t>(*item, bytes);
  }

  void Steps(const std::string& name, float step, const std::vector<FloatMatrix*>& items) override {
    if (items.empty()) return;
    uint64_t rows = 0;
    for (const FloatMatrix* item : items) rows += item->rows();
    auto& bytes = Add(name, DType::kI8, {rows, items[0]->columns()});
    for (const FloatMatrix* item : items) {
      for (const float value : item->values()) {
        const int8_t stored = ToStep(step, value);
        AppendBytes<int8_t>({&stored, 1}, bytes);
      }
    }
  }

  void ByteRows(const std::string& name, const std::vector<FloatMatrix*>& items) override {
    if (items.empty()) return;
    const uint64_t rows = items[0]->rows();
    auto& bytes = Add(name, DType::kI8, {items.size(), rows, items[0]->columns()});
    auto& scales = Add(name + ".scale", DType::kF32, {items.size(), rows});
    for (const FloatMatrix* item : items) {
      for (size_t row = 0; row < rows; ++row) {
        const ByteRow stored = ToByteRow(item->Row(row));
        AppendBytes<int8_t>(stored.bytes, bytes);
        AppendBytes<float>({&stored.scale, 1}, scales);
      }
    }
  }

  void Halves(const std::string& name, const std::vector<FloatMatrix*>& items) override {
    if (items.empty()) return;
    auto& halves = Add(name, DType::kF16, {items.size(), items[0]->rows(), items[0]->columns()});
    auto& scales = Add(name + ".scale", DType::kF32, {items.size()});
    for (const FloatMatrix* item : items) {
      const HalfBlock stored = ToHalfBlock(item->values());
      AppendBytes<uint16_t>(stored.halves, halves);
      AppendBytes<float>({&stored.scale, 1}, scales);
    }
  }

  void Doubles(const std::string& name, const std::vector<double*>& values) override {
    if (values.empty()) return;
    auto& bytes = Add(name, DType::kF64, {values.size()});
    for (const double* value : values) AppendBytes<double>({value, 1}, bytes);
  }

  void Floats(const std::string& name, const std::vector<std::span<float>>& items) override {
    if (items.empty()) return;
    auto& bytes = Add(name, DType::kF32, {items.size(), items[0].size()});
    for (const auto& item : items) AppendBytes<float>(item, bytes);
  }

  void Bytes(const std::string& name, const std::vector<std::span<uint8_t>>& items) override {
    if (items.empty()) return;
    auto& bytes = Add(name, DType::kU8, {items.size(), items[0].size()});
    for (const auto& item : items) AppendBytes<uint8_t>(item, bytes);
  }

 private:
  // References into a map stay valid.
  std::vector<std::byte>& Add(const std::string& name, DType dtype, std::vector<uint64_t> shape) {
    return (tensors_[name] = {dtype, std::move(shape), {}}).bytes;
  }

  std::map<std::string, EncodedTensor> tensors_;
};

}  // namespace

Result<std::vector<std::byte>> EncodeFingerprint(const Fingerprint& fingerprint) {
  if (fingerprint.quick) {
    return Error{.kind = ErrorKind::kUsage,
                 .problem = "a quick fingerprint holds a part of the model and is not kept"};
  }
  Encoding encoding;
  Fingerprint copy = fingerprint;  // visitors may change what they visit; this one does not
  VisitTables(copy, encoding);
  std::vector<TensorToWrite> tensors;
  const ScreeningSignature screening = ScreeningOf(AsStored(std::move(copy)));
  encoding.AddScreening(screening);
  for (const auto& [name, tensor] : encoding.tensors()) {
    tensors.push_back({.name = name, .dtype = tensor.dtype, .shape = tensor.shape});
  }
  TG_ASSIGN(
      const auto start,
      StartOfSafetensors(tensors, {{"tensorguard.fingerprint", std::to_string(kFingerprintVersion)},
                                   {"tensorguard.index", IndexToText(fingerprint)},
                                   {kScreeningDigestKey, ScreeningDigest(screening.numbers())}}));
  std::vector<std::byte> bytes;
  bytes.reserve(start.bytes.size() + start.data_bytes);
  AppendBytes<char>(start.bytes, bytes);
  for (const auto& [name, tensor] : encoding.tensors()) {
    bytes.insert(bytes.end(), tensor.bytes.begin(), tensor.bytes.end());
  }
  return bytes;
}

Result<void> WriteFingerprint(const Fingerprint& fingerprint, const std::filesystem::path& path) {
  const auto bytes = EncodeFingerprint(fingerprint);
  if (!bytes) return Error(bytes.error()).InFile(path.string());
  TG_ASSIGN(const auto file, AtomicFile::Create(path));
  TG_TRY(file->Append(*bytes));
  return file->Commit();
}

}  // namespace tensorguard::internal
