// The published fingerprint, exactly: gradient moments of up to ten tensors, in closed form.
#ifndef TENSORGUARD_FINGERPRINT_PAPER_PROFILE_H_
#define TENSORGUARD_FINGERPRINT_PAPER_PROFILE_H_

#include "base/progress.h"
#include "base/result.h"
#include "fingerprint/paper_features.h"
#include "weights/weight_source.h"

namespace tensorguard {

struct PaperProfileOptions {
  unsigned threads = 0;  // 0: one per processor; the result is the same for any number
  ProgressCallback on_progress = {};
};

struct PaperProfile {
  PaperFeatures features;
  uint64_t bytes_read = 0;  // stored bytes of weights read
};

// Features of arXiv 2506.01631 with the reference's random numbers (torch CPU, numpy legacy).
// Memory: a few blocks of weights and five numbers per row of the largest tensor, never a tensor.
// Errors: those of ReadFloat32; kUnsupported if the model has no 2-D tensor; kBadFile, naming the
// tensor, if a response is not a finite number or a tensor is all zero (the gradient is undefined).
Result<PaperProfile> ComputePaperProfile(const WeightSource& weights, std::string model_name,
                                         const PaperProfileOptions& options = {});

}  // namespace tensorguard

#endif  // TENSORGUARD_FINGERPRINT_PAPER_PROFILE_H_
