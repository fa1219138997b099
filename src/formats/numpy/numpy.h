// NumPy's files: one array (.npy), or a zip archive of them (.npz).
#ifndef TENSORGUARD_FORMATS_NUMPY_NUMPY_H_
#define TENSORGUARD_FORMATS_NUMPY_NUMPY_H_

#include <string_view>

#include "base/file.h"
#include "formats/byte_source.h"
#include "safetensors/tensor_table.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

inline constexpr std::string_view kNumpyMagic = "\x93NUMPY";

// Reads the headers of the arrays (numpy/lib/format.py, versions 1 to 3), no data. An archive's
// arrays are named by their entries without ".npy"; a lone array is called "tensor". Arrays of text
// are passed over. Errors, with file, array and byte where known: those of ReadZipDirectory;
// kUnsupported, named, for packed entries (savez_compressed), Python objects, structures,
// big-endian numbers and types without a meaning ("|V2"); kBadFile for data of another length than
// the shape needs.
Result<TensorTable> ReadNumpyTable(const File& file);

// The same for bytes of any source, for fuzzing; errors do not know the file.
Result<TensorTable> ReadNumpyTable(const ByteSource& source);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FORMATS_NUMPY_NUMPY_H_
