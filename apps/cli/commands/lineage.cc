// tensorguard lineage: who came from whom among many models.
#include <fmt/format.h>

#include "api/lineage/family_lineage.h"
#include "api/lineage/lineage_json.h"
#include "api/lineage/lineage_lines.h"
#include "api/lineage/lineage_pictures.h"
#include "base/file.h"
#include "base/text.h"
#include "base/try.h"
#include "cli/commands/commands.h"
#include "cli/commands/console_session.h"
#include "cli/output/family_output.h"
#include "cli/output/text_layout.h"

namespace tensorguard::internal::cli {
namespace {

// What stands before a name: a bar for each generation that goes on below.
std::string BranchOf(const LineageLine& line, const std::vector<bool>& goes_on) {
  if (line.depth == 0) return {};
  std::string text;
  for (size_t depth = 1; depth < line.depth; ++depth) text += goes_on[depth] ? "|  " : "   ";
  return text + (line.last ? "`- " : "|- ");
}

std::string CountsOf(const FamilyLineage& lineage, const std::vector<LineageLine>& lines) {
  size_t edges = 0;
  size_t shown = 0;
  size_t doubtful = 0;
  for (const LineageLine& line : lines) {
    if (line.edge == nullptr) continue;
    ++edges;
    shown += line.edge->directed;
    doubtful += line.edge->certainty < kSureEdge;
  }
  std::string text = fmt::format("{} steps; of {} it is shown which came first; {} below {:.2f}\n",
                                 edges, shown, doubtful, kSureEdge);
  if (!lineage.uncertain.empty()) {
    text += fmt::format("{} left out: their parents are less certain than asked\n",
                        lineage.uncertain.size());
  }
  const auto alone = ModelsAlone(lineage);
  if (alone.empty()) return text;
  text += "no relative here:";
  for (const size_t model : alone) text += " " + EscapeControl(lineage.names[model]);
  return text + "\n";
}

std::string RemarksOf(const LineageLine& line) {
  if (line.doubt.empty() || line.declared.empty()) return line.doubt + line.declared;
  return line.doubt + "; " + line.declared;
}

std::string NameOrNone(const FamilyLineage& lineage, std::optional<size_t> node) {
  return node ? EscapeControl(lineage.names[*node]) : "-";
}

// Ours and those of the simpler rules, where any of them names a parent.
std::string BaselinesText(const FamilyLineage& lineage) {
  if (lineage.baselines.empty()) return {};
  std::vector<std::vector<std::string>> rows = {{"", "here"}};
  for (const BaselineTrees& trees : lineage.baselines) rows.front().emplace_back(trees.name);
  for (const LineageLine& line : LinesOf(lineage)) {
    if (line.node >= lineage.graph.models) continue;
    std::optional<size_t> parent;
    if (line.edge != nullptr) parent = line.edge->parent;
    rows.push_back({EscapeControl(lineage.names[line.node]), NameOrNone(lineage, parent)});
    for (const BaselineTrees& trees : lineage.baselines) {
      rows.back().push_back(NameOrNone(lineage, trees.parents[line.node]));
    }
  }
  return "\nparents by simpler rules, which always name one:\n" +
         Columns(rows, std::vector<Align>(rows.front().size(), Align::kLeft)) + "\n";
}

std::string ToText(const FamilyLineage& lineage) {
  const auto lines = LinesOf(lineage);
  std::vector<std::vector<std::string>> rows;
  std::vector<bool> goes_on;
  for (const LineageLine& line : lines) {
    goes_on.resize(line.depth + 1);
    goes_on[line.depth] = !line.last;
    const std::string certainty =
        line.edge != nullptr ? fmt::format("{:.2f}", line.edge->certainty) : "";
    rows.push_back({BranchOf(line, goes_on) + EscapeControl(lineage.names[line.node]),
                    line.how.empty() ? "root, no known parent" : EscapeControl(line.how), certainty,
                    EscapeControl(RemarksOf(line))});
  }
  std::string text;
  if (!rows.empty()) {
    text = Columns(rows, {Align::kLeft, Align::kLeft, Align::kRight, Align::kLeft}) + "\n";
  }
  return text + CountsOf(lineage, lines) + BaselinesText(lineage);
}

std::string ContentOf(const FamilyLineage& lineage, const std::string& format) {
  if (format == "json") return FamilyLineageToJson(lineage).dump() + "\n";
  if (format == "dot") return LineageToDot(lineage);
  if (format == "svg") return LineageToSvg(lineage);
  if (format == "html") return LineageToHtml(lineage);
  return ToText(lineage);
}

}  // namespace

Result<ExitStatus> RunLineage(const LineageOptions& options, Console& console) {
  TG_ASSIGN(const auto lineage, TraceFamilies({.known = options.known,
                                               .root = options.root,
                                               .min_certainty = options.min_certainty,
                                               .baselines = options.baseline,
                                               .threads = options.threads},
                                              SessionOf(console)));
  if (options.output)
    TG_TRY(WriteFileAtomically(*options.output, ContentOf(lineage, options.format)));
  if (console.json() || (options.format == "json" && !options.output)) {
    console.PrintJson(FamilyLineageToJson(lineage));
  } else if (!options.output) {
    console.Print(ContentOf(lineage, options.format));
  }
  return StatusAfter(lineage.shortfall, ExitStatus::kDone, console);
}

}  // namespace tensorguard::internal::cli
