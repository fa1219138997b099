#include "report/stress_page.h"

#include <fmt/format.h>

#include <vector>

#include "drawing/html_text.h"
#include "transform/stress/stress_words.h"

namespace tensorguard::internal {
namespace {

using Row = std::vector<std::string>;

Row RowOf(const StressCell& cell) {
  return {CellName(cell),
          cell.damage ? fmt::format("{:.1g}", *cell.damage) : "–",
          cell.against,
          cell.profile,
          cell.score ? fmt::format("{:.3f}", *cell.score) : "–",
          cell.log10_p ? fmt::format("{:.0f}", *cell.log10_p) : "–",
          std::string(VerdictName(cell.verdict)),
          std::string(OutcomeName(cell.outcome))};
}

std::string GridHtml(const std::vector<StressCell>& cells) {
  std::vector<Row> rows;
  for (const StressCell& cell : cells) rows.push_back(RowOf(cell));
  return HtmlTable(
      {"change", "logits moved", "against", "profile", "score", "log10 p", "verdict", "outcome"},
      rows, 8);
}

}  // namespace

std::string DrawStressPage(const StressReport& report) {
  std::string html = fmt::format("<h1>What is still found of {}</h1>\n", EscapeHtml(report.model));
  html += fmt::format(
      "<p class=\"quiet\">Seed {}. Each row is one changed copy against one "
      "model; the logits' largest difference is relative to the largest "
      "logit.</p>\n",
      report.seed);
  html += "<h2>Weakest spots</h2>\n" + HtmlList(report.weakest);
  html += "<h2>All changes</h2>\n" + GridHtml(report.cells);
  if (!report.search.empty()) {
    html += fmt::format("<h2>The search</h2>\n<p>{} copies tried.</p>\n", report.search_tries);
    html += GridHtml(report.search);
  }
  if (!report.skipped.empty()) {
    std::vector<std::string> lines;
    for (const SkippedChange& skipped : report.skipped) {
      lines.push_back(fmt::format("{}: {}", skipped.change, skipped.reason));
    }
    html += "<h2>Left out</h2>\n" + HtmlList(lines);
  }
  return HtmlPage(fmt::format("Stress of {}", report.model), html);
}

}  // namespace tensorguard::internal
