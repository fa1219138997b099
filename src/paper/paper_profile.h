// The published fingerprint, exactly: gradient moments of up to ten tensors, in closed form.
#ifndef TENSORGUARD_PAPER_PAPER_PROFILE_H_
#define TENSORGUARD_PAPER_PAPER_PROFILE_H_

#include "paper/paper_features.h"
#include "tensorguard/progress.h"
#include "tensorguard/result.h"
#include "weights/weight_source.h"

namespace tensorguard::internal {

struct PaperProfileOptions {
  unsigned threads = 0;  // 0: one per processor; the result is the same for any number
  ProgressCallback on_progress = {};
};

struct PaperProfile {
  PaperFeatures features;
  uint64_t bytes_read = 0;  // stored bytes of weights read
  // Chosen matrices that hold only zeros (BART's final_logits_bias, say): their response has no
  // gradient, and the published code's skewness of it is not a number. They count in no feature.
  std::vector<std::string> zero_tensors;
};

// Features of arXiv 2506.01631 with the reference's random numbers (torch CPU, numpy legacy).
// Memory: a few blocks of weights and five numbers per row of the largest tensor, never a tensor.
// Errors: those of ReadFloat32; kBadFile, naming the tensor, if a response is not a finite number;
// kUnsupported if the model has no matrix, if all that are chosen hold only zeros, or if one is too
// small for a distribution of gradients.
Result<PaperProfile> ComputePaperProfile(const WeightSource& weights, std::string model_name,
                                         const PaperProfileOptions& options = {});

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PAPER_PAPER_PROFILE_H_
