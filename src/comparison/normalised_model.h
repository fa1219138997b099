// A model that is compared with many.
#ifndef TENSORGUARD_COMPARISON_NORMALISED_MODEL_H_
#define TENSORGUARD_COMPARISON_NORMALISED_MODEL_H_

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "fingerprint/fingerprint.h"
#include "fingerprint/kernels/normalised_kernels.h"

namespace tensorguard::internal {

// Keeps what costs most of a comparison and is the same in each: the model's kernels, normalised on
// the anchors that it has in common with the others. Thread-safe.
class NormalisedModel {
 public:
  // `fingerprint` must outlive it.
  explicit NormalisedModel(const Fingerprint& fingerprint) : fingerprint_(&fingerprint) {}

  const Fingerprint& fingerprint() const { return *fingerprint_; }

  // Never null. REQUIRES: as NormaliseKernels.
  std::shared_ptr<const NormalisedKernels> KernelsOn(std::span<const size_t> anchors) const;

 private:
  const Fingerprint* fingerprint_;
  mutable std::mutex mutex_;
  mutable std::map<std::vector<size_t>, std::shared_ptr<const NormalisedKernels>> kernels_;
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_COMPARISON_NORMALISED_MODEL_H_
