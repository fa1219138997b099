// What a comparison says, for a reader who knows no mathematics.
#ifndef TENSORGUARD_REPORT_PLAIN_SUMMARY_H_
#define TENSORGUARD_REPORT_PLAIN_SUMMARY_H_

#include <string>
#include <vector>

#include "comparison/compare_fingerprints.h"

namespace tensorguard::internal {

struct SummarisedPair {
  std::string first = {};   // the models' names, raw
  std::string second = {};  //
  Verdict verdict = Verdict::kInconclusive;
  bool in_part = false;
  const PairOrigins& origins;
  std::string direction = {};  // who came first, in a sentence; may be empty
  bool weights_tested = false;
};

// Paragraphs: what was found, how much of it, what follows, and what does not. Names are raw.
std::vector<std::string> PlainSummary(const SummarisedPair& pair);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_REPORT_PLAIN_SUMMARY_H_
