#include "report/comparison_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string_view>
#include <utility>

#include "drawing/heat_map.h"
#include "drawing/html_text.h"
#include "report/origin_map.h"
#include "report/plain_summary.h"

namespace tensorguard::internal {
namespace {

using Row = std::vector<std::string>;

// Of a paragraph, or a command: longer names are an attempt to fill the page.
constexpr size_t kLongestText = 4000;

std::string NumberText(const std::optional<double>& number) {
  return number ? fmt::format("{:.3f}", *number) : "–";
}

// "10⁻²³" from the logarithm; plain where it is not small.
std::string PowerText(double log10_p) {
  constexpr std::array<std::string_view, 10> kDigits = {"⁰", "¹", "²", "³", "⁴",
                                                        "⁵", "⁶", "⁷", "⁸", "⁹"};
  if (log10_p > -4) return fmt::format("{:.2g}", std::pow(10.0, log10_p));
  std::string text = "10⁻";
  for (const char digit : fmt::format("{:.0f}", std::floor(-log10_p))) {
    text += kDigits[static_cast<size_t>(digit - '0')];
  }
  return text;
}

std::string ProbabilityText(double p_value) {
  return p_value < kSmallestPValue ? "below 10⁻³⁰⁰" : "= " + PowerText(std::log10(p_value));
}

std::string LayerName(const LayerResponse& layer) {
  const std::string number = fmt::format("{}", layer.index);
  return layer.stack.empty() ? number : layer.stack + " " + number;
}

std::string KernelTitle(ResponseKind kind) {
  switch (kind) {
    case ResponseKind::kQueryKey:
      return "Query-key kernels: who attends to whom";
    case ResponseKind::kOutputValue:
      return "Output-value kernels: what attention writes";
    case ResponseKind::kFeedForward:
      break;
  }
  return "Feed-forward kernels: what the feed-forward writes";
}

std::string VerdictHtml(const ComparisonPage& page) {
  const auto& score = page.comparison.score;
  return fmt::format(
      "<h1>{} and {}</h1>\n<div class=\"verdict\"><strong>{}{}</strong>{}<br>{}</div>\n",
      EscapeHtml(page.first.model_name), EscapeHtml(page.second.model_name),
      VerdictName(page.verdict), page.in_part ? " in part" : "",
      score ? fmt::format(" <span class=\"quiet\">score {:.3f} of 1</span>", *score) : "",
      EscapeHtml(page.reason));
}

std::string SummaryHtml(const ComparisonPage& page) {
  const auto paragraphs =
      PlainSummary({.first = page.first.model_name,
                    .second = page.second.model_name,
                    .verdict = page.verdict,
                    .in_part = page.in_part,
                    .origins = page.comparison.origins,
                    .direction = page.direction,
                    .weights_tested = page.test != nullptr && page.test->log10_p.has_value()});
  std::string html = "<h2>In plain words</h2>\n";
  for (const std::string& paragraph : paragraphs) {
    html += "<p>" + EscapeHtml(paragraph, kLongestText) + "</p>\n";
  }
  return html;
}

// What of each model lies in the other, in numbers and as a map.
std::string OriginsHtml(const ComparisonPage& page) {
  const PairOrigins& origins = page.comparison.origins;
  Row headings = {"of the parameters of"};
  for (const Origin origin : kOrigins) {
    headings.emplace_back(OriginName(origin));
    std::replace(headings.back().begin(), headings.back().end(), '_', ' ');
  }
  const auto row = [](const Fingerprint& model, const ModelOrigins& found) {
    Row cells = {model.model_name};
    for (const Origin origin : kOrigins) cells.push_back(ShareText(found.all.Share(origin)));
    return cells;
  };
  std::string html = "<h2>What of each model lies in the other</h2>\n" +
                     HtmlTable(headings, {row(page.first, origins.a), row(page.second, origins.b)});
  for (const auto& [model, found] :
       {std::pair(&page.first, &origins.a), std::pair(&page.second, &origins.b)}) {
    html += DrawOriginMap(GridOf(*model, *found), "The parts of " + model->model_name);
  }
  return html;
}

std::string ModelsHtml(const ComparisonPage& page) {
  const auto row = [](const Fingerprint& model) {
    return Row{model.model_name,
               model.architecture,
               fmt::format("{}", model.parameters),
               fmt::format("{}", model.layers.size()),
               fmt::format("{}", model.hidden_size),
               fmt::format("{}", model.vocabulary_size),
               fmt::format("{} {}", model.anchors.size(),
                           model.anchor_kind == AnchorKind::kTokens ? "tokens" : "rows")};
  };
  return "<h2>The models</h2>\n" + HtmlTable({"model", "architecture", "parameters", "layers",
                                              "hidden size", "vocabulary", "anchors"},
                                             {row(page.first), row(page.second)}, 2);
}

std::string EvidenceHtml(const ComparisonPage& page) {
  std::vector<Row> rows;
  if (const auto& kernels = page.comparison.kernels) {
    const OffPath& other = kernels->alignment.off_path;
    rows.push_back({"Response kernels, along the matched layers", NumberText(kernels->score),
                    fmt::format("{} anchors in common", kernels->common_anchors)});
    if (other.pairs > 0) {
      rows.push_back({"Layers that do not belong together", NumberText(other.mean),
                      fmt::format("{} pairs, standard deviation {:.3f}, highest {:.3f}",
                                  other.pairs, other.standard_deviation, other.highest)});
    }
  }
  const SketchComparison& sketches = page.comparison.sketches;
  if (sketches.parts > 0) {
    rows.push_back({"Weights as they stand, from sketches", NumberText(sketches.cosine),
                    fmt::format("{} matrices; that independent weights agree so well: p {}",
                                sketches.parts, ProbabilityText(sketches.p_value))});
  }
  if (const auto& frame = page.comparison.frame) {
    rows.push_back({"Forms of the layers in the weights' own frame", NumberText(frame->score),
                    fmt::format("no token asked; layers that do not belong together {:.3f}; by "
                                "chance p {}",
                                frame->null_mean, ProbabilityText(frame->p_value))});
  }
  if (page.test != nullptr && page.test->log10_p) {
    rows.push_back({"Test on the weights themselves", "p = " + PowerText(*page.test->log10_p),
                    page.test->method});
  }
  return "<h2>The evidence</h2>\n<div class=\"stacked\">" +
         HtmlTable({"what", "value", "over"}, rows, 3) + "</div>\n";
}

// All layers of the one model against all of the other; the matched ones framed.
std::string KernelMap(const ComparisonPage& page, ResponseKind kind) {
  const LayerSimilarity& similarity = page.comparison.kernels->similarity;
  HeatMap map = {.title = KernelTitle(kind),
                 .row_axis = "layer of " + page.first.model_name,
                 .column_axis = "layer of " + page.second.model_name};
  for (const size_t layer : similarity.layer_of_row()) {
    map.row_names.push_back(LayerName(page.first.layers[layer]));
  }
  for (const size_t layer : similarity.layer_of_column()) {
    map.column_names.push_back(LayerName(page.second.layers[layer]));
  }
  for (size_t row = 0; row < similarity.rows(); ++row) {
    map.values.emplace_back();
    for (size_t column = 0; column < similarity.columns(); ++column) {
      map.values.back().push_back(similarity.Cosine(kind, row, column));
    }
  }
  for (const AlignedLayers& pair : page.comparison.kernels->alignment.path) {
    map.framed.emplace_back(pair.row, pair.column);
  }
  return DrawHeatMap(map);
}

// The roles of the weights against the matched layers.
std::string WeightMap(const ComparisonPage& page) {
  HeatMap map = {.title = "Weights of matched layers: cosine of the sketches",
                 .row_axis = "role",
                 .column_axis = "layer of " + page.first.model_name};
  std::map<std::pair<std::string, uint32_t>, size_t> column_of_layer;
  for (const LayerMatch& match : page.comparison.layers) {
    const LayerResponse& layer = page.first.layers[match.layer_a];
    column_of_layer.emplace(std::pair(layer.stack, layer.index), map.column_names.size());
    map.column_names.push_back(LayerName(layer));
  }
  struct Mean {
    double sum = 0;
    double count = 0;
  };
  std::map<Role, std::vector<Mean>> rows;
  for (const SketchPair& pair : page.comparison.sketches.pairs) {
    const TensorRole& role = page.first.weights[pair.weights.in_a].role;
    if (!pair.learned || !role.layer) continue;
    const auto column = column_of_layer.find({role.stack, *role.layer});
    if (column == column_of_layer.end()) continue;
    auto& row = rows.try_emplace(role.role, map.column_names.size()).first->second;
    row[column->second].sum += pair.cosine;
    ++row[column->second].count;
  }
  if (rows.empty()) return {};
  for (const auto& [role, means] : rows) {
    map.row_names.emplace_back(RoleName(role));
    map.values.emplace_back();
    for (const Mean& mean : means) {
      map.values.back().push_back(mean.count > 0 ? std::optional(mean.sum / mean.count)
                                                 : std::nullopt);
    }
  }
  return DrawHeatMap(map);
}

std::string MapsHtml(const ComparisonPage& page) {
  std::string html = "<h2>Layer by layer</h2>\n";
  if (page.comparison.kernels) {
    html +=
        "<p class=\"quiet\">How alike each layer of the one model answers to each layer of the "
        "other; framed: the layers that were matched. A diagonal that stands out shows a common "
        "origin; an even field shows none, and rules none out.</p>\n<div class=\"maps\">\n";
    for (const ResponseKind kind : kResponseKinds) html += KernelMap(page, kind);
    html += WeightMap(page) + "</div>\n";
  } else {
    html +=
        "<p>The layers' answers could not be compared; see the findings.</p>\n" + WeightMap(page);
  }
  std::vector<Row> rows;
  for (const LayerMatch& match : page.comparison.layers) {
    rows.push_back(
        {LayerName(page.first.layers[match.layer_a]), LayerName(page.second.layers[match.layer_b]),
         NumberText(match.kernels[0]), NumberText(match.kernels[1]), NumberText(match.kernels[2]),
         NumberText(match.sketch_cosine),
         match.relative_change ? fmt::format("{:.2f}%", 100 * *match.relative_change) : "–"});
  }
  if (rows.empty()) return html;
  return html + HtmlTable({"layer", "layer", "query-key", "output-value", "feed-forward", "weights",
                           "change of the weights"},
                          rows, 0);
}

std::string TestHtml(const ComparisonPage& page) {
  if (page.test == nullptr) {
    return "<h2>The test</h2>\n<p>Not asked: this page rests on the fingerprints alone. "
           "<code>compare --deep</code> tests the weights themselves and gives a p-value.</p>\n";
  }
  std::vector<Row> rows;
  for (const DeepTestPart& part : page.test->parts) {
    rows.push_back({part.name, part.log10_p ? PowerText(*part.log10_p) : "–", part.reason});
  }
  return "<h2>The test</h2>\n" + HtmlTable({"part", "p", "why not"}, rows, 3) +
         "<p>It assumes:</p>\n" + HtmlList(page.test->assumptions) + "<p>It does not say:</p>\n" +
         HtmlList(page.test->limits);
}

constexpr std::string_view kLimits = R"(<h2>What this cannot show</h2>
<ul>
<li>Training on another model's outputs leaves no trace in the weights: such a student is
independent here.</li>
<li>Who trains an unrelated model on purpose toward a public one can forge likeness. The same
finding on a model that was published before the other is no proof against its authors.</li>
<li>New embeddings together with new feed-forward blocks in every layer come near to training
anew, and hide an origin.</li>
<li>Likeness has no direction. Where nothing more is shown, which of the two came first is a matter
of dates; both may come from a third.</li>
</ul>
)";

std::string DirectionHtml(const ComparisonPage& page) {
  if (page.direction.empty()) return {};
  std::vector<std::string> signs;
  for (const DirectionSign& sign : page.comparison.direction.signs) {
    const auto& leaning = page.comparison.direction.leaning;
    signs.push_back((leaning && sign.later != *leaning ? "against: " : "") + sign.text);
  }
  return "<h2>Who came first</h2>\n<p>" + EscapeHtml(page.direction) + "</p>\n" +
         (signs.empty() ? "" : HtmlList(signs));
}

std::string FilesHtml(const std::string& model, const std::vector<FileDigest>& files) {
  if (files.empty()) {
    return fmt::format("<p>The files of {} were not read for digests.</p>\n", EscapeHtml(model));
  }
  std::vector<Row> rows;
  for (const FileDigest& file : files) {
    rows.push_back({file.file, fmt::format("{}", file.bytes), file.blake3});
  }
  return "<div class=\"stacked digests\">" +
         HtmlTable({model, "bytes", "BLAKE3 (b3sum)"}, rows, 3) + "</div>\n";
}

std::string RepeatHtml(const ComparisonPage& page) {
  const PageOrigin& origin = page.origin;
  std::string html = "<h2>How to repeat it</h2>\n";
  if (!origin.command.empty())
    html += "<pre>" + EscapeHtml(origin.command, kLongestText) + "</pre>\n";
  html += fmt::format(
      "<p>Made with TensorGuard {}{}, fingerprints of version {}. The same files give the same "
      "answer.</p>\n",
      EscapeHtml(origin.version),
      origin.commit.empty() ? "" : ", commit " + EscapeHtml(origin.commit), kFingerprintVersion);
  html += FilesHtml(page.first.model_name, origin.first_files);
  html += FilesHtml(page.second.model_name, origin.second_files);
  if (origin.json.empty()) return html;
  return html + "<details><summary>The data as JSON</summary>\n<pre id=\"json\">" +
         EscapeMarkup(origin.json) + "</pre>\n</details>\n";
}

}  // namespace

std::string DrawComparisonPage(const ComparisonPage& page) {
  std::string body =
      VerdictHtml(page) + SummaryHtml(page) + DirectionHtml(page) + EvidenceHtml(page);
  if (!page.notes.empty()) body += "<h2>What was found</h2>\n" + HtmlList(page.notes);
  body += OriginsHtml(page) + MapsHtml(page) + TestHtml(page);
  body += kLimits;
  body += ModelsHtml(page) + RepeatHtml(page);
  return HtmlPage(fmt::format("{} and {}: {}", page.first.model_name, page.second.model_name,
                              VerdictName(page.verdict)),
                  body);
}

}  // namespace tensorguard::internal
