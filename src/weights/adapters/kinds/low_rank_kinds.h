// Adapters that add a product of thin matrices made by other rules than LoRA's.
#ifndef TENSORGUARD_WEIGHTS_ADAPTERS_KINDS_LOW_RANK_KINDS_H_
#define TENSORGUARD_WEIGHTS_ADAPTERS_KINDS_LOW_RANK_KINDS_H_

#include <vector>

#include "weights/adapters/kinds/adapter_module.h"
#include "weights/adapters/kinds/row_edit.h"

namespace tensorguard::internal {

// Errors of all: kBadFile (a part is missing or of another shape), kMismatch (the base's matrix is
// of another shape). Sources: the papers named, and what PEFT's merge computes.

// AdaLoRA (Zhang et al. 2023): B diag(E) A alpha / (init_r + 1e-5).
Result<RowChange> AdaLoraChange(const AdapterModule& module);

// VeRA (Kopiczko et al. 2024): diag(b) B diag(d) A with A and B that all modules share.
Result<RowChange> VeraChange(const AdapterModule& module);

// A and B where they were not saved: drawn from projection_prng_key for the largest module, as
// PyTorch draws them.
void DrawVeraMatrices(const AdapterConfig& config, const std::vector<AdapterModule>& modules,
                      SharedParts& shared);

// DeLoRA (Bini et al. 2025): a product of unit vectors, scaled by a bound and by the norms of the
// base's columns.
Result<RowChange> DeLoraChange(const AdapterModule& module);

// GraLoRA (Jung et al. 2025): a low-rank matrix for each of N x N blocks, beside a plain one.
Result<RowChange> GraLoraChange(const AdapterModule& module);

// VB-LoRA (Li et al. 2024): B A, whose pieces are mixed from a bank of vectors by their logits.
Result<RowChange> VbLoraChange(const AdapterModule& module);

// RandLoRA (Albert et al. 2025): a sum of shared random low-rank matrices, each scaled by diagonal
// ones.
Result<RowChange> RandLoraChange(const AdapterModule& module);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_ADAPTERS_KINDS_LOW_RANK_KINDS_H_
