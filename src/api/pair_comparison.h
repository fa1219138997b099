// Two models compared by the full profile, with all that was found out about them.
#ifndef TENSORGUARD_API_PAIR_COMPARISON_H_
#define TENSORGUARD_API_PAIR_COMPARISON_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/merges.h"
#include "api/reading/gathering.h"
#include "api/session.h"
#include "comparison/compare_fingerprints.h"
#include "fingerprint/fingerprint.h"
#include "independence/independence.h"
#include "report/page_origin.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

struct PairRequest {
  std::string first;
  std::string second;
  std::optional<std::string> base = {};      // of those of the two that are adapters
  std::vector<std::string> known = {};       // where a merge's other parents are looked for
  bool deep = false;                         // with the test on the weights
  std::optional<uint64_t> quick_bytes = {};  // the most that is read of each model's tensors
  bool incomplete = false;                   // goes on with models that are not whole
  unsigned threads = 0;                      // 0: one per processor
};

struct ComparedPair {
  Fingerprint first;
  Fingerprint second;
  Comparison comparison;
  std::optional<DeepTest> test = {};
  Verdict verdict = Verdict::kInconclusive;  // with the test, where there is one
  bool in_part = false;                      // of a derivation, likewise
  std::vector<std::string> test_notes = {};  // what the test says beside the comparison
  std::vector<NamedMerge> merges = {};
  Shortfall shortfall = {};  // of the known models
};

// Reads or computes both fingerprints and compares them; models of one name are told apart. A known
// model that cannot be read is in the shortfall. Errors: those of CheckBase, FingerprintsOfPair,
// CompareFingerprints and RunDeepTest.
Result<ComparedPair> ComparePair(const PairRequest& request, const Session& session);

// Of two fingerprints at hand, without a test. Errors: those of CompareFingerprints.
Result<ComparedPair> ComparePrints(Fingerprint first, Fingerprint second);

// The comparison's own words, unless the test changed the verdict. Names are raw.
std::string ReasonOf(const ComparedPair& pair);

// Who came first, as far as the fingerprints show it; without signs where the test found that the
// two are not of one origin.
Direction DirectionOf(const ComparedPair& pair);

// That in a sentence; empty where there is nothing to say. Names are raw.
std::string DirectionText(const ComparedPair& pair);

// What is worth telling beside the verdict, in the order of its weight. Names are raw.
std::vector<std::string> NotesOf(const ComparedPair& pair);

// A page for a browser, whole.
std::string ComparedPairToHtml(const ComparedPair& pair, PageOrigin origin);

// "3", or "encoder 3" in a model with more than one stack; escaped.
std::string LayerName(const LayerResponse& layer);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_PAIR_COMPARISON_H_
