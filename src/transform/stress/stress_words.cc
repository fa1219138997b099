#include "transform/stress/stress_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace tensorguard::internal {
namespace {

// Logits that moved less than this are those of a copy that works as it is.
constexpr double kWorks = 0.1;

bool Works(const StressCell& cell) { return cell.damage && *cell.damage <= kWorks; }

std::string Answer(const StressCell& cell) {
  std::string text = fmt::format("{}", VerdictName(cell.verdict));
  if (cell.score) text += fmt::format(", score {:.3f}", *cell.score);
  if (cell.log10_p) text += fmt::format(", p = 10^{:.0f}", *cell.log10_p);
  return text;
}

std::string Line(const StressCell& cell, std::string_view what) {
  const std::string logits =
      cell.damage ? fmt::format("logits moved by {:.1g}", *cell.damage) : "other tokens";
  return fmt::format("{} ({}, {}): {} {}: {}.", CellName(cell), logits, cell.profile, what,
                     cell.against, Answer(cell));
}

void AddAll(const StressReport& report, StressOutcome outcome, bool working, std::string_view what,
            std::vector<std::string>* lines) {
  for (const StressCell& cell : report.cells) {
    if (cell.outcome == outcome && Works(cell) == working) lines->push_back(Line(cell, what));
  }
}

void AddLowest(const StressReport& report, std::vector<std::string>* lines) {
  const StressCell* lowest = nullptr;
  for (const StressCell& cell : report.cells) {
    const bool counts = cell.outcome == StressOutcome::kFound && cell.against == report.model &&
                        Works(cell) && cell.score;
    if (counts && (lowest == nullptr || *cell.score < *lowest->score)) lowest = &cell;
  }
  if (lowest != nullptr) lines->push_back(Line(*lowest, "the lowest score that is found of"));
}

}  // namespace

std::string CellName(const StressCell& cell) {
  std::string name = cell.change;
  if (!cell.strength.empty()) name += fmt::format(" at {}", cell.strength);
  if (!cell.with.empty()) name += fmt::format(" with {}", cell.with);
  return name;
}

std::vector<std::string> WeakestSpots(const StressReport& report) {
  std::vector<std::string> lines;
  AddAll(report, StressOutcome::kMissed, true, "a working copy is not found to come from", &lines);
  for (const bool working : {true, false}) {
    AddAll(report, StressOutcome::kAccused, working, "accused of coming from", &lines);
  }
  AddAll(report, StressOutcome::kUndecided, true, "a working copy is left undecided against",
         &lines);
  AddLowest(report, &lines);
  const auto damaged = std::ranges::count_if(report.cells, [](const StressCell& cell) {
    return cell.outcome == StressOutcome::kMissed && !Works(cell);
  });
  if (damaged > 0) {
    lines.push_back(fmt::format(
        "{} more are not found where the logits moved by more than {}, or the tokens are others: "
        "such copies work only after healing.",
        damaged, kWorks));
  }
  for (const SkippedChange& skipped : report.skipped) {
    if (skipped.reason.starts_with("the copy is refused")) {
      lines.push_back(fmt::format("{}: {}.", skipped.change, skipped.reason));
    }
  }
  if (!report.search.empty()) {
    lines.push_back(Line(report.search.back(), "the search's best disguise of"));
  }
  if (lines.empty()) lines.emplace_back("Nothing was missed, and nobody accused.");
  return lines;
}

}  // namespace tensorguard::internal
