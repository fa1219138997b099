// Weights and small files that lie in memory.
#ifndef TENSORGUARD_TRANSFORM_MEMORY_MODEL_H_
#define TENSORGUARD_TRANSFORM_MEMORY_MODEL_H_

#include <map>
#include <string>
#include <vector>

#include "base/file_store.h"
#include "transform/decoder_model.h"
#include "weights/weight_source.h"

namespace tensorguard::internal {

class TensorsInMemory : public WeightSource {
 public:
  // REQUIRES: sorted by name, names unique; values that the tensors' types can hold.
  explicit TensorsInMemory(std::vector<NamedTensor> tensors);

  const std::vector<TensorInfo>& tensors() const override { return infos_; }
  Result<void> ReadFloat32(size_t tensor_index, uint64_t first_element,
                           std::span<float> out) const override;
  bool IsBFloat16(size_t tensor_index) const override;
  Result<void> ReadBFloat16(size_t tensor_index, uint64_t first_element,
                            std::span<BFloat16> out) const override;

 private:
  std::vector<NamedTensor> tensors_;
  std::vector<TensorInfo> infos_;
};

// One folder, whatever its path, that holds these files.
FileStorePtr FilesInMemory(std::map<std::string, std::string> contents);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TRANSFORM_MEMORY_MODEL_H_
