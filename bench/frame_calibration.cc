// frame_calibration: the models of a folder with known ancestry in their own frames, every one
// against every base. docs/frame.md and docs/calibration.md have its figures.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "evaluation/truth.h"
#include "frame/frame_comparison.h"
#include "model/model.h"
#include "network/network.h"
#include "profile/frame/frame.h"

namespace tensorguard::internal {
namespace {

struct Pair {
  std::string model;
  std::string base;
  FrameComparison comparison;
};

Result<FrameForms> FormsOf(const std::filesystem::path& path) {
  const auto model = OpenModel(path);
  if (!model) return model.error();
  const auto network = Network::Build(*model);
  if (!network) return network.error();
  return ComputeFrameForms(**network);
}

struct Order {
  bool weakest_first = false;
  bool by_units = false;
  size_t most = 8;

  double ValueOf(const Pair& pair) const {
    if (!by_units) return pair.comparison.score;
    return pair.comparison.units ? pair.comparison.units->best : 0;
  }
};

void Print(std::string_view title, std::vector<Pair> pairs, const Order& order) {
  std::ranges::sort(pairs, [&](const Pair& a, const Pair& b) {
    return order.weakest_first ? order.ValueOf(a) < order.ValueOf(b)
                               : order.ValueOf(a) > order.ValueOf(b);
  });
  fmt::print("\n{}: {} pairs\n\n", title, pairs.size());
  fmt::print("| model | base | forms | off the matching | p | units | most in a layer |\n");
  fmt::print("| --- | --- | --- | --- | --- | --- | --- |\n");
  for (size_t i = 0; i < std::min(order.most, pairs.size()); ++i) {
    const FrameComparison& found = pairs[i].comparison;
    fmt::print("| {} | {} | {:.3f} | {:.3f} +- {:.3f} | {:.1e} |", pairs[i].model, pairs[i].base,
               found.score, found.null_mean, found.null_deviation, found.p_value);
    if (found.units) {
      fmt::print(" {:.3f} | {:.3f} |\n", found.units->score, found.units->best);
    } else {
      fmt::print(" | |\n");
    }
  }
}

int Run(const std::filesystem::path& folder, Order order) {
  const auto truth = ReadTruth(folder / "truth.json");
  if (!truth) {
    fmt::print(stderr, "{}\n", DescribeError(truth.error()));
    return 1;
  }
  std::map<std::string, FrameForms> forms;
  for (const TruthModel& model : *truth) {
    if (model.kind == "adapter") continue;
    auto found = FormsOf(folder / model.name);
    if (!found) {
      fmt::print(stderr, "{}\n", DescribeError(found.error()));
      return 1;
    }
    forms[model.name] = *std::move(found);
  }
  std::vector<Pair> derived;
  std::vector<Pair> independent;
  std::vector<Pair> students;
  double longest = 0;
  for (const TruthModel& base : *truth) {
    if (base.relation != Relation::kBase) continue;
    for (const TruthModel& model : *truth) {
      if (model.name == base.name || !forms.contains(model.name)) continue;
      const auto start = std::chrono::steady_clock::now();
      const auto found = CompareFrames(forms[base.name], forms[model.name]);
      longest = std::max(longest, std::chrono::duration<double, std::milli>(
                                      std::chrono::steady_clock::now() - start)
                                      .count());
      if (!found) {
        fmt::print("{} and {} have too few layers\n", model.name, base.name);
        continue;
      }
      const bool family = model.root == base.name;
      auto& group = family && model.relation == Relation::kDerived       ? derived
                    : family && model.relation == Relation::kIndependent ? students
                                                                         : independent;
      group.push_back({model.name, base.name, *found});
    }
  }
  Print("Of the base's family and independent of it, strongest first", students, order);
  Print("Others, strongest first", independent, order);
  order.weakest_first = true;
  Print("Derived, weakest first", derived, order);
  fmt::print("\nlongest comparison: {:.2f} ms\n", longest);
  return 0;
}

int Main(int argc, char** argv) {
  CLI::App app("Forms of models in their own frames against their bases'.");
  std::filesystem::path folder;
  Order order;
  app.add_option("folder", folder, "a folder of models with truth.json")->required();
  app.add_option("--most", order.most, "rows of each table");
  app.add_flag("--units", order.by_units, "sorted by the units of the layer that has most");
  CLI11_PARSE(app, argc, argv);
  return Run(folder, order);
}

}  // namespace
}  // namespace tensorguard::internal

int main(int argc, char** argv) { return tensorguard::internal::Main(argc, argv); }
