// The figures of docs/calibration.md: full fingerprints of models with known ancestry, compared.
//   fingerprint_calibration [--findings] TRUTH.json...
// Prints a line per pair: every derived model with its root and with the bases of other families,
// every two bases, every student with every base and student. Then the merges.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "comparison/compare_fingerprints.h"
#include "comparison/merges/merge_parents.h"
#include "evaluation/truth.h"
#include "model/model.h"
#include "profile/full_profile.h"

namespace tensorguard::internal {
namespace {

struct KnownModel {
  TruthModel truth;
  Fingerprint fingerprint;
};

Result<Fingerprint> FingerprintOf(const std::filesystem::path& folder, const TruthModel& model) {
  OpenModelOptions options;
  const auto path = folder / model.name;
  const auto is_adapter = NamesAdapter(path);
  if (!is_adapter) return is_adapter.error();
  if (*is_adapter) options.base = folder / model.root;
  const auto opened = OpenModel(path, options);
  if (!opened) return opened.error();
  return ComputeFullFingerprint(*opened);
}

Result<std::vector<KnownModel>> ReadModels(const std::filesystem::path& truth_path) {
  const auto truth = ReadTruth(truth_path);
  if (!truth) return truth.error();
  std::vector<KnownModel> models;
  for (const TruthModel& model : *truth) {
    auto fingerprint = FingerprintOf(truth_path.parent_path(), model);
    if (!fingerprint) return std::move(fingerprint).error();
    models.push_back({.truth = model, .fingerprint = *std::move(fingerprint)});
  }
  return models;
}

// What the truth says of a pair; empty for pairs that add nothing.
std::string Relationship(const TruthModel& a, const TruthModel& b) {
  const bool derived_a = a.relation == Relation::kDerived;
  if (b.relation == Relation::kDerived) return {};
  if (!derived_a) {
    const bool student =
        (a.relation == Relation::kIndependent) != (b.relation == Relation::kIndependent);
    return student && a.root == b.root ? "student" : "independent";
  }
  if (b.relation != Relation::kBase) return {};
  return a.root == b.name ? a.kind : "independent";
}

Result<void> PrintPair(const KnownModel& a, const KnownModel& b, bool findings) {
  const std::string relationship = Relationship(a.truth, b.truth);
  if (relationship.empty()) return {};
  const auto compared = CompareFingerprints(a.fingerprint, b.fingerprint);
  if (!compared) return compared.error();
  const auto& kernels = compared->kernels;
  const auto text = [](const std::optional<double>& value) {
    return value ? fmt::format("{:.4f}", *value) : std::string("-");
  };
  fmt::print(
      "{}\t{}\t{}\t{}\t{}\t{}\t{:.2g}\t{}\t{}\n", relationship, a.truth.name, b.truth.name,
      kernels ? kernels->common_anchors : 0,
      text(kernels ? std::optional(kernels->score) : std::nullopt),
      text(compared->sketches.parts > 0 ? std::optional(compared->sketches.cosine) : std::nullopt),
      compared->sketches.p_value, text(compared->score), VerdictName(compared->verdict));
  if (!findings || relationship == "independent") return {};
  for (const Finding& finding : compared->findings) {
    fmt::print("\t\t{}: {}{}\n", FindingKindName(finding.kind), finding.text,
               !finding.derived               ? ""
               : *finding.derived == Side::kA ? " [A]"
                                              : " [B]");
  }
  return {};
}

void PrintMerge(const std::vector<KnownModel>& models, const KnownModel& child) {
  std::vector<const Fingerprint*> candidates;
  std::vector<std::string> names;
  for (const KnownModel& model : models) {
    if (model.truth.name == child.truth.name) continue;
    candidates.push_back(&model.fingerprint);
    names.push_back(model.truth.name);
  }
  const auto merge = FindMergeParents(child.fingerprint, candidates);
  if (!merge) return;
  fmt::print("merge\t{}\t{:.4f}", child.truth.name, merge->residual);
  for (const MergeParent& parent : merge->parents) {
    fmt::print("\t{} {:.3f}", names[parent.candidate], parent.weight);
  }
  fmt::print("\n");
}

Result<void> Print(const std::vector<std::filesystem::path>& truths, bool findings) {
  std::vector<KnownModel> models;
  for (const auto& path : truths) {
    auto more = ReadModels(path);
    if (!more) return std::move(more).error();
    std::move(more->begin(), more->end(), std::back_inserter(models));
  }
  fmt::print("relationship\ta\tb\tanchors\tkernels\tweights\tp\tscore\tverdict\n");
  for (size_t i = 0; i < models.size(); ++i) {
    for (size_t j = 0; j < models.size(); ++j) {
      const bool derived = models[i].truth.relation == Relation::kDerived;
      if (i == j || (!derived && j < i)) continue;
      auto printed = PrintPair(models[i], models[j], findings);
      if (!printed) return printed;
    }
  }
  for (const KnownModel& model : models) PrintMerge(models, model);
  return {};
}

}  // namespace
}  // namespace tensorguard::internal

int main(int argument_count, char** arguments) {
  std::vector<std::filesystem::path> truths;
  bool findings = false;
  for (int i = 1; i < argument_count; ++i) {
    const std::string argument = arguments[i];
    if (argument == "--findings") {
      findings = true;
    } else {
      truths.push_back(argument);
    }
  }
  if (truths.empty()) {
    fmt::print(stderr, "usage: fingerprint_calibration [--findings] TRUTH.json...\n");
    return 2;
  }
  const auto printed = tensorguard::internal::Print(truths, findings);
  if (printed) return 0;
  fmt::print(stderr, "fingerprint_calibration: {}\n", tensorguard::DescribeError(printed.error()));
  return 2;
}
