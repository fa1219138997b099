// The directions of the residual stream that most of a model's weights read.
#ifndef TENSORGUARD_PROFILE_FRAME_CANDIDATE_AXES_H_
#define TENSORGUARD_PROFILE_FRAME_CANDIDATE_AXES_H_

#include <cstddef>
#include <cstdint>

#include "numerics/float_matrix.h"
#include "profile/frame/frame_plan.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// No more rows than this are sampled, nor more numbers: 16 MB of bfloat16.
inline constexpr uint64_t kMostAxisRows = 8192;
inline constexpr uint64_t kMostAxisNumbers = uint64_t{1} << 23;

// The leading right singular vectors, [at most count, hidden], of a sample of the rows that read
// the residual stream, each at unit norm behind its gain: all rows where they are no more than
// kMostAxisRows and kMostAxisNumbers allow, else stretches at even distances in every layer. Fewer
// where the rows span less. The same for any number of threads. Errors: those of ReadWeightRows and
// Multiply; kSystem if the system's linear algebra fails.
Result<FloatMatrix> FindCandidateAxes(const FramePlan& plan, size_t count, unsigned threads);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PROFILE_FRAME_CANDIDATE_AXES_H_
