// Checksums of the archives that a model's weights lie in.
#ifndef TENSORGUARD_MODEL_ARCHIVE_SUMS_H_
#define TENSORGUARD_MODEL_ARCHIVE_SUMS_H_

#include <string>
#include <vector>

#include "model/model.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// Lines on PyTorch files some of whose bytes do not have the CRC-32 that the archive states:
// changed after they were written, damaged, or written without checksums, which PyTorch can do on
// purpose and never looks at when it loads. Reads every such file of this machine once more; files
// of other places are not read twice, nothing is said of them. Errors: kBadFile for NumPy archives,
// which NumPy refuses then; those of EntriesWithOtherSums.
Result<std::vector<std::string>> NotesOnArchiveSums(const Model& model, unsigned threads);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_MODEL_ARCHIVE_SUMS_H_
