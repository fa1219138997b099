#include "cli/output/comparison_output.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "cli/output/quick_output.h"
#include "cli/output/text_layout.h"
#include "report/comparison_page.h"
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

// "3", or "encoder 3" in a model with more than one stack.
std::string LayerName(const LayerResponse& layer) {
  const std::string number = fmt::format("{}", layer.index);
  return layer.stack.empty() ? number : EscapeControl(layer.stack) + " " + number;
}

OrderedJson LayerToJson(const ComparedPair& pair, const LayerMatch& match) {
  return {{"a", match.layer_a},
          {"b", match.layer_b},
          {"name_a", LayerName(pair.first.layers[match.layer_a])},
          {"name_b", LayerName(pair.second.layers[match.layer_b])},
          {"similarity", NumberOrNull(match.similarity)},
          {"query_key", NumberOrNull(match.kernels[0])},
          {"output_value", NumberOrNull(match.kernels[1])},
          {"feed_forward", NumberOrNull(match.kernels[2])},
          {"sketch_cosine", NumberOrNull(match.sketch_cosine)},
          {"relative_change", NumberOrNull(match.relative_change)}};
}

OrderedJson KernelsToJson(const ComparedPair& pair) {
  const Comparison& comparison = pair.comparison;
  if (!comparison.kernels) return nullptr;
  const OffPath& off_path = comparison.kernels->alignment.off_path;
  OrderedJson layers = OrderedJson::array();
  for (const LayerMatch& match : comparison.layers) layers.push_back(LayerToJson(pair, match));
  return {{"score", comparison.kernels->score},
          {"common_anchors", comparison.kernels->common_anchors},
          {"anchor_agreement", NumberOrNull(comparison.kernels->anchor_agreement)},
          {"layers", layers},
          {"layers_by_index", comparison.layers_by_index},
          {"other_layers",
           {{"pairs", off_path.pairs},
            {"mean", off_path.mean},
            {"standard_deviation", off_path.standard_deviation},
            {"highest", off_path.highest}}}};
}

OrderedJson SketchesToJson(const ComparedPair& pair) {
  const SketchComparison& sketches = pair.comparison.sketches;
  if (sketches.parts == 0) return nullptr;
  OrderedJson tensors = OrderedJson::array();
  for (const SketchPair& each : sketches.pairs) {
    tensors.push_back({{"a", pair.first.weights[each.weights.in_a].tensor},
                       {"b", pair.second.weights[each.weights.in_b].tensor},
                       {"cosine", each.cosine},
                       {"relative_change", each.relative_change},
                       {"equal", each.equal}});
  }
  const auto vocabulary = [](const std::optional<VocabularyPair>& table) -> OrderedJson {
    if (!table) return nullptr;
    return {{"cosine", table->cosine}, {"relative_change", table->relative_change}};
  };
  return {{"cosine", sketches.cosine},         {"matrices", sketches.parts},
          {"p_value", sketches.p_value},       {"embedding", vocabulary(sketches.embedding)},
          {"head", vocabulary(sketches.head)}, {"tensors", tensors}};
}

OrderedJson TestToJson(const std::optional<DeepTest>& test) {
  if (!test) return nullptr;
  OrderedJson parts = OrderedJson::array();
  for (const DeepTestPart& part : test->parts) {
    parts.push_back(
        {{"name", part.name}, {"log10_p", NumberOrNull(part.log10_p)}, {"reason", part.reason}});
  }
  return {{"p_value", NumberOrNull(test->p_value)},
          {"log10_p", NumberOrNull(test->log10_p)},
          {"method", test->method},
          {"parts", parts},
          {"assumptions", test->assumptions},
          {"limits", test->limits}};
}

// What is worth telling beside the verdict, in the order of its weight.
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

// The comparison's own words, unless the test changed the verdict.
std::string ReasonOf(const ComparedPair& pair) {
  if (pair.verdict == pair.comparison.verdict) return pair.comparison.reason;
  return std::string(VerdictSentence(pair.verdict));
}

std::string SideName(const ComparedPair& pair, Side side) {
  return side == Side::kA ? pair.first.model_name : pair.second.model_name;
}

OrderedJson FrameToJson(const ComparedPair& pair) {
  const auto& frame = pair.comparison.frame;
  if (!frame) return nullptr;
  const auto matches = [&](const std::vector<FrameMatch>& halves) {
    OrderedJson list = OrderedJson::array();
    for (const FrameMatch& match : halves) {
      list.push_back({{"a", match.layer_a}, {"b", match.layer_b}, {"cosine", match.cosine}});
    }
    return list;
  };
  return {
      {"score", frame->score},
      {"p_value", frame->p_value},
      {"other_layers", {{"mean", frame->null_mean}, {"standard_deviation", frame->null_deviation}}},
      {"attention", matches(frame->attention)},
      {"feed_forward", matches(frame->feed_forward)}};
}

OrderedJson SharesToJson(const OriginCounts& counts) {
  OrderedJson json;
  for (const Origin origin : kOrigins) json[OriginName(origin)] = counts.Share(origin);
  return json;
}

