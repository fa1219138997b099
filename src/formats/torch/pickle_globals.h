// The names that a pickle may mention, and what each stands for here. No other is let in.
#ifndef TENSORGUARD_FORMATS_TORCH_PICKLE_GLOBALS_H_
#define TENSORGUARD_FORMATS_TORCH_PICKLE_GLOBALS_H_

#include <string_view>

#include "safetensors/dtype.h"

namespace tensorguard::internal {

enum class GlobalRole {
  kTensor,          // torch._utils._rebuild_tensor and _v2: of a storage
  kTensorV3,        // with its dtype beside an untyped storage
  kParameter,       // around a tensor
  kFromType,        // a function, a class and the function's arguments
  kStorage,         // a class of storages, of `dtype`
  kUntypedStorage,  // of bytes
  kDtype,           // torch.float32
  kMapping,         // OrderedDict and its like
  kSequence,        // torch.Size: what it is called with
  kOpaque,          // never looked into: no tensor comes out of it
};

struct PickleGlobal {
  std::string_view module;
  std::string_view name;
  GlobalRole role;
  DType dtype = DType::kU8;
};

// Null for every name that is not on the list.
const PickleGlobal* FindPickleGlobal(std::string_view module, std::string_view name);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FORMATS_TORCH_PICKLE_GLOBALS_H_
