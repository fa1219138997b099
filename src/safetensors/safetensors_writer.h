// Writes a safetensors file of any size, block by block.
#ifndef TENSORGUARD_SAFETENSORS_SAFETENSORS_WRITER_H_
#define TENSORGUARD_SAFETENSORS_SAFETENSORS_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/atomic_file.h"
#include "safetensors/dtype.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

struct TensorToWrite {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<uint64_t> shape;  // empty for a scalar
};

// How many its data section holds of the tensor; empty for a size that does not fit.
std::optional<uint64_t> StoredBytes(const TensorToWrite& tensor);

// What stands before the data of a file with these tensors.
struct SafetensorsStart {
  std::string bytes;  // the header's length and the header
  uint64_t data_bytes = 0;
};

// Sorts `tensors` by name (byte order), the order of their data. Errors: what a reader would refuse
// (a name twice or not UTF-8, a size that does not fit, packed elements that do not fill whole
// bytes, a header above the format's cap).
Result<SafetensorsStart> StartOfSafetensors(std::vector<TensorToWrite>& tensors,
                                            const std::map<std::string, std::string>& metadata);

// The same tensors, metadata and data give the same bytes. Until Finish the path holds what it held
// before; a writer that is dropped leaves nothing behind. Not thread-safe.
//
//   auto writer = SafetensorsWriter::Create(path, tensors, {{"format", "pt"}});
//   for (const TensorToWrite& tensor : (*writer)->tensors()) { ... (*writer)->Append(block) ... }
//   auto written = (*writer)->Finish();
class SafetensorsWriter {
 public:
  // Writes the header. Errors: those of StartOfSafetensors and AtomicFile.
  static Result<std::unique_ptr<SafetensorsWriter>> Create(
      const std::filesystem::path& path, std::vector<TensorToWrite> tensors,
      const std::map<std::string, std::string>& metadata = {});

  // Sorted by name (byte order): the order in which Append expects their data.
  const std::vector<TensorToWrite>& tensors() const { return tensors_; }

  // The next bytes of the data section, little-endian and row-major, in blocks of any size.
  // REQUIRES: no more than the tensors have. Errors: kSystem.
  Result<void> Append(std::span<const std::byte> bytes);

  // REQUIRES: called once, when all data is there. Errors: kSystem.
  Result<void> Finish();

 private:
  SafetensorsWriter(std::vector<TensorToWrite> tensors, std::unique_ptr<AtomicFile> file,
                    uint64_t data_bytes);

  std::vector<TensorToWrite> tensors_;
  std::unique_ptr<AtomicFile> file_;
  uint64_t missing_bytes_;  // of the data section
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_SAFETENSORS_SAFETENSORS_WRITER_H_
