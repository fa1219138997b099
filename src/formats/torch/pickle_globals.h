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
  kTensorClass,     // named beside a tensor; to call it would make one in a way that is not read
  kMapping,         // OrderedDict and dict
  kDefaultMapping,  // defaultdict: first what makes a missing value
  kCounter,         // counts what it is called with, but for a dictionary
  kSequence,        // torch.Size: a tuple of what it is called with
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
