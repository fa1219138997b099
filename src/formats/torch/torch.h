// PyTorch's files: a zip archive, or the form before 2020, with a pickle that describes tensors.
#ifndef TENSORGUARD_FORMATS_TORCH_TORCH_H_
#define TENSORGUARD_FORMATS_TORCH_TORCH_H_

#include <string_view>

#include "base/file.h"
#include "formats/byte_source.h"
#include "safetensors/tensor_table.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// Whether a file that starts so has the form before zip: a pickle of its magic number, of any
// protocol. Asks for the first kTorchLegacyStartBytes, where there are as many.
bool StartsAsTorchLegacy(std::string_view start);

inline constexpr size_t kTorchLegacyStartBytes = 24;

// The metadata of the table that lists what was left out beside the model ("optimizer").
inline constexpr std::string_view kTorchLeftOut = "left out";

// Reads the description of the tensors, no weights; nothing in the file is ever run. Tensors may
// share storages and lie in them with strides. Errors, with file, tensor and byte where known:
// those of ReadZipDirectory, ReadPickle and FindTorchState; kUnsupported, named, for TorchScript
// programs, the tar form before 2018, big-endian numbers, packed storages, and tensors that are not
// plain (quantised, sparse); kBadFile for tensors that do not lie in their storage, storages that
// do not lie in the file, and views that say they hold far more than the file.
Result<TensorTable> ReadTorchTable(const File& file);

// The same for bytes of any source, for fuzzing; errors do not know the file.
Result<TensorTable> ReadTorchTable(const ByteSource& source);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FORMATS_TORCH_TORCH_H_
