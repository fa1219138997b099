#include "formats/torch/pickle_globals.h"

#include <algorithm>
#include <array>

namespace tensorguard::internal {
namespace {

using enum GlobalRole;

// As torch.save writes them (torch/_utils.py, torch/_tensor.py, torch/storage.py), and what lies
// beside tensors in published checkpoints: settings, counters, states of random generators.
constexpr std::array kGlobals = std::to_array<PickleGlobal>({
    {"torch._utils", "_rebuild_tensor", kTensor},
    {"torch._utils", "_rebuild_tensor_v2", kTensor},
    {"torch._utils", "_rebuild_tensor_v3", kTensorV3},
    {"torch._utils", "_rebuild_parameter", kParameter},
    {"torch._utils", "_rebuild_parameter_with_state", kParameter},
    {"torch._tensor", "_rebuild_from_type_v2", kFromType},
    {"torch", "DoubleStorage", kStorage, DType::kF64},
    {"torch", "FloatStorage", kStorage, DType::kF32},
    {"torch", "HalfStorage", kStorage, DType::kF16},
    {"torch", "BFloat16Storage", kStorage, DType::kBF16},
    {"torch", "LongStorage", kStorage, DType::kI64},
    {"torch", "IntStorage", kStorage, DType::kI32},
    {"torch", "ShortStorage", kStorage, DType::kI16},
    {"torch", "CharStorage", kStorage, DType::kI8},
    {"torch", "ByteStorage", kStorage, DType::kU8},
    {"torch", "BoolStorage", kStorage, DType::kBool},
    {"torch", "ComplexFloatStorage", kStorage, DType::kC64},
    {"torch", "UntypedStorage", kUntypedStorage},
    {"torch.storage", "UntypedStorage", kUntypedStorage},
    {"torch.storage", "_UntypedStorage", kUntypedStorage},
    {"torch", "float64", kDtype, DType::kF64},
    {"torch", "float32", kDtype, DType::kF32},
    {"torch", "float16", kDtype, DType::kF16},
    {"torch", "bfloat16", kDtype, DType::kBF16},
    {"torch", "int64", kDtype, DType::kI64},
    {"torch", "int32", kDtype, DType::kI32},
    {"torch", "int16", kDtype, DType::kI16},
    {"torch", "int8", kDtype, DType::kI8},
    {"torch", "uint8", kDtype, DType::kU8},
    {"torch", "uint16", kDtype, DType::kU16},
    {"torch", "uint32", kDtype, DType::kU32},
    {"torch", "uint64", kDtype, DType::kU64},
    {"torch", "bool", kDtype, DType::kBool},
    {"torch", "complex64", kDtype, DType::kC64},
    {"torch", "float8_e4m3fn", kDtype, DType::kF8E4M3},
    {"torch", "float8_e5m2", kDtype, DType::kF8E5M2},
    {"torch", "float8_e4m3fnuz", kDtype, DType::kF8E4M3Fnuz},
    {"torch", "float8_e5m2fnuz", kDtype, DType::kF8E5M2Fnuz},
    {"torch", "float8_e8m0fnu", kDtype, DType::kF8E8M0},
    {"collections", "OrderedDict", kMapping},
    {"collections", "defaultdict", kDefaultMapping},
    {"collections", "Counter", kCounter},
    {"__builtin__", "dict", kMapping},
    {"builtins", "dict", kMapping},
    {"torch", "Size", kSequence},
    {"torch", "Tensor", kTensorClass},
    {"torch.nn.parameter", "Parameter", kTensorClass},
    {"torch.nn.parameter", "Buffer", kTensorClass},
    {"torch", "device", kOpaque},
    {"torch", "Generator", kOpaque},
    {"torch.serialization", "_get_layout", kOpaque},
    {"argparse", "Namespace", kOpaque},
    {"types", "SimpleNamespace", kOpaque},
    {"pathlib", "PosixPath", kOpaque},
    {"pathlib", "PurePosixPath", kOpaque},
    {"pathlib", "WindowsPath", kOpaque},
    {"datetime", "datetime", kOpaque},
    {"datetime", "timedelta", kOpaque},
    {"_codecs", "encode", kOpaque},
    {"numpy.core.multiarray", "scalar", kOpaque},
    {"numpy.core.multiarray", "_reconstruct", kOpaque},
    {"numpy._core.multiarray", "scalar", kOpaque},
    {"numpy._core.multiarray", "_reconstruct", kOpaque},
    {"numpy", "ndarray", kOpaque},
    {"numpy", "dtype", kOpaque},
    {"numpy.dtypes", "Float64DType", kOpaque},
    {"numpy.dtypes", "Float32DType", kOpaque},
    {"numpy.dtypes", "Int64DType", kOpaque},
    {"numpy.dtypes", "UInt32DType", kOpaque},
    {"__builtin__", "set", kOpaque},
    {"builtins", "set", kOpaque},
    {"__builtin__", "frozenset", kOpaque},
    {"builtins", "frozenset", kOpaque},
    {"__builtin__", "list", kOpaque},
    {"builtins", "list", kOpaque},
    {"__builtin__", "int", kOpaque},
    {"builtins", "int", kOpaque},
    {"__builtin__", "float", kOpaque},
    {"builtins", "float", kOpaque},
    {"__builtin__", "str", kOpaque},
    {"builtins", "str", kOpaque},
    {"__builtin__", "bytearray", kOpaque},
    {"builtins", "bytearray", kOpaque},
    {"__builtin__", "complex", kOpaque},
    {"builtins", "complex", kOpaque},
    {"pytorch_lightning.utilities.parsing", "AttributeDict", kOpaque},
    {"lightning.pytorch.utilities.parsing", "AttributeDict", kOpaque},
    {"lightning_fabric.utilities.data", "AttributeDict", kOpaque},
    {"lightning.fabric.utilities.data", "AttributeDict", kOpaque},
});

}  // namespace

const PickleGlobal* FindPickleGlobal(std::string_view module, std::string_view name) {
  const auto found = std::find_if(
      kGlobals.begin(), kGlobals.end(),
      [&](const PickleGlobal& global) { return global.module == module && global.name == name; });
  return found == kGlobals.end() ? nullptr : &*found;
}

}  // namespace tensorguard::internal
