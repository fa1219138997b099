// A comparison by the full profile as text and JSON.
#ifndef TENSORGUARD_CLI_OUTPUT_COMPARISON_OUTPUT_H_
#define TENSORGUARD_CLI_OUTPUT_COMPARISON_OUTPUT_H_

#include <optional>
#include <string>

#include "cli/output/json_output.h"
#include "comparison/compare_fingerprints.h"
#include "comparison/merges/merge_parents.h"
#include "fingerprint/fingerprint.h"
#include "independence/deep_verdict.h"

namespace tensorguard::internal::cli {

// A merge among known models.
struct NamedMerge {
  std::string model;
  std::vector<std::string> parents;
  std::vector<double> weights;  // parallel
  double residual = 0;          // MergeExplanation::residual
};

// A pair with all that was found out about it.
struct ComparedPair {
  Fingerprint first;
  Fingerprint second;
  Comparison comparison;
  std::optional<DeepTest> test = {};
  Verdict verdict = Verdict::kInconclusive;  // with the test, where there is one
  bool in_part = false;                      // of a derivation, likewise
  std::vector<std::string> test_notes = {};  // what the test says beside the comparison
  std::vector<NamedMerge> merges = {};
};

OrderedJson ComparedPairToJson(const ComparedPair& pair);
std::string ComparedPairToText(const ComparedPair& pair);
std::string ComparedPairToHtml(const ComparedPair& pair);

// "0.50 alder--sft1 and 0.50 alder--sft2", names raw.
std::string MergeText(const NamedMerge& merge);

OrderedJson MergeToJson(const NamedMerge& merge);

}  // namespace tensorguard::internal::cli

#endif  // TENSORGUARD_CLI_OUTPUT_COMPARISON_OUTPUT_H_
