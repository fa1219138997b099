// The two containers of PyTorch's files: where the pickle is, and where the storages lie.
#ifndef TENSORGUARD_FORMATS_TORCH_TORCH_ARCHIVE_H_
#define TENSORGUARD_FORMATS_TORCH_TORCH_ARCHIVE_H_

#include "formats/byte_source.h"
#include "formats/torch/pickle.h"
#include "formats/torch/torch_tensors.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

struct TorchArchive {
  Pickle pickle;
  FindTorchStorage find;  // owns what it needs
};

// A zip archive: NAME/data.pkl, NAME/data/KEY, NAME/byteorder (torch/serialization.py, _save).
// Errors: as ReadTorchTable.
Result<TorchArchive> OpenTorchZip(const ByteSource& source);

// The form before zip: five pickles one after the other (a magic number, a version, the machine,
// the object, the storages' keys), then each storage as its length in elements (64 bits) and its
// bytes (torch/serialization.py, _legacy_save). Errors: as ReadTorchTable.
Result<TorchArchive> OpenTorchLegacy(const ByteSource& source);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FORMATS_TORCH_TORCH_ARCHIVE_H_
