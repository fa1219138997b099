// Matrices whose numbers no training writes, as far as a look at some of them tells.
#ifndef TENSORGUARD_API_INSPECTION_ODD_MATRICES_H_
#define TENSORGUARD_API_INSPECTION_ODD_MATRICES_H_

#include <cstddef>
#include <optional>
#include <vector>

#include "model/model.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// Indices of tensors, in their order.
struct OddMatrices {
  std::vector<size_t> zero;
  std::vector<size_t> constant;    // one other number everywhere
  std::vector<size_t> not_finite;  // with numbers that are not finite
};

// Runs of numbers all over each matrix are looked at, fewer of each the more there are. Empty for a
// model that lies elsewhere: no numbers of it are read. Errors: those of reading.
Result<OddMatrices> FindOddMatrices(const Model& model);

// How the output head is stored.
struct StoredHead {
  bool stored = false;
  // Of a stored one: whether its numbers are those of the embedding wherever it was looked at;
  // empty where the shapes differ or no numbers were read.
  std::optional<bool> equals_embedding = {};
};

Result<StoredHead> LookAtHead(const Model& model);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_INSPECTION_ODD_MATRICES_H_
