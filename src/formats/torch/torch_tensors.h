// Tensors as a pickle of PyTorch describes them: a storage, and a view of it.
#ifndef TENSORGUARD_FORMATS_TORCH_TORCH_TENSORS_H_
#define TENSORGUARD_FORMATS_TORCH_TORCH_TENSORS_H_

#include <cstdint>
#include <functional>
#include <string>

#include "formats/torch/pickle.h"
#include "safetensors/tensor_layout.h"
#include "safetensors/tensor_table.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// What a persistent id says: ("storage", type, key, device, elements), in the form before zip also
// (view's key, first element, elements) or None.
struct TorchStorage {
  std::string key;
  DType dtype = DType::kU8;
  bool untyped = false;        // bytes, whose type the tensor knows
  uint64_t elements = 0;       // of the whole storage
  uint64_t first_element = 0;  // of the part that is meant
  uint64_t part_elements = 0;
  std::string part_key = {};  // by which the part is known; empty: the storage is meant

  // Of the whole storage; fits in 64 bits.
  uint64_t bytes() const { return elements * (InfoOf(dtype).bits / 8); }
};

// REQUIRES: pickle[ref] is a kPersistent. Errors: kBadFile, kUnsupported, without the file.
Result<TorchStorage> ReadTorchStorage(const Pickle& pickle, PickleRef ref);

// Whether the value is the call that makes a tensor again.
bool IsTorchTensor(const Pickle& pickle, PickleRef ref);

// Whether it is a single number without dimensions: a counter, a loss. REQUIRES: IsTorchTensor.
bool IsTorchScalar(const Pickle& pickle, PickleRef ref);

// Where a storage lies in the file.
using FindTorchStorage = std::function<Result<StorageRange>(const TorchStorage& storage)>;

// The tensor without its name, checked against its storage (PlaceTensor). REQUIRES:
// IsTorchTensor(pickle, ref). Errors: as ReadTorchStorage and `find`.
Result<TensorEntry> ReadTorchTensor(const Pickle& pickle, PickleRef ref,
                                    const FindTorchStorage& find);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FORMATS_TORCH_TORCH_TENSORS_H_
