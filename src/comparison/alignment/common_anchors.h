// The anchors that two fingerprints can be compared on.
#ifndef TENSORGUARD_COMPARISON_ALIGNMENT_COMMON_ANCHORS_H_
#define TENSORGUARD_COMPARISON_ALIGNMENT_COMMON_ANCHORS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "fingerprint/fingerprint.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

struct CommonAnchors {
  std::vector<size_t> in_a = {};  // positions in a.anchors
  std::vector<size_t> in_b = {};  // parallel: positions in b.anchors
  std::string obstacle = {};      // why kernels cannot be compared; empty if they can
};

// Row anchors mean the same in two models only if their vocabularies have one size. Error:
// kMismatch for anchor lists of different versions, whose indices name different strings.
Result<CommonAnchors> FindCommonAnchors(const Fingerprint& a, const Fingerprint& b);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_COMPARISON_ALIGNMENT_COMMON_ANCHORS_H_
