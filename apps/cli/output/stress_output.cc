#include "cli/output/stress_output.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/text.h"
#include "cli/output/text_layout.h"
#include "transform/stress/stress_words.h"

namespace tensorguard::internal::cli {
namespace {

std::string NumberText(const std::optional<double>& number, const char* format) {
  return number ? fmt::format(fmt::runtime(format), *number) : "-";
}

std::vector<std::string> RowOf(const StressCell& cell, bool with_test, bool with_against) {
  std::vector<std::string> row = {EscapeControl(CellName(cell)), NumberText(cell.damage, "{:.1g}")};
  if (with_against) row.push_back(EscapeControl(cell.against));
  if (with_test) {
    row.push_back(cell.profile);
    row.push_back(NumberText(cell.log10_p, "{:.0f}"));
  }
  row.push_back(NumberText(cell.score, "{:.3f}"));
  row.emplace_back(VerdictName(cell.verdict));
  row.emplace_back(OutcomeName(cell.outcome));
  return row;
}

std::string Grid(const std::vector<StressCell>& cells, bool with_test, bool with_against) {
  std::vector<std::string> headings;
  std::vector<Align> alignments;
  const auto column = [&](const char* heading, Align align) {
    headings.emplace_back(heading);
    alignments.push_back(align);
  };
  column("change", Align::kLeft);
  column("logits", Align::kRight);
  if (with_against) column("against", Align::kLeft);
  if (with_test) {
    column("profile", Align::kLeft);
    column("log10 p", Align::kRight);
  }
  column("score", Align::kRight);
  column("verdict", Align::kLeft);
  column("outcome", Align::kLeft);
  std::vector<std::vector<std::string>> rows = {headings};
  for (const StressCell& cell : cells) rows.push_back(RowOf(cell, with_test, with_against));
  return Columns(rows, alignments);
}

}  // namespace

std::string StressToText(const StressReport& report) {
  const bool with_test = std::ranges::any_of(
      report.cells, [](const StressCell& cell) { return cell.profile == "deep"; });
  std::string text = Grid(report.cells, with_test, !report.others.empty());
  for (const SkippedChange& skipped : report.skipped) {
    text += EscapeControl(fmt::format("left out: {}: {}", skipped.change, skipped.reason)) + "\n";
  }
  if (!report.search.empty()) {
    text += fmt::format("\nThe search, {} copies tried:\n", report.search_tries);
    text += Grid(report.search, false, false);
  }
  text += "\nWeakest spots:\n";
  for (const std::string& line : report.weakest) text += Wrapped(EscapeControl(line), 2);
  return text;
}

}  // namespace tensorguard::internal::cli
