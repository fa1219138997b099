#include "cli/output/evaluate_output.h"

#include <fmt/format.h>

#include <map>

#include "base/text.h"
#include "cli/output/text_layout.h"

namespace tensorguard::internal::cli {
namespace {

std::string NumberText(const std::optional<double>& number) {
  return number ? fmt::format("{:.3f}", *number) : "-";
}

std::string ShareText(const std::optional<double>& share) {
  return share ? fmt::format("{:.1f}%", 100 * *share) : "-";
}

// "12 derived, 1 independent".
std::string CountsText(const std::map<std::string, size_t>& counts) {
  std::string text;
  for (const auto& [name, count] : counts) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, name);
  }
  return text;
}

std::string PairsText(const EvaluationReport& report) {
  const bool deep = report.profile == EvaluatedProfile::kDeep;
  std::vector<std::vector<std::string>> rows = {{"model", "base", "score"}};
  std::vector<Align> alignments = {Align::kLeft, Align::kLeft, Align::kRight};
  if (deep) {
    rows[0].push_back("-log10 p");
    alignments.push_back(Align::kRight);
  }
  rows[0].insert(rows[0].end(), {"verdict", "truth"});
  alignments.insert(alignments.end(), {Align::kLeft, Align::kLeft});
  for (size_t i = 0; i < report.pairs.size(); ++i) {
    const EvaluationPair& pair = report.pairs[i];
    std::vector<std::string> row = {EscapeControl(report.models[pair.model].name),
                                    EscapeControl(report.models[pair.base].name),
                                    NumberText(report.answers[i].score)};
    if (deep) row.push_back(NumberText(report.answers[i].negative_log10_p));
    row.push_back(report.answers[i].verdict);
    row.push_back(
        fmt::format("{} ({})", pair.derived ? "derived" : "independent", EscapeControl(pair.kind)));
    rows.push_back(std::move(row));
  }
  return Columns(rows, alignments);
}

std::string KindsText(const Evaluation& evaluation) {
  std::vector<std::vector<std::string>> rows = {
      {"kind", "pairs", "scored", "found", "lowest", "highest", "verdicts"}};
  for (const auto& [name, kind] : evaluation.kinds) {
    rows.push_back({EscapeControl(name), fmt::format("{}", kind.pairs),
                    fmt::format("{}", kind.scored), fmt::format("{}", kind.found),
                    NumberText(kind.lowest_score), NumberText(kind.highest_score),
                    CountsText(kind.verdicts)});
  }
  return Columns(rows, {Align::kLeft, Align::kRight, Align::kRight, Align::kRight, Align::kRight,
                        Align::kRight, Align::kLeft});
}

std::string TotalsText(const Evaluation& evaluation) {
  const Ranking& ranking = evaluation.ranking;
  std::vector<std::vector<std::string>> rows = {
      {"derived pairs", fmt::format("{}", ranking.derived)},
      {"independent pairs", fmt::format("{}", ranking.independent)},
      {"pairs without a score", fmt::format("{}", evaluation.unscored)},
      {"AUC", NumberText(ranking.auc)},
      {"found at no false positive", ShareText(ranking.found_at_no_false_positive)},
      {"found at 1% false positives", ShareText(ranking.found_at_1_percent)},
      {"lowest derived score", NumberText(ranking.lowest_derived)},
      {"highest independent score", NumberText(ranking.highest_independent)},
      {"margin", NumberText(ranking.margin)},
      {"nearest base right",
       fmt::format("{} of {}", evaluation.nearest_base_right, evaluation.nearest_base_asked)}};
  std::string text = Columns(rows, {Align::kLeft, Align::kRight});
  for (const std::string& name : evaluation.nearest_base_wrong) {
    text += fmt::format("  another base is nearer: {}\n", EscapeControl(name));
  }
  return text;
}

std::string ConfusionText(const Evaluation& evaluation) {
  std::string text;
  for (const auto& [truth, verdicts] : evaluation.confusion) {
    text += fmt::format("verdicts on {} pairs: {}\n", truth, CountsText(verdicts));
  }
  return text;
}

std::string MergesText(const EvaluationReport& report) {
  std::string text;
  for (const MergeAnswer& merge : report.merges) {
    text += fmt::format("{} merges {}", EscapeControl(merge.model),
                        merge.found ? EscapeControl(MergeText(*merge.found)) : "nothing known");
    text += "; truth:";
    for (size_t i = 0; i < merge.true_parents.size(); ++i) {
      if (!merge.true_weights.empty()) text += fmt::format(" {:.2f}", merge.true_weights[i]);
      text += " " + EscapeControl(merge.true_parents[i]);
    }
    text += "\n";
  }
  for (const CopyAnswer& copy : report.copies) {
    text += fmt::format("{} and {}: {}; truth: identical\n", EscapeControl(copy.model),
                        EscapeControl(copy.twin), copy.verdict);
  }
  return text;
}

}  // namespace

std::string EvaluationToText(const EvaluationReport& report) {
  std::string text = PairsText(report) + "\n" + KindsText(report.evaluation) + "\n";
  text += TotalsText(report.evaluation) + "\n" + ConfusionText(report.evaluation);
  const std::string merges = MergesText(report);
  return merges.empty() ? text : text + "\n" + merges;
}

}  // namespace tensorguard::internal::cli
