// Families of models with known ancestry by the paper profile, against the truth. Prints a markdown
// table.
//   published_accuracy FEATURES_FOLDER LABELS.json
// LABELS.json: {"families": {BASE: [MODEL, ...], ...}}; each base is one of its own members.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdio>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "families/clustering.h"
#include "families/silhouette.h"
#include "paper/classify.h"
#include "paper/paper_features.h"

namespace tensorguard::internal {
namespace {

struct LabelledModels {
  std::vector<PaperFeatures> models;
  std::vector<std::string> families;  // of each model: the name of its base model
  std::vector<std::string> centers;

  bool IsBase(size_t model) const { return models[model].model_name == families[model]; }
};

// How many of the models are in the right family.
struct Tally {
  int right = 0;
  int models = 0;
  int right_derivatives = 0;
  int derivatives = 0;
  std::vector<std::string> wrong = {};

  void Add(const LabelledModels& labelled, size_t model, bool is_right) {
    ++models;
    right += is_right;
    if (!labelled.IsBase(model)) {
      ++derivatives;
      right_derivatives += is_right;
    }
    if (!is_right) wrong.push_back(labelled.models[model].model_name);
  }
};

Result<LabelledModels> ReadLabelled(const std::filesystem::path& folder,
                                    const std::filesystem::path& labels_path) {
  auto labels = ReadJsonFile(labels_path);
  if (!labels) return std::move(labels).error();
  LabelledModels labelled;
  for (const auto& [family, members] : labels->at("families").items()) {
    labelled.centers.push_back(family);
    for (const Json& member : members) {
      auto features = ReadPaperFeatures(folder / (member.get<std::string>() + "_features.json"));
      if (!features) return std::move(features).error();
      labelled.models.push_back(*std::move(features));
      labelled.families.push_back(family);
    }
  }
  return labelled;
}

Tally Judge(const LabelledModels& labelled, const Clustering& clustering) {
  Tally tally;
  for (size_t i = 0; i < labelled.models.size(); ++i) {
    tally.Add(labelled, i,
              clustering.center_names[clustering.cluster_of_model[i]] == labelled.families[i]);
  }
  return tally;
}

// Each derivative classified by all other models.
Result<Tally> LeaveOneOut(const LabelledModels& labelled) {
  Tally tally;
  for (size_t i = 0; i < labelled.models.size(); ++i) {
    if (labelled.IsBase(i)) continue;
    std::vector<PaperFeatures> others = labelled.models;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
    auto result = Classify(labelled.models[i], others, {.center_names = labelled.centers});
    if (!result) return std::move(result).error();
    tally.Add(labelled, i, result->candidates.front().name == labelled.families[i]);
  }
  return tally;
}

void PrintRow(std::string_view method, const Tally& tally, const std::string& silhouette) {
  fmt::print("| {} | {} of {} ({:.0f}%) | {} of {} | {} | {} |\n", method, tally.right_derivatives,
             tally.derivatives, 100.0 * tally.right_derivatives / tally.derivatives, tally.right,
             tally.models, silhouette, fmt::join(tally.wrong, ", "));
}

Result<void> PrintClustering(std::string_view method, const LabelledModels& labelled,
                             const FeatureMatrix& matrix,
                             Result<Clustering> (*cluster)(const ModelPoints&,
                                                           const ClusterOptions&)) {
  auto clustering = cluster(matrix, {.center_names = labelled.centers});
  if (!clustering) return std::move(clustering).error();
  const auto silhouette = Silhouette(matrix.points, clustering->cluster_of_model);
  PrintRow(method, Judge(labelled, *clustering),
           silhouette ? fmt::format("{:.4f}", *silhouette) : "undefined");
  return {};
}

Result<void> Print(const std::filesystem::path& folder, const std::filesystem::path& labels) {
  auto labelled = ReadLabelled(folder, labels);
  if (!labelled) return std::move(labelled).error();
  auto matrix = BuildFeatureMatrix(labelled->models, MissingFeature::kRefuse);
  if (!matrix) return std::move(matrix).error();
  fmt::print("| method | derivatives right | models right | silhouette | wrong |\n");
  fmt::print("| --- | --- | --- | --- | --- |\n");
  auto printed = PrintClustering("K-Means from base models", *labelled, *matrix, ClusterByKMeans);
  if (!printed) return printed;
  printed = PrintClustering("Gaussian mixture", *labelled, *matrix, ClusterByMixture);
  if (!printed) return printed;
  auto left_out = LeaveOneOut(*labelled);
  if (!left_out) return std::move(left_out).error();
  PrintRow("classify, leaving one out", *left_out, "");
  return {};
}

}  // namespace
}  // namespace tensorguard::internal

int main(int argument_count, char** arguments) {
  if (argument_count != 3) {
    fmt::print(stderr, "usage: published_accuracy FEATURES_FOLDER LABELS.json\n");
    return 2;
  }
  const auto printed = tensorguard::internal::Print(arguments[1], arguments[2]);
  if (printed) return 0;
  fmt::print(stderr, "published_accuracy: {}\n", tensorguard::DescribeError(printed.error()));
  return 2;
}
