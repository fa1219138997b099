#include "api/pair_comparison.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "api/deep_comparison.h"
#include "api/fingerprints.h"
#include "api/models.h"
#include "api/quick_notes.h"
#include "api/reading/distinct_names.h"
#include "base/text.h"
#include "base/try.h"
#include "independence/deep_verdict.h"
#include "report/comparison_page.h"

namespace tensorguard::internal {
namespace {

// Each of the two as a merge of the other and known models.
std::vector<NamedMerge> MergesOf(const ComparedPair& pair, const std::vector<Fingerprint>& known) {
  std::vector<NamedMerge> merges;
  for (const auto& [child, other] :
       {std::pair(&pair.first, &pair.second), std::pair(&pair.second, &pair.first)}) {
    std::vector<const Fingerprint*> candidates = {other};
    for (const Fingerprint& each : known) candidates.push_back(&each);
    if (auto merge = FindMerge(*child, candidates)) merges.push_back(*std::move(merge));
  }
  return merges;
}

Result<void> AddTest(const PairRequest& request, const Session& session, ComparedPair* pair) {
  TG_ASSIGN(auto tested, RunDeepTest({request.first, request.base, pair->first},
                                     {request.second, request.base, pair->second}, pair->comparison,
                                     request.threads, session));
  DeepVerdict judged = JudgeWithTest(pair->comparison, tested.test, tested.gathered.evidence);
  pair->test = std::move(tested.test);
  // What was counted number for number stands for what sketches suggest of it.
  if (tested.gathered.evidence.numbers) {
    std::erase_if(pair->comparison.findings, [](const Finding& finding) {
      return finding.kind == FindingKind::kEqualWeights;
    });
  }
  const bool as_before = judged.verdict == pair->comparison.verdict;
  pair->verdict = judged.verdict;
  pair->in_part = judged.in_part || (as_before && pair->comparison.in_part);
  pair->test_notes = std::move(judged.notes);
  return {};
}

}  // namespace

Result<ComparedPair> ComparePair(const PairRequest& request, const Session& session) {
  TG_TRY(CheckBase({request.first, request.second}, request.base, session));
  TG_ASSIGN(
      auto known,
      FingerprintsOfAll(request.known,
                        {.threads = request.threads, .incomplete = request.incomplete}, session));
  TG_ASSIGN(auto prints, FingerprintsOfPair(request.first, request.second,
                                            {.base = request.base,
                                             .threads = request.threads,
                                             .quick_bytes = request.quick_bytes,
                                             .incomplete = request.incomplete},
                                            session));
  NamesToTellApart names;
  names.AddAsked(prints.first.model_name, request.first);
  names.AddAsked(prints.second.model_name, request.second);
  names.AddAll(known.read, known.sources);
  names.TellApart();
  auto pair = ComparePrints(std::move(prints.first), std::move(prints.second));
  if (!pair) return pair;
  pair->shortfall = std::move(known.shortfall);
  if (request.deep) {
    TG_TRY(AddTest(request, session, &*pair));
  }
  if (!known.read.empty()) pair->merges = MergesOf(*pair, known.read);
  return pair;
}

Result<ComparedPair> ComparePrints(Fingerprint first, Fingerprint second) {
  TG_ASSIGN(auto comparison, CompareFingerprints(first, second));
  ComparedPair pair = {
      .first = std::move(first), .second = std::move(second), .comparison = std::move(comparison)};
  pair.verdict = pair.comparison.verdict;
  pair.in_part = pair.comparison.in_part;
  return pair;
}

std::string ReasonOf(const ComparedPair& pair) {
  if (pair.verdict == pair.comparison.verdict) return pair.comparison.reason;
  return std::string(VerdictSentence(pair.verdict));
}

Direction DirectionOf(const ComparedPair& pair) {
  return IsDerivation(pair.verdict) ? pair.comparison.direction : Direction();
}

std::string DirectionText(const ComparedPair& pair) {
  if (!IsDerivation(pair.verdict)) return {};
  const Direction direction = DirectionOf(pair);
  if (!direction.later) {
    return "Who came first is not shown: one may come from the other, or both from a third.";
  }
  const bool later_b = *direction.later == Side::kB;
  return fmt::format("{} was made from {}, not the other way round (certainty {:.2f}).",
                     (later_b ? pair.second : pair.first).model_name,
                     (later_b ? pair.first : pair.second).model_name, direction.certainty);
}

std::vector<std::string> NotesOf(const ComparedPair& pair) {
  std::vector<std::string> notes = QuickNotes(pair.comparison, {&pair.first, &pair.second});
  notes.insert(notes.end(), pair.test_notes.begin(), pair.test_notes.end());
  for (const Finding& finding : pair.comparison.findings) notes.push_back(finding.text);
  for (const NamedMerge& merge : pair.merges) {
    notes.push_back(fmt::format(
        "{} is a merge of {}, which leaves {:.1f}% of its squared distance to the nearest of them.",
        merge.model, MergeText(merge), 100 * merge.residual));
  }
  for (const Fingerprint* model : {&pair.first, &pair.second}) {
    for (const std::string& note : model->notes) {
      notes.push_back(fmt::format("{}: {}", model->model_name, note));
    }
  }
  return notes;
}

std::string ComparedPairToHtml(const ComparedPair& pair, PageOrigin origin) {
  return DrawComparisonPage({.first = pair.first,
                             .second = pair.second,
                             .comparison = pair.comparison,
                             .test = pair.test ? &*pair.test : nullptr,
                             .verdict = pair.verdict,
                             .in_part = pair.in_part,
                             .reason = ReasonOf(pair),
                             .direction = DirectionText(pair),
                             .notes = NotesOf(pair),
                             .origin = std::move(origin)});
}

std::string LayerName(const LayerResponse& layer) {
  const std::string number = fmt::format("{}", layer.index);
  return layer.stack.empty() ? number : EscapeControl(layer.stack) + " " + number;
}

}  // namespace tensorguard::internal
