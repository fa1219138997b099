// The evidence of a comparison as one self-contained page.
#ifndef TENSORGUARD_REPORT_COMPARISON_PAGE_H_
#define TENSORGUARD_REPORT_COMPARISON_PAGE_H_

#include <string>
#include <vector>

#include "comparison/compare_fingerprints.h"
#include "fingerprint/fingerprint.h"
#include "independence/independence.h"
#include "report/page_origin.h"

namespace tensorguard::internal {

struct ComparisonPage {
  const Fingerprint& first;
  const Fingerprint& second;
  const Comparison& comparison;              // CompareFingerprints(first, second)
  const DeepTest* test = nullptr;            // null: not asked
  Verdict verdict = Verdict::kInconclusive;  // with the test, where there is one
  bool in_part = false;                      // of a derivation, likewise
  std::string reason = {};                   // raw text
  std::string direction = {};                // who came first, in a sentence; may be empty
  std::vector<std::string> notes = {};       // raw texts
  PageOrigin origin = {};
};

// HTML: the verdict in words, for readers of mathematics and others, the evidence, a map of what of
// each model lies in the other, layer by layer the kernels and the weights as heat maps, what was
// found, what the test rests on, what none of it can show, how to repeat it, and the data as JSON.
std::string DrawComparisonPage(const ComparisonPage& page);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_REPORT_COMPARISON_PAGE_H_