OrderedJson PartsToJson(const Fingerprint& model, const ModelOrigins& origins,
                        const Fingerprint& other) {
  OrderedJson parts = OrderedJson::array();
  for (const PartOrigin& part : origins.parts) {
    const WeightSummary& weight = model.weights[part.weight];
    OrderedJson json = {{"tensor", weight.tensor},
                        {"role", ShownRoleName(weight.role)},
                        {"layer", weight.role.layer ? OrderedJson(*weight.role.layer) : nullptr},
                        {"origin", OriginName(part.origin)}};
    json["counterpart"] =
        part.counterpart ? OrderedJson(other.weights[*part.counterpart].tensor) : nullptr;
    json["cosine"] = NumberOrNull(part.cosine);
    parts.push_back(std::move(json));
  }
  return parts;
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
  }
  std::vector<Align> alignments(7, Align::kRight);
  alignments[0] = Align::kLeft;
  std::string text = Columns(rows, alignments) + "\n";
  if (pair.verdict == Verdict::kIdentical || origins.b.all.Traced() == 0) return text;
  text += MapText(pair.second, origins.b);
  text += "  = same numbers, ~ changed, r rewritten, . nothing found, ? cannot be compared\n\n";
  return text;
}

}  // namespace

std::string MergeText(const NamedMerge& merge) {
  std::string text;
  for (size_t i = 0; i < merge.parents.size(); ++i) {
    if (i > 0) text += i + 1 == merge.parents.size() ? " and " : ", ";
    text += fmt::format("{:.2f} {}", merge.weights[i], merge.parents[i]);
  }
  return text;
}

OrderedJson MergeToJson(const NamedMerge& merge) {
  OrderedJson parents = OrderedJson::array();
  for (size_t i = 0; i < merge.parents.size(); ++i) {
    parents.push_back({{"name", merge.parents[i]}, {"weight", merge.weights[i]}});
  }
  return {{"model", merge.model}, {"parents", parents}, {"residual", merge.residual}};
}

OrderedJson ComparedPairToJson(const ComparedPair& pair) {
  OrderedJson json = ResultObject("compare");
  json["a"] = pair.first.model_name;
  json["b"] = pair.second.model_name;
  json["profile"] = "full";
  json["verdict"] = VerdictName(pair.verdict);
  json["in_part"] = pair.in_part;
  json["score"] = NumberOrNull(pair.comparison.score);
  json["p_value"] = NumberOrNull(pair.comparison.p_value);
  json["reason"] = ReasonOf(pair);
  json["later_model"] = pair.comparison.derived
                            ? OrderedJson(SideName(pair, *pair.comparison.derived))
                            : OrderedJson();
  json["evidence"] = {{"kernel", KernelsToJson(pair)},
                      {"sketch", SketchesToJson(pair)},
                      {"frame", FrameToJson(pair)},
                      {"test", TestToJson(pair.test)}};
  const PairOrigins& origins = pair.comparison.origins;
  json["share"] = {{"a", SharesToJson(origins.a.all)}, {"b", SharesToJson(origins.b.all)}};
  json["parts"] = {{"a", PartsToJson(pair.first, origins.a, pair.second)},
                   {"b", PartsToJson(pair.second, origins.b, pair.first)}};
  json["findings"] = OrderedJson::array();
  for (const Finding& finding : pair.comparison.findings) {
    json["findings"].push_back({{"kind", FindingKindName(finding.kind)}, {"text", finding.text}});
  }
  json["quick"] = QuickToJson(pair.comparison, {&pair.first, &pair.second});
  json["merges"] = OrderedJson::array();
  for (const NamedMerge& merge : pair.merges) json["merges"].push_back(MergeToJson(merge));
  json["notes"] = NotesOf(pair);
  return json;
}

std::string ComparedPairToText(const ComparedPair& pair) {
  std::string text = fmt::format("{} and {}: {}", EscapeControl(pair.first.model_name),
                                 EscapeControl(pair.second.model_name), VerdictName(pair.verdict));
  if (pair.in_part) text += " in part";
  text += pair.comparison.score ? fmt::format("  (score {:.3f})\n", *pair.comparison.score) : "\n";
  text += Wrapped(EscapeControl(ReasonOf(pair)), 0);
  text += "\n" + EvidenceText(pair) + OriginsText(pair) + LayersText(pair);
  for (const std::string& note : NotesOf(pair)) text += Wrapped(EscapeControl(note), 0);
  return text;
}

std::string ComparedPairToHtml(const ComparedPair& pair) {
  return DrawComparisonPage({.first = pair.first,
                             .second = pair.second,
                             .comparison = pair.comparison,
                             .test = pair.test ? &*pair.test : nullptr,
                             .verdict = pair.verdict,
                             .in_part = pair.in_part,
                             .reason = ReasonOf(pair),
                             .notes = NotesOf(pair)});
}

}  // namespace tensorguard::internal::cli
