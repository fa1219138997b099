// tensorguard cluster by the paper profile: the paper's families around given models.
#include <fmt/format.h>

#include "base/file.h"
#include "base/text.h"
#include "cli/commands/profile_commands.h"
#include "cli/models/distinct_names.h"
#include "cli/models/features.h"
#include "cli/output/family_output.h"
#include "cli/output/text_layout.h"
#include "drawing/scatter_plot.h"
#include "families/clustering.h"
#include "families/silhouette.h"
#include "numerics/principal_components.h"

namespace tensorguard::internal::cli {
namespace {

struct Families {
  FeatureMatrix matrix;
  Clustering clustering;
  std::optional<double> silhouette;
  PrincipalPlane plane;

  const std::string& center_of(size_t model) const {
    return clustering.center_names[clustering.cluster_of_model[model]];
  }
  std::vector<std::string> members_of(size_t cluster) const {
    std::vector<std::string> members;
    for (size_t i = 0; i < matrix.model_names.size(); ++i) {
      if (clustering.cluster_of_model[i] == cluster) members.push_back(matrix.model_names[i]);
    }
    return members;
  }
};

Result<Families> FindFamilies(const std::vector<PaperFeatures>& features,
                              const ClusterOptions& options) {
  auto matrix = BuildFeatureMatrix(
      features, options.impute ? MissingFeature::kImpute : MissingFeature::kRefuse);
  if (!matrix) return std::move(matrix).error();
  const auto cluster = options.method == "gmm" ? ClusterByMixture : ClusterByKMeans;
  auto clustering =
      cluster(*matrix, {.center_names = options.centers, .cluster_count = options.clusters});
  if (!clustering) return std::move(clustering).error();
  if (matrix->points.columns() < 2) {
    return Error{.kind = ErrorKind::kMismatch,
                 .problem = "the models have fewer than two features",
                 .found = fmt::format("{}", matrix->points.columns())};
  }
  auto plane = FindPrincipalPlane(matrix->points);
  if (!plane) return std::move(plane).error();
  const auto silhouette = Silhouette(matrix->points, clustering->cluster_of_model);
  return Families{*std::move(matrix), *std::move(clustering), silhouette, *std::move(plane)};
}

OrderedJson ToJson(const Families& families, const ClusterOptions& options) {
  OrderedJson json = ResultObject("cluster");
  json["method"] = options.method;
  json["assignments"] = OrderedJson::object();
  json["clusters"] = OrderedJson::array();
  json["silhouette"] = families.silhouette ? OrderedJson(*families.silhouette) : OrderedJson();
  json["pca"] = OrderedJson::object();
  json["explained_variance"] = families.plane.explained;
  for (size_t i = 0; i < families.matrix.model_names.size(); ++i) {
    const std::string& name = families.matrix.model_names[i];
    json["assignments"][name] = families.center_of(i);
    json["pca"][name] = families.plane.coordinates[i];
  }
  for (size_t c = 0; c < families.clustering.center_names.size(); ++c) {
    json["clusters"].push_back(
        {{"center", families.clustering.center_names[c]}, {"members", families.members_of(c)}});
  }
  json["imputed"] = ImputedToJson(families.matrix.imputed);
  return json;
}

std::string ToText(const Families& families) {
  std::string text;
  for (size_t c = 0; c < families.clustering.center_names.size(); ++c) {
    const std::vector<std::string> members = families.members_of(c);
    text += fmt::format("{}  ({} model{})\n", EscapeControl(families.clustering.center_names[c]),
                        members.size(), members.size() == 1 ? "" : "s");
    for (const std::string& member : members) text += fmt::format("  {}\n", EscapeControl(member));
  }
  text += families.silhouette ? fmt::format("\nsilhouette {:.3f}\n", *families.silhouette)
                              : "\nsilhouette: not defined for this number of families\n";
  return text + NotesText({}, families.matrix.imputed);
}

Result<void> WritePlot(const Families& families, const std::string& file, ImageFormat format) {
  ScatterPlot plot = {.title = "Families by the paper profile",
                      .family_names = families.clustering.center_names,
                      .points = {},
                      .explained = families.plane.explained};
  for (size_t i = 0; i < families.matrix.model_names.size(); ++i) {
    plot.points.push_back({.name = families.matrix.model_names[i],
                           .x = families.plane.coordinates[i][0],
                           .y = families.plane.coordinates[i][1],
                           .family = families.clustering.cluster_of_model[i],
                           .is_center = families.center_of(i) == families.matrix.model_names[i]});
  }
  const auto image = DrawScatterPlot(plot, format);
  if (!image) return image.error();
  return WriteFileAtomically(file, *image);
}

}  // namespace

Result<ExitStatus> RunClusterByPaperProfile(const ClusterOptions& options, Console& console) {
  std::optional<ImageFormat> plot_format;
  if (options.plot) {
    const auto format = ImageFormatOf(*options.plot);
    if (!format) return format.error();
    plot_format = *format;
  }
  ManyFeatures all = FeaturesOfAll(options.models, {.threads = options.threads}, console);
  NamesToTellApart names;
  names.AddAll(all.read, all.sources);
  names.TellApart();
  const auto families = FindFamilies(all.read, options);
  if (!families) return families.error();
  if (plot_format) {
    if (auto drawn = WritePlot(*families, *options.plot, *plot_format); !drawn) {
      return std::move(drawn).error();
    }
  }
  if (console.json()) {
    OrderedJson json = ToJson(*families, options);
    if (options.plot) json["plot"] = *options.plot;
    AddShortfall(all.shortfall, &json);
    console.PrintJson(json);
  } else {
    console.Print(ToText(*families));
  }
  return StatusAfter(all.shortfall, ExitStatus::kDone, console);
}

}  // namespace tensorguard::internal::cli
