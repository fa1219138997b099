// What the comparison says was done, against what was done: the figures of docs/calibration.md.
//   findings_table [--all] TRUTH.json...
// Each truth file lies beside its models: a list of objects with "name", "parents" and "kind" (or
// "method"), as of the zoo, the merges and bench/word_cases.py, which says what "done", "maybe" and
// "exactly" are. Every model is compared with each of its parents, in both orders, and its parents
// are looked for among those of the first file that are no merges.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/json.h"
#include "comparison/compare_fingerprints.h"
#include "comparison/merges/merge_parents.h"
#include "model/model.h"
#include "profile/full_profile.h"

namespace tensorguard::internal {
namespace {

// What must be said of a kind, one of them, and what else may be. Every word is a finding's kind,
// with a part of its text after a colon where the kind alone does not say it.
struct Words {
  std::vector<std::string> required;
  std::vector<std::string> allowed = {};
};

const std::map<std::string, Words>& ExpectedWords() {
  static const std::map<std::string, Words> words = {
      {"sft", {{"change"}, {"vocabulary:changed by", "vectors"}}},
      {"sft-of-sft", {{"change"}, {"vocabulary:changed by", "vectors"}}},
      {"cpt", {{"change"}, {"vocabulary:changed by", "vectors"}}},
      {"lora", {{"low_rank"}, {"change"}}},
      {"adapter", {{"low_rank"}, {"change"}}},
      {"noise", {{"noise:noise"}, {"change"}}},
      {"noise-part", {{"change"}, {"noise:noise"}}},
      {"lora-high", {{"change"}, {"low_rank"}}},
      {"int", {{"quantised"}, {"change"}}},
      {"int-prune", {{"zeros"}, {"quantised", "change"}}},
      {"prune", {{"zeros:pruned"}, {"change"}}},
      {"stored", {{"equal_weights", "rounding"}, {}}},
      {"edit", {{"edit"}, {"change"}}},
      {"one-layer", {{"change"}, {"noise"}}},
      {"vectors", {{"vectors"}, {}}},
      {"shifted", {{"shifted"}, {"change"}}},
      {"scaled", {{"scaled"}, {"change"}}},
      {"pad", {{"width:padded"}, {}}},
      {"dead", {{"zeros:blocks"}, {"change", "vectors"}}},
      {"gains", {{"basis:gains"}, {}}},
      {"rotary", {{"basis:query"}, {}}},
      {"value-basis", {{"basis:value"}, {}}},
      {"units", {{"basis:hidden units"}, {}}},
      {"heads", {{"basis:query"}, {}}},
      {"launder-perm", {{"basis:permuted"}, {}}},
      {"launder-rot", {{"basis:rotated"}, {}}},
      {"launder-scale", {{"basis:scale"}, {}}},
      {"launder-all", {{"basis"}, {}}},
      {"launder-all-sft", {{"basis"}, {}}},
      {"abliterated", {{"direction"}, {"change"}}},
      {"prune-ffn", {{"width"}, {"change", "vocabulary:changed by", "vectors"}}},
      {"prune-depth",
       {{"layers:without a counterpart"}, {"change", "vocabulary:changed by", "vectors"}}},
      {"layercut", {{"layers:without a counterpart"}, {"change"}}},
      {"depth-up", {{"layers:repeated"}, {"change", "vocabulary:changed by", "vectors"}}},
      {"selfstack", {{"layers:repeated"}, {"change"}}},
      {"franken", {{"layers"}, {"change", "vocabulary:changed by", "vectors"}}},
      {"expanded", {{"layers"}, {"zeros:nothing but zeros"}}},
      {"reordered", {{"layers:order"}, {"change"}}},
      {"upcycle-moe", {{"experts:copies"}, {"change", "vocabulary:changed by", "vectors"}}},
      {"moe", {{"experts:copies"}, {"change", "vocabulary:changed by", "vectors"}}},
      {"vocab-ext",
       {{"vocabulary:extended"},
        {"vocabulary:number for number", "change", "vocabulary:changed by", "vectors"}}},
      {"vocab-trim", {{"vocabulary:trimmed"}, {"change", "vocabulary:changed by", "vectors"}}},
      {"table", {{"vocabulary"}, {}}},
      {"sft-int", {{"quantised"}, {"change", "vocabulary:changed by", "vectors"}}},
      {"sft-prune", {{"zeros:pruned"}, {"change", "vocabulary:changed by", "vectors"}}},
  };
  return words;
}

// Who the parents are is asked apart.
const Words kWordsOfMerges = {{"change"}, {"vocabulary:changed by", "vectors"}};

// True whatever was done: equal by digest, or not apart by more than another type makes.
bool SaysWhatIsEqual(const Finding& finding) {
  return finding.kind == FindingKind::kEqualWeights || finding.kind == FindingKind::kRounding ||
         finding.kind == FindingKind::kCannotCompare;
}

bool Says(const Finding& finding, const std::string& word) {
  const size_t colon = word.find(':');
  return FindingKindName(finding.kind) == word.substr(0, colon) &&
         (colon == word.npos || finding.text.find(word.substr(colon + 1)) != std::string::npos);
}

bool SaysAny(const Finding& finding, const std::vector<std::string>& words) {
  return std::any_of(words.begin(), words.end(),
                     [&](const std::string& word) { return Says(finding, word); });
}

struct KnownModel {
  std::string name;
  std::string kind;
  std::vector<std::string> parents;
  std::vector<std::string> done;     // kinds, each of which must be named
  std::vector<std::string> maybe;    // kinds that may be
  std::vector<std::string> exactly;  // what the words must contain, alternatives between bars
  bool is_library = false;           // of the first file
  Fingerprint fingerprint;
};

std::string TextOf(const Json& entry, const char* key) {
  return entry.contains(key) && entry[key].is_string() ? entry[key].get<std::string>() : "";
}

std::vector<std::string> TextsOf(const Json& entry, const char* key) {
  std::vector<std::string> texts;
  for (const Json& text : entry.value(key, Json::array())) texts.push_back(text);
  return texts;
}

Result<void> ReadModels(const std::filesystem::path& truth_path, bool is_library,
                        std::vector<KnownModel>& models) {
  const auto truth = ReadJsonFile(truth_path);
  if (!truth) return truth.error();
  for (const Json& entry : *truth) {
    KnownModel model{.name = TextOf(entry, "name"),
                     .kind = TextOf(entry, entry.contains("method") ? "method" : "kind"),
                     .parents = TextsOf(entry, "parents"),
                     .done = TextsOf(entry, "done"),
                     .maybe = TextsOf(entry, "maybe"),
                     .exactly = TextsOf(entry, "exactly"),
                     .is_library = is_library,
                     .fingerprint = {}};
    if (TextOf(entry, "relation") == "independent") continue;
    if (model.done.empty()) model.done.push_back(model.kind);
    OpenModelOptions options;
    const auto path = truth_path.parent_path() / model.name;
    const auto is_adapter = NamesAdapter(path);
    if (!is_adapter) return is_adapter.error();
    if (*is_adapter) options.base = truth_path.parent_path() / model.parents.front();
    const auto opened = OpenModel(path, options);
    if (!opened) return opened.error();
    auto fingerprint = ComputeFullFingerprint(*opened);
    if (!fingerprint) return std::move(fingerprint).error();
    model.fingerprint = *std::move(fingerprint);
    models.push_back(std::move(model));
  }
  return {};
}

bool IsMerge(const KnownModel& model) {
  return model.parents.size() > 1 || model.kind.starts_with("merge");
}

struct Count {
  size_t right = 0;
  size_t missing = 0;  // what was done is not said
  size_t wrong = 0;    // something is said that was not done

