// tensorguard cluster by the full profile: families by how alike the models' layers answer.
#include <fmt/format.h>

#include "base/file.h"
#include "base/parallel.h"
#include "base/text.h"
#include "cli/commands/profile_commands.h"
#include "cli/models/distinct_names.h"
#include "cli/models/fingerprints.h"
#include "cli/output/family_output.h"
#include "comparison/compare_fingerprints.h"
#include "comparison/thresholds.h"
#include "drawing/scatter_plot.h"
#include "families/clustering.h"
#include "families/silhouette.h"
#include "families/similarity_layout.h"
#include "families/similarity_matrix.h"
#include "numerics/principal_components.h"

namespace tensorguard::internal::cli {
namespace {

struct FamilyGroups {
  std::string method = {};
  std::vector<std::string> model_names = {};
  std::vector<std::string> centers = {};  // a name per family
  std::vector<size_t> family_of_model = {};
  std::optional<double> silhouette = {};
  // Empty where some pair cannot be compared, or there are fewer than two dimensions.
  std::optional<PrincipalPlane> plane = {};
  std::vector<std::array<double, 2>> layout = {};  // for a picture
};

Result<SimilarityMatrix> CompareAll(const std::vector<Fingerprint>& models, unsigned threads) {
  std::vector<std::string> names;
  std::vector<std::pair<size_t, size_t>> pairs;
  for (size_t i = 0; i < models.size(); ++i) {
    names.push_back(models[i].model_name);
    for (size_t j = 0; j < i; ++j) {
      if (names[j] == names[i]) {
        return Error{.kind = ErrorKind::kMismatch,
                     .problem = fmt::format("two models are named \"{}\"", names[i])};
      }
      pairs.emplace_back(j, i);
    }
  }
  std::vector<std::optional<double>> scores(pairs.size());
  auto done = ParallelFor(pairs.size(), threads, [&](size_t i) -> Result<void> {
    const auto comparison = CompareFingerprints(models[pairs[i].first], models[pairs[i].second]);
    if (!comparison) return comparison.error();
    scores[i] = comparison->score;
    return {};
  });
  if (!done) return std::move(done).error();
  SimilarityMatrix similarities(std::move(names));
  for (size_t i = 0; i < pairs.size(); ++i) {
    if (scores[i]) similarities.SetScore(pairs[i].first, pairs[i].second, *scores[i]);
  }
  return similarities;
}

// The member with the highest sum of scores with its family.
std::string CenterOf(const SimilarityMatrix& similarities, const Families& families,
                     size_t family) {
  std::optional<size_t> center;
  double highest = 0;
  const auto& names = similarities.model_names();
  for (size_t i = 0; i < names.size(); ++i) {
    if (families.family_of_model[i] != family) continue;
    double sum = 0;
    for (size_t j = 0; j < names.size(); ++j) {
      if (families.family_of_model[j] == family) sum += similarities.Score(i, j).value_or(0);
    }
    if (center && sum <= highest) continue;
    center = i;
    highest = sum;
  }
  return names[*center];
}

FamilyGroups GroupByLikeness(const SimilarityMatrix& similarities) {
  const Families families = FindFamilies(similarities, kDerivedScore);
  FamilyGroups groups = {.method = "hierarchical",
                         .model_names = similarities.model_names(),
                         .family_of_model = families.family_of_model,
                         .silhouette = families.silhouette};
  for (size_t family = 0; family < families.count; ++family) {
    groups.centers.push_back(CenterOf(similarities, families, family));
  }
  return groups;
}

Result<FamilyGroups> GroupAroundCenters(const ModelPoints& embedding,
                                        const ClusterOptions& options) {
  const auto cluster = options.method == "gmm" ? ClusterByMixture : ClusterByKMeans;
  auto clustering =
      cluster(embedding, {.center_names = options.centers, .cluster_count = options.clusters});
  if (!clustering) return std::move(clustering).error();
  return FamilyGroups{.method = options.method,
                      .model_names = embedding.model_names,
                      .centers = clustering->center_names,
                      .family_of_model = clustering->cluster_of_model,
                      .silhouette = Silhouette(embedding.points, clustering->cluster_of_model)};
}

Result<FamilyGroups> FindGroups(const std::vector<Fingerprint>& models,
                                const ClusterOptions& options) {
  const auto similarities = CompareAll(models, options.threads);
  if (!similarities) return similarities.error();
  const auto embedding = EmbedSimilarities(*similarities);
  if (!options.centers.empty() && !embedding) return embedding.error();
  auto groups = options.centers.empty() ? Result<FamilyGroups>(GroupByLikeness(*similarities))
                                        : GroupAroundCenters(*embedding, options);
  if (!groups) return groups;
  groups->layout = LayOutModels(*similarities, groups->family_of_model);
  if (embedding && embedding->points.columns() >= 2) {
    auto plane = FindPrincipalPlane(embedding->points);
    if (!plane) return std::move(plane).error();
    groups->plane = *std::move(plane);
  }
  return groups;
}

std::vector<std::string> MembersOf(const FamilyGroups& groups, size_t family) {
  std::vector<std::string> members;
  for (size_t i = 0; i < groups.model_names.size(); ++i) {
    if (groups.family_of_model[i] == family) members.push_back(groups.model_names[i]);
  }
  return members;
}

OrderedJson ToJson(const FamilyGroups& groups) {
  OrderedJson json = ResultObject("cluster");
  json["profile"] = "full";
  json["method"] = groups.method;
  json["assignments"] = OrderedJson::object();
  json["clusters"] = OrderedJson::array();
  json["silhouette"] = groups.silhouette ? OrderedJson(*groups.silhouette) : OrderedJson();
  json["pca"] = groups.plane ? OrderedJson::object() : OrderedJson();
  for (size_t i = 0; i < groups.model_names.size(); ++i) {
    const std::string& name = groups.model_names[i];
    json["assignments"][name] = groups.centers[groups.family_of_model[i]];
    if (groups.plane) json["pca"][name] = groups.plane->coordinates[i];
  }
  for (size_t family = 0; family < groups.centers.size(); ++family) {
    json["clusters"].push_back(
        {{"center", groups.centers[family]}, {"members", MembersOf(groups, family)}});
  }
  return json;
}

std::string ToText(const FamilyGroups& groups) {
  std::string text;
  for (size_t family = 0; family < groups.centers.size(); ++family) {
    const std::vector<std::string> members = MembersOf(groups, family);
    text += fmt::format("{}  ({} model{})\n", EscapeControl(groups.centers[family]), members.size(),
                        members.size() == 1 ? "" : "s");
    for (const std::string& member : members) text += fmt::format("  {}\n", EscapeControl(member));
  }
  text += groups.silhouette ? fmt::format("\nsilhouette {:.3f}\n", *groups.silhouette)
                            : "\nsilhouette: not defined for these families\n";
  return text;
}

Result<void> WritePlot(const FamilyGroups& groups, const std::string& file, ImageFormat format) {
  ScatterPlot plot = {.title = "Families by the full profile",
                      .family_names = groups.centers,
                      .points = {},
                      .center_label = "centre"};
  for (size_t i = 0; i < groups.model_names.size(); ++i) {
    const size_t family = groups.family_of_model[i];
    plot.points.push_back({.name = groups.model_names[i],
                           .x = groups.layout[i][0],
                           .y = groups.layout[i][1],
                           .family = family,
                           .is_center = groups.centers[family] == groups.model_names[i]});
  }
  const auto image = DrawScatterPlot(plot, format);
  if (!image) return image.error();
  return WriteFileAtomically(file, *image);
}

}  // namespace

Result<ExitStatus> RunClusterByFullProfile(const ClusterOptions& options, Console& console) {
  std::optional<ImageFormat> plot_format;
  if (options.plot) {
    const auto format = ImageFormatOf(*options.plot);
    if (!format) return format.error();
    plot_format = *format;
  }
  ManyFingerprints all = FingerprintsOfAll(options.models, {.threads = options.threads}, console);
  NamesToTellApart names;
  names.AddAll(all.read, all.sources);
  names.TellApart();
  const auto groups = FindGroups(all.read, options);
  if (!groups) return groups.error();
  if (plot_format) {
    if (auto drawn = WritePlot(*groups, *options.plot, *plot_format); !drawn) {
      return std::move(drawn).error();
    }
  }
  if (console.json()) {
    OrderedJson json = ToJson(*groups);
    if (options.plot) json["plot"] = *options.plot;
    AddShortfall(all.shortfall, &json);
    console.PrintJson(json);
  } else {
    console.Print(ToText(*groups));
  }
  return StatusAfter(all.shortfall, ExitStatus::kDone, console);
}

}  // namespace tensorguard::internal::cli
