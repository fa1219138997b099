// Adapters that turn the inputs of a matrix.
#ifndef TENSORGUARD_WEIGHTS_ADAPTERS_KINDS_ORTHOGONAL_KINDS_H_
#define TENSORGUARD_WEIGHTS_ADAPTERS_KINDS_ORTHOGONAL_KINDS_H_

#include "weights/adapters/kinds/adapter_module.h"
#include "weights/adapters/kinds/row_edit.h"

namespace tensorguard::internal {

// Errors of all: kBadFile (a part is missing or of another shape), kMismatch (the base's matrix is
// of another shape), kUnsupported (an option that is not honoured, named). Sources: the papers
// named, and what PEFT's merge computes.

// OFT (Qiu et al. 2023): blocks of the inputs turned by the Cayley transform of skew matrices, or
// by the first terms of its Neumann series.
Result<RowChange> OftChange(const AdapterModule& module);

// BOFT (Liu et al. 2024) with one butterfly factor: blocks turned, outputs scaled.
Result<RowChange> BoftChange(const AdapterModule& module);

// HRA (Yuan et al. 2024): a chain of Householder reflections.
Result<RowChange> HraChange(const AdapterModule& module);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_ADAPTERS_KINDS_ORTHOGONAL_KINDS_H_