  size_t All() const { return right + missing + wrong; }
};

struct Counts {
  std::map<std::string, Count> by_kind;
  Count words;
  Count merges;
};

// Merges of every method show as changed matrices.
const Words& WordsOf(const std::string& kind) {
  const auto found = ExpectedWords().find(kind);
  return found != ExpectedWords().end() ? found->second : kWordsOfMerges;
}

bool ContainsAny(const std::string& text, const std::string& alternatives) {
  for (size_t begin = 0; begin <= alternatives.size();) {
    const size_t end = std::min(alternatives.find('|', begin), alternatives.size());
    if (text.find(alternatives.substr(begin, end - begin)) != text.npos) return true;
    begin = end + 1;
  }
  return false;
}

// How the words of one comparison stand to the truth.
struct Judged {
  bool wrong = false;
  bool missing = false;
  std::string said;
};

// `child_side`: which of the two compared is the child. A finding that shows the other one to be
// the later is wrong. The order decides about factors, so `exactly` is for parent and child alone.
Judged JudgeWords(const KnownModel& child, Side child_side, const Comparison& comparison) {
  Judged judged;
  std::string texts;
  std::vector<std::string> fitting;
  for (const auto* kinds : {&child.done, &child.maybe}) {
    for (const std::string& kind : *kinds) {
      for (const auto* words : {&WordsOf(kind).required, &WordsOf(kind).allowed}) {
        fitting.insert(fitting.end(), words->begin(), words->end());
      }
    }
  }
  for (const Finding& finding : comparison.findings) {
    const bool later = !finding.derived || *finding.derived == child_side;
    const bool fits = later && (SaysWhatIsEqual(finding) || SaysAny(finding, fitting));
    judged.wrong |= !fits;
    texts += finding.text;
    judged.said += fmt::format("\n    {}{}: {}",
                               fits    ? ""
                               : later ? "WRONG "
                                       : "WRONG SIDE ",
                               FindingKindName(finding.kind), finding.text);
  }
  for (const std::string& kind : child.done) {
    judged.missing |= std::none_of(
        comparison.findings.begin(), comparison.findings.end(),
        [&](const Finding& finding) { return SaysAny(finding, WordsOf(kind).required); });
  }
  if (child_side == Side::kA) return judged;
  for (const std::string& text : child.exactly) {
    if (ContainsAny(texts, text)) continue;
    judged.missing = true;
    judged.said += fmt::format("\n    NOT SAID {}", text);
  }
  return judged;
}

void JudgePair(const KnownModel& child, const KnownModel& parent, bool all, Counts& counts) {
  const auto compared = CompareFingerprints(parent.fingerprint, child.fingerprint);
  const auto reversed = CompareFingerprints(child.fingerprint, parent.fingerprint);
  if (!compared || !reversed) return;
  Judged judged = JudgeWords(child, Side::kB, *compared);
  const Judged other = JudgeWords(child, Side::kA, *reversed);
  const bool order_decides = judged.wrong != other.wrong || (!judged.missing && other.missing);
  if (order_decides) judged.said += "\n  in the other order:" + other.said;
  judged.wrong |= other.wrong;
  judged.missing |= other.missing;
  for (Count* count : {&counts.by_kind[child.kind], &counts.words}) {
    ++(judged.wrong ? count->wrong : judged.missing ? count->missing : count->right);
  }
  if (!all && !judged.wrong && !judged.missing) return;
  const auto& kernels = compared->kernels;
  fmt::print("{}\t{}\t{}\t{}\t{}, kernels {:.5f}, weights {:.5f}{}\n",
             judged.wrong     ? "wrong"
             : judged.missing ? "missing"
                              : "right",
             child.kind, child.name, parent.name, VerdictName(compared->verdict),
             kernels ? kernels->alignment.score : 0, compared->sketches.cosine, judged.said);
}

// The parents of a merge are named, and nobody else; those of another model are not.
void JudgeParents(const std::vector<KnownModel>& models, const KnownModel& child, bool all,
                  Counts& counts) {
  std::vector<const Fingerprint*> candidates;
  std::vector<std::string> names;
  for (const KnownModel& model : models) {
    if (&model == &child || IsMerge(model) || !model.is_library) continue;
    candidates.push_back(&model.fingerprint);
    names.push_back(model.name);
  }
  const auto merge = FindMergeParents(child.fingerprint, candidates);
  std::set<std::string> truth(child.parents.begin(), child.parents.end());
  size_t found = 0;
  size_t false_ones = 0;
  std::string text;
  if (merge) {
    for (const MergeParent& parent : merge->parents) {
      const std::string& name = names[parent.candidate];
      text += fmt::format("\t{} {:.3f}", name, parent.weight);
      // The base of the parents is one too: task arithmetic and sparse merges start from it.
      const bool base = name == child.parents.front().substr(0, child.parents.front().find("--"));
      if (truth.contains(name)) ++found;
      if (!truth.contains(name) && !base) ++false_ones;
    }
  }
  const bool merged = IsMerge(child);
  const bool wrong = merge && (!merged || false_ones > 0);
  const bool missing = merged && found < truth.size();
  ++(wrong ? counts.merges.wrong : missing ? counts.merges.missing : counts.merges.right);
  if (!all && !wrong && !missing) return;
  fmt::print("parents {}\t{}\t{}\tof {}\tleft {:.4f}{}\n",
             wrong     ? "wrong"
             : missing ? "missing"
                       : "right",
             child.kind, child.name, fmt::join(child.parents, " and "),
             merge ? merge->residual : 1.0, text);
}

void PrintCount(const std::string& what, const Count& count) {
  fmt::print("| {} | {} | {} | {} | {} |\n", what, count.All(), count.right, count.missing,
             count.wrong);
}

Result<void> Print(const std::vector<std::filesystem::path>& truths, bool all) {
  std::vector<KnownModel> models;
  for (const auto& path : truths) {
    auto read = ReadModels(path, &path == &truths.front(), models);
    if (!read) return read;
  }
  Counts counts;
  for (const KnownModel& child : models) {
    for (const KnownModel& parent : models) {
      if (std::find(child.parents.begin(), child.parents.end(), parent.name) ==
          child.parents.end()) {
        continue;
      }
      JudgePair(child, parent, all, counts);
    }
    if (!child.parents.empty()) JudgeParents(models, child, all, counts);
  }
  fmt::print("\n| what was done | pairs | right | not said | said and not done |\n");
  fmt::print("| --- | ---: | ---: | ---: | ---: |\n");
  for (const auto& [kind, count] : counts.by_kind) PrintCount(kind, count);
  PrintCount("all", counts.words);
  PrintCount("parents of merges, none of others", counts.merges);
  return {};
}

}  // namespace
}  // namespace tensorguard::internal

int main(int argument_count, char** arguments) {
  std::vector<std::filesystem::path> truths;
  bool all = false;
  for (int i = 1; i < argument_count; ++i) {
    const std::string argument = arguments[i];
    if (argument == "--all") {
      all = true;
    } else {
      truths.push_back(argument);
    }
  }
  if (truths.empty()) {
    fmt::print(stderr, "usage: findings_table [--all] TRUTH.json...\n");
    return 2;
  }
  const auto printed = tensorguard::internal::Print(truths, all);
  if (printed) return 0;
  fmt::print(stderr, "findings_table: {}\n", tensorguard::DescribeError(printed.error()));
  return 2;
}
