// Models with all that a comparison of them needs, read once.
#ifndef TENSORGUARD_TRANSFORM_STRESS_STRESS_SUBJECT_H_
#define TENSORGUARD_TRANSFORM_STRESS_STRESS_SUBJECT_H_

#include <cstdint>
#include <memory>
#include <optional>

#include "comparison/verdict.h"
#include "fingerprint/fingerprint.h"
#include "model/model.h"
#include "network/network.h"
#include "tensorguard/result.h"
#include "transform/decoder.h"

namespace tensorguard::internal {

struct StressSubject {
  Model model;
  Fingerprint fingerprint;
  std::shared_ptr<const Network> network = {};  // null: not asked for, or not readable
};

// Errors: those of ComputeFullFingerprint.
Result<StressSubject> MakeSubject(Model model, bool with_network, unsigned threads);

struct SubjectAnswer {
  Verdict verdict = Verdict::kInconclusive;
  std::optional<double> score = {};
  std::optional<double> log10_p = {};
};

// By the fingerprints. Errors: those of CompareFingerprints.
Result<SubjectAnswer> CompareSubjects(const StressSubject& a, const StressSubject& b);

// With the test on the weights. Errors: also those of TestIndependence. REQUIRES: both have a
// network.
Result<SubjectAnswer> TestSubjects(const StressSubject& a, const StressSubject& b, uint64_t seed,
                                   unsigned threads);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TRANSFORM_STRESS_STRESS_SUBJECT_H_
