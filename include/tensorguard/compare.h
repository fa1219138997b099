// What of one model is another's.
#ifndef TENSORGUARD_TENSORGUARD_COMPARE_H_
#define TENSORGUARD_TENSORGUARD_COMPARE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tensorguard/export.h"
#include "tensorguard/fingerprint.h"
#include "tensorguard/result.h"
#include "tensorguard/verdict.h"

namespace tensorguard {

// Where a model's parameters are found in the other one, in shares that sum to 1.
struct Shares {
  double same = 0;            // the same numbers, wherever they lie
  double changed = 0;         // the same weights, changed
  double rewritten = 0;       // the same function in another basis
  double nothing = 0;         // compared, and nothing found
  double not_comparable = 0;  // nothing in the other model could be compared with them
  double not_read = 0;
};

// One tensor of a model and where it was found.
struct TensorOrigin {
  std::string tensor = {};  // raw text of the file
  std::string role = {};    // "query", "down", ...
  std::optional<uint32_t> layer = {};
  std::string origin = {};                      // the name of the largest of Shares: "changed"
  std::optional<std::string> counterpart = {};  // the other model's tensor
  std::optional<double> cosine = {};            // in [-1, 1], of the sketches
};

struct Finding {
  std::string kind = {};  // "quantised", "pruned", "lora", ... (docs/verdicts.md)
  std::string text = {};  // a sentence
};

namespace internal {
struct ComparedPair;
}

struct Comparison {
  std::string model_a = {};
  std::string model_b = {};
  Verdict verdict = Verdict::kInconclusive;
  bool in_part = false;  // of a derivation: only parts of both have one origin
  std::string reason = {};
  std::optional<double> score = {};    // in [0, 1], to order pairs by; no verdict rests on it alone
  std::optional<double> p_value = {};  // that independent models show as much
  Shares shares_of_a = {};
  Shares shares_of_b = {};
  std::vector<TensorOrigin> tensors_of_a = {};
  std::vector<TensorOrigin> tensors_of_b = {};
  std::vector<Finding> findings = {};  // what was done between the two
  std::vector<std::string> notes = {};
  // For ComparisonAsJson and ComparisonAsHtml; never null in what the library returns.
  std::shared_ptr<const internal::ComparedPair> details = {};
};

// Of two fingerprints; Compare(a, b) and (b, a) give one verdict and one score. Errors: kMismatch
// for fingerprints that were made with different anchor lists. Thread-safe.
TENSORGUARD_EXPORT Result<Comparison> Compare(const Fingerprint& a, const Fingerprint& b);

struct CompareOptions : FingerprintOptions {
  // Tests the weights themselves as well, which needs both models' files (docs/independence.md).
  bool test_weights = false;
};

// Of two models or fingerprint files. Errors: those of FingerprintModel, ReadFingerprint and
// Compare; kUsage for a test on the weights of a fingerprint file. Thread-safe.
TENSORGUARD_EXPORT Result<Comparison> CompareModels(const std::string& a, const std::string& b,
                                                    const CompareOptions& options = {});

// The object that `tensorguard compare --json` prints (docs/json.md), and the page of --html.
// REQUIRES: a comparison that the library returned.
TENSORGUARD_EXPORT std::string ComparisonAsJson(const Comparison& comparison);
TENSORGUARD_EXPORT std::string ComparisonAsHtml(const Comparison& comparison);

}  // namespace tensorguard

#endif  // TENSORGUARD_TENSORGUARD_COMPARE_H_
