// direction_table: what each sign of direction says over all pairs of a folder of fingerprints
// whose ancestry is known (docs/lineage.md has figures from it).
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "comparison/compare_fingerprints.h"
#include "comparison/direction/direction_signs.h"
#include "evaluation/truth.h"
#include "fingerprint/file/fingerprint_file.h"

namespace tensorguard::internal {
namespace {

struct Model {
  TruthModel truth;
  Fingerprint fingerprint;
};

using Ancestors = std::map<std::string, std::set<std::string>>;

Ancestors AncestorsOf(const std::vector<TruthModel>& truth) {
  Ancestors ancestors;
  // As often as the longest chain could need.
  for (size_t round = 0; round < truth.size(); ++round) {
    bool grew = false;
    for (const TruthModel& model : truth) {
      if (model.relation == Relation::kIndependent) continue;
      auto& own = ancestors[model.name];
      const size_t before = own.size();
      for (const std::string& parent : model.parents) {
        own.insert(parent);
        const auto further = ancestors[parent];
        own.insert(further.begin(), further.end());
      }
      grew |= own.size() > before;
    }
    if (!grew) break;
  }
  return ancestors;
}

enum class Truth { kFirstIsAncestor, kSecondIsAncestor, kSiblings };

struct Pair {
  size_t first;
  size_t second;
  Truth truth;
  Comparison comparison;
};

// What two signs of opposite sides and the truth make.
struct Tally {
  size_t right = 0;
  size_t wrong = 0;
  size_t siblings = 0;

  void Add(Truth truth, Side later) {
    if (truth == Truth::kSiblings) {
      ++siblings;
    } else if ((truth == Truth::kFirstIsAncestor) == (later == Side::kB)) {
      ++right;
    } else {
      ++wrong;
    }
  }
};

void PrintRow(std::string_view name, const Tally& tally) {
  fmt::print("| {} | {} | {} | {} |\n", name, tally.right, tally.wrong, tally.siblings);
}

void PrintTables(const std::vector<Model>& models, const std::vector<Pair>& pairs) {
  std::map<std::string, Tally> signs;
  std::map<int, Tally> certainties;
  Tally told;
  std::array<size_t, 3> counts = {};
  for (const Pair& pair : pairs) {
    ++counts[static_cast<size_t>(pair.truth)];
    for (const DirectionSign& sign : pair.comparison.direction.signs) {
      const bool strong = sign.weight >= 3;
      signs[fmt::format("{}{}", DirectionSignName(sign.kind), strong ? ", alone" : "")].Add(
          pair.truth, sign.later);
    }
    const Direction& direction = pair.comparison.direction;
    if (direction.leaning) {
      certainties[static_cast<int>(std::floor(direction.certainty * 20 + 1e-9))].Add(
          pair.truth, *direction.leaning);
    }
    if (direction.later) told.Add(pair.truth, *direction.later);
  }
  fmt::print("{} models; {} pairs of an ancestor and its descendant, {} of two from one model\n\n",
             models.size(), counts[0] + counts[1], counts[2]);
  fmt::print("| sign | right | wrong | of two siblings |\n|---|---|---|---|\n");
  for (const auto& [name, tally] : signs) PrintRow(name, tally);
  fmt::print("\n| certainty | right | wrong | of two siblings |\n|---|---|---|---|\n");
  for (const auto& [step, tally] : certainties) PrintRow(fmt::format("{:.2f}", step / 20.0), tally);
  PrintRow("told", told);
}

void PrintPairs(const std::vector<Model>& models, const std::vector<Pair>& pairs) {
  for (const Pair& pair : pairs) {
    const bool turned = pair.truth == Truth::kSecondIsAncestor;
    const size_t first = turned ? pair.second : pair.first;
    const size_t second = turned ? pair.first : pair.second;
    const auto course = CourseOf(models[pair.first].fingerprint, models[pair.second].fingerprint,
                                 pair.comparison.sketches);
    const double sign = turned ? -1 : 1;
    std::string text;
    for (const DirectionSign& each : pair.comparison.direction.signs) {
      text += fmt::format(" {}{}{:.1f}", DirectionSignName(each.kind),
                          (each.later == Side::kB) != turned ? "+" : "-", each.weight);
    }
    fmt::print(
        "{} {:<24} {:<24} {} {} score {:.3f} kernels {:.4f} change {:.4f} growth {:+.2f} "
        "even {:+.2f}{}\n",
        pair.truth == Truth::kSiblings ? "sib" : "anc", models[first].truth.name,
        models[second].truth.name, VerdictName(pair.comparison.verdict),
        pair.comparison.direction.later ? "TOLD" : "", pair.comparison.score.value_or(-1),
        pair.comparison.kernels ? pair.comparison.kernels->score : -1.0,
        course ? course->Change() : 0.0, course ? sign * course->Growth() : 0.0,
        course ? sign * course->evenness : 0.0, text);
  }
}

int Fail(const Error& error) {
  fmt::print(stderr, "direction_table: {}\n", DescribeError(error));
  return 2;
}

int Run(const std::vector<std::filesystem::path>& folders, bool each_pair) {
  std::vector<Model> models;
  std::vector<Pair> pairs;
  for (const auto& folder : folders) {
    const auto truth = ReadTruth(folder / "truth.json");
    if (!truth) return Fail(truth.error());
    const Ancestors ancestors = AncestorsOf(*truth);
    const size_t begin = models.size();
    for (const TruthModel& model : *truth) {
      if (model.relation == Relation::kIndependent) continue;
      const auto path = folder / (model.name + std::string(kFingerprintSuffix));
      auto fingerprint = ReadFingerprint(path);
      if (!fingerprint) return Fail(fingerprint.error());
      models.push_back({model, *std::move(fingerprint)});
    }
    for (size_t j = begin; j < models.size(); ++j) {
      for (size_t i = begin; i < j; ++i) {
        if (models[i].truth.root != models[j].truth.root) continue;
        const auto& above_i = ancestors.at(models[i].truth.name);
        const auto& above_j = ancestors.at(models[j].truth.name);
        const Truth relation = above_j.contains(models[i].truth.name)   ? Truth::kFirstIsAncestor
                               : above_i.contains(models[j].truth.name) ? Truth::kSecondIsAncestor
                                                                        : Truth::kSiblings;
        pairs.push_back({i, j, relation, {}});
      }
    }
  }
  auto done = ParallelFor(pairs.size(), 0, [&](size_t i) -> Result<void> {
    auto comparison = CompareFingerprints(models[pairs[i].first].fingerprint,
                                          models[pairs[i].second].fingerprint);
    if (!comparison) return std::move(comparison).error();
    pairs[i].comparison = *std::move(comparison);
    return {};
  });
  if (!done) return Fail(done.error());
  if (each_pair) PrintPairs(models, pairs);
  PrintTables(models, pairs);
  return 0;
}

}  // namespace
}  // namespace tensorguard::internal

int main(int argc, char** argv) {
  CLI::App app("What each sign of direction says of models of known ancestry.");
  std::vector<std::filesystem::path> folders;
  bool each_pair = false;
  app.add_option("folder", folders, "holds truth.json and NAME.fingerprint.safetensors")
      ->required();
  app.add_flag("--pairs", each_pair, "a line for each pair, too");
  CLI11_PARSE(app, argc, argv);
  return tensorguard::internal::Run(folders, each_pair);
}
