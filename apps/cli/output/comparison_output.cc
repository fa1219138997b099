#include "cli/output/comparison_output.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "comparison/stack_origins.h"
#include "cli/output/text_layout.h"
#include "report/origin_grid.h"

namespace tensorguard::internal::cli {
namespace {

std::string NumberText(const std::optional<double>& number) {
  return number ? fmt::format("{:.3f}", *number) : "-";
}

std::string ProbabilityText(double p_value) {
  return p_value < kSmallestPValue ? "< 1e-300" : fmt::format("{:.2g}", p_value);
}

std::string PercentText(const std::optional<double>& share) {
  return share ? fmt::format("{:.2f}%", 100 * *share) : "-";
}

std::string EvidenceText(const ComparedPair& pair) {
  std::vector<std::vector<std::string>> rows;
  if (const auto& kernels = pair.comparison.kernels) {
    const OffPath& other = kernels->alignment.off_path;
    std::string text =
        fmt::format("{:.3f}  over {} anchors", kernels->score, kernels->common_anchors);
    if (other.pairs > 0) {
      text += fmt::format("; layers that do not belong together {:.3f}, at most {:.3f}", other.mean,
                          other.highest);
    }
    rows.push_back({"kernels", text});
  }
  const SketchComparison& sketches = pair.comparison.sketches;
  if (sketches.parts > 0) {
    rows.push_back({"weights", fmt::format("{:.3f}  cosine over {} matrices; p {}", sketches.cosine,
                                           sketches.parts, ProbabilityText(sketches.p_value))});
  }
  if (const auto& frame = pair.comparison.frame) {
    rows.push_back(
        {"forms", fmt::format("{:.3f}  of the layers in the weights' own frame; layers that "
                              "do not belong together {:.3f}; p {}",
                              frame->score, frame->null_mean, ProbabilityText(frame->p_value))});
  }
  if (pair.test) {
    rows.push_back({"test", pair.test->log10_p
                                ? fmt::format("p = 10^{:.1f}  if the weights had no common origin",
                                              *pair.test->log10_p)
                                : "could not be asked"});
  }
  if (rows.empty()) return {};
  return Columns(rows, {Align::kLeft, Align::kLeft}) + "\n";
}

std::string LayersText(const ComparedPair& pair) {
  if (pair.comparison.layers.empty()) return {};
  std::vector<std::vector<std::string>> rows = {
      {"layer", "layer", "query-key", "output-value", "feed-forward", "weights", "change"}};
  for (const LayerMatch& match : pair.comparison.layers) {
    rows.push_back({LayerName(pair.first.layers[match.layer_a]),
                    LayerName(pair.second.layers[match.layer_b]), NumberText(match.kernels[0]),
                    NumberText(match.kernels[1]), NumberText(match.kernels[2]),
                    NumberText(match.sketch_cosine), PercentText(match.relative_change)});
  }
  return Columns(rows, std::vector(7, Align::kRight)) + "\n";
}

// Roles down, layers across, a letter each.
std::string MapText(const Fingerprint& model, const ModelOrigins& origins) {
  constexpr size_t kAcross = 60;
  const OriginGrid grid = GridOf(model, origins);
  if (grid.row_names.empty()) return {};
  std::string text;
  for (size_t first = 0; first < grid.column_names.size(); first += kAcross) {
    const size_t count = std::min(kAcross, grid.column_names.size() - first);
    std::vector<std::vector<std::string>> rows;
    for (size_t row = 0; row < grid.row_names.size(); ++row) {
      std::string letters;
      for (size_t column = first; column < first + count; ++column) {
        const auto& cell = grid.cells[row][column];
        letters += cell ? OriginLetter(cell->origin) : ' ';
      }
      rows.push_back({grid.row_names[row], letters});
    }
    text += fmt::format("layers {} to {} of {}\n", EscapeControl(grid.column_names[first]),
                        EscapeControl(grid.column_names[first + count - 1]),
                        EscapeControl(model.model_name)) +
            Columns(rows, {Align::kLeft, Align::kLeft}, 2);
  }
  return text;
}

// What of each model lies in the other, and where.
std::string OriginsText(const ComparedPair& pair) {
  const PairOrigins& origins = pair.comparison.origins;
  std::vector<std::vector<std::string>> rows = {{"of the parameters of", "same", "changed",
                                                 "rewritten", "nothing", "not comparable",
                                                 "not read"}};
  for (const auto& [model, found] :
       {std::pair(&pair.first, &origins.a), std::pair(&pair.second, &origins.b)}) {
    std::vector<std::string> row = {EscapeControl(model->model_name)};
    for (const Origin origin : kOrigins) {
      row.push_back(ShareText(found->all.Share(origin)));
    }
    rows.push_back(std::move(row));
    const auto stacks = OriginsByStack(*model, *found);
    if (stacks.size() < 2) continue;
    for (const StackOrigins& stack : stacks) {
      std::vector<std::string> of_stack = {"  " + EscapeControl(stack.stack)};
      for (const Origin origin : kOrigins) of_stack.push_back(ShareText(stack.counts.Share(origin)));
      rows.push_back(std::move(of_stack));
    }
  }
  std::vector<Align> alignments(7, Align::kRight);
  alignments[0] = Align::kLeft;
  std::string text = Columns(rows, alignments) + "\n";
  if (pair.verdict == Verdict::kIdentical || origins.b.all.Traced() == 0) return text;
  text += MapText(pair.second, origins.b);
  text += "  = same numbers, ~ changed, r rewritten, . nothing found, ? cannot be compared\n\n";
  return text;
}

// Who came first, and what shows it.
std::string DirectionSection(const ComparedPair& pair) {
  const std::string sentence = DirectionText(pair);
  if (sentence.empty()) return {};
  std::string text = Wrapped(EscapeControl(sentence), 0);
  const Direction direction = DirectionOf(pair);
  for (const DirectionSign& sign : direction.signs) {
    const bool against = direction.leaning && sign.later != *direction.leaning;
    text += Wrapped(EscapeControl((against ? "against: " : "") + sign.text), 2);
  }
  return text;
}

}  // namespace

std::string ComparedPairToText(const ComparedPair& pair) {
  std::string text = fmt::format("{} and {}: {}", EscapeControl(pair.first.model_name),
                                 EscapeControl(pair.second.model_name), VerdictName(pair.verdict));
  if (pair.in_part) text += " in part";
  text += pair.comparison.score ? fmt::format("  (score {:.3f})\n", *pair.comparison.score) : "\n";
  text += Wrapped(EscapeControl(ReasonOf(pair)), 0);
  text += DirectionSection(pair);
  text += "\n" + EvidenceText(pair) + OriginsText(pair) + LayersText(pair);
  for (const std::string& note : NotesOf(pair)) text += Wrapped(EscapeControl(note), 0);
  return text;
}

}  // namespace tensorguard::internal::cli
