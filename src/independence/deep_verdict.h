// The verdict of the fingerprints together with the test on the weights.
#ifndef TENSORGUARD_INDEPENDENCE_DEEP_VERDICT_H_
#define TENSORGUARD_INDEPENDENCE_DEEP_VERDICT_H_

#include <optional>
#include <string>
#include <vector>

#include "comparison/compare_fingerprints.h"
#include "independence/independence.h"
#include "independence/independence_finding.h"
#include "independence/numbers/number_agreement.h"

namespace tensorguard::internal {

struct DeepVerdict {
  Verdict verdict = Verdict::kInconclusive;
  bool in_part = false;                 // of `derived`: some layers were copied and others not
  std::vector<std::string> notes = {};  // what the test adds, and where it overrules
};

// What else is known where the weights of both models are at hand.
struct DeepEvidence {
  // Weights of both hold the same numbers, or weight forms agree: evidence of the weights beside
  // sketches, which the silence of the test does not take back.
  bool weights_agree = false;
  // Stored sketches are alike whose weights are not (exact_agreement.h).
  bool sketches_forged = false;
  // Exact cosines of the weights show one origin in the same basis (exact_agreement.h).
  bool numbers_agree = false;
  // All numbers of both, where the models are near enough for that.
  std::optional<NumberAgreement> numbers = {};
  // The layers that have a counterpart write nothing that matters (written_shares.h).
  bool copies_inert = false;
};

// The test has the last word, by what it found:
//
//   the fingerprints say   the test found                    verdict
//   identical              anything                          identical
//   anything               anything, and every number is     identical
//                          the same, or but for the rounding
//                          of the types
//   anything               could not be asked                as the fingerprints say
//   anything               layers that write nothing         independent
//   anything               same basis, some layers whole     derived in part
//                          and others not at all
//   origin                 same basis                        as the fingerprints say
//   no origin, or start    same basis, all alike:
//                            strong, or different shapes     derived
//                            weak, functions alike           derived
//                            weak, functions not alike       shared initialisation
//   derived, sketches      another basis only                derived
//   anything else          another basis only                reparameterised
//   origin, by weights     nothing                           as the fingerprints say
//   origin, by functions   nothing, asked in full            independent: a student, or forged
//   alone or forged        nothing, not asked in full        inconclusive
//   sketches
//   inconclusive           nothing, asked in full, or        independent
//                          sketches are forged
//   independent            nothing                           independent
//
// where origin is derived, reparameterised or shared initialisation. A shared start keeps the basis
// and the shapes, so that neither another basis nor other shapes make one. The order of units alone
// is nothing: it can be chosen.
DeepVerdict JudgeWithTest(const Comparison& comparison, const DeepTest& test,
                          const DeepEvidence& evidence = {});

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_INDEPENDENCE_DEEP_VERDICT_H_
