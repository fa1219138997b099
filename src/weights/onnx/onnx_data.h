// The numbers of an ONNX model's tensors, in its file or in external data beside it.
#ifndef TENSORGUARD_WEIGHTS_ONNX_ONNX_DATA_H_
#define TENSORGUARD_WEIGHTS_ONNX_ONNX_DATA_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/file_store.h"
#include "formats/onnx/onnx.h"
#include "tensorguard/result.h"
#include "weights/files/file_pool.h"

namespace tensorguard::internal {

// A tensor seen as a matrix of any order and any beginning.
struct OnnxMatrix {
  size_t tensor = 0;
  // 2, 4 or 8: the tensor's bytes hold codes of that many bits without sign, the first in the low
  // bits. 0: elements are what its type says.
  unsigned code_bits = 0;
  uint64_t first_element = 0;
  uint64_t row_stride = 0;  // in elements
  uint64_t column_stride = 1;
};

// Thread-safe.
class OnnxData {
 public:
  // `tensors` are those of the model in `file`. External data must be named by a path that stays
  // inside the file's folder, links followed; only the links of a Hub cache may lead to its blobs.
  // Errors: kNotFound, kBadFile and kUnsupported with file and tensor.
  static Result<std::shared_ptr<const OnnxData>> Open(const std::filesystem::path& file,
                                                      std::vector<OnnxTensor> tensors,
                                                      const FileStorePtr& store = LocalFiles());

  const std::vector<OnnxTensor>& tensors() const { return tensors_; }

  // Path of the file that holds the tensor.
  const std::string& FileOf(size_t tensor) const;

  // Elements in their order. REQUIRES: the range is inside the tensor; no complex numbers. Errors:
  // those of FilePool::Open and File::ReadAt.
  Result<void> Read(size_t tensor, uint64_t first_element, std::span<float> out) const;

  // Elements [first_element, ...) of the matrix in row-major order. REQUIRES: they are inside the
  // tensor; one of the strides is 1, or both are 0 (one number for all). Errors: as Read.
  Result<void> ReadMatrix(const OnnxMatrix& matrix, uint64_t columns, uint64_t first_element,
                          std::span<float> out) const;

 private:
  struct Place {
    std::optional<size_t> file;  // into the pool; else the tensor holds its bytes
    uint64_t begin_bytes = 0;
  };

  OnnxData(std::vector<OnnxTensor> tensors, std::vector<Place> places,
           std::vector<PooledFile> files, FileStorePtr store);

  Result<void> ReadBytes(size_t tensor, uint64_t first_byte, std::span<std::byte> out) const;
  Result<void> ReadRun(const OnnxMatrix& matrix, uint64_t first_element,
                       std::span<float> out) const;

  std::vector<OnnxTensor> tensors_;
  std::vector<Place> places_;  // of tensors_, in the same order
  FilePool files_;
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_ONNX_ONNX_DATA_H_
