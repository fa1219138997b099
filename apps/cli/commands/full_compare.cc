// tensorguard compare by the full profile: a verdict on a pair of models.
#include <vector>

#include "base/file.h"
#include "cli/commands/deep_comparison.h"
#include "cli/commands/merges.h"
#include "cli/commands/profile_commands.h"
#include "cli/models/distinct_names.h"
#include "cli/models/fingerprints.h"
#include "cli/models/models.h"
#include "cli/output/comparison_output.h"
#include "cli/output/family_output.h"

namespace tensorguard::internal::cli {
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

Result<void> AddTest(const CompareOptions& options, Console& console, ComparedPair* pair) {
  auto tested = RunDeepTest({options.first, options.base, pair->first},
                            {options.second, options.base, pair->second}, pair->comparison,
                            options.threads, console);
  if (!tested) return std::move(tested).error();
  DeepVerdict judged = JudgeWithTest(pair->comparison, tested->test, tested->gathered.evidence);
  pair->test = std::move(tested->test);
  // What was counted number for number stands for what sketches suggest of it.
  if (tested->gathered.evidence.numbers) {
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

Result<ComparedPair> ComparePair(const CompareOptions& options, ManyFingerprints& known,
                                 Console& console) {
  auto prints = FingerprintsOfPair(options.first, options.second,
                                   {.base = options.base,
                                    .threads = options.threads,
                                    .quick_bytes = options.quick_bytes,
                                    .incomplete = options.incomplete},
                                   console);
  if (!prints) return std::move(prints).error();
  NamesToTellApart names;
  names.Add(prints->first.model_name, options.first);
  names.Add(prints->second.model_name, options.second);
  names.AddAll(known.read, known.sources);
  names.TellApart();
  auto comparison = CompareFingerprints(prints->first, prints->second);
  if (!comparison) return std::move(comparison).error();
  ComparedPair pair = {.first = std::move(prints->first),
                       .second = std::move(prints->second),
                       .comparison = *std::move(comparison)};
  pair.verdict = pair.comparison.verdict;
  pair.in_part = pair.comparison.in_part;
  if (options.deep) {
    if (auto tested = AddTest(options, console, &pair); !tested) return std::move(tested).error();
  }
  if (!known.read.empty()) pair.merges = MergesOf(pair, known.read);
  return pair;
}

}  // namespace

Result<ExitStatus> RunCompareByFullProfile(const CompareOptions& options, Console& console) {
  if (auto base = CheckBase({options.first, options.second}, options.base); !base) {
    return std::move(base).error();
  }
  ManyFingerprints known = FingerprintsOfAll(
      options.known, {.threads = options.threads, .incomplete = options.incomplete}, console);
  const auto pair = ComparePair(options, known, console);
  if (!pair) return pair.error();
  if (options.html) {
    const std::string page = ComparedPairToHtml(*pair);
    if (auto written = WriteFileAtomically(*options.html, page); !written) {
      return std::move(written).error();
    }
  }
  if (console.json()) {
    OrderedJson json = ComparedPairToJson(*pair);
    if (options.html) json["html"] = *options.html;
    AddShortfall(known.shortfall, &json);
    console.PrintJson(json);
  } else {
    console.Print(ComparedPairToText(*pair));
  }
  return StatusAfter(known.shortfall, StatusOf(VerdictName(pair->verdict), options.fail_on),
                     console);
}

}  // namespace tensorguard::internal::cli
