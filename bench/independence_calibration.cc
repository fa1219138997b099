// Whether the p-values of the deep test hold: uniform on independent pairs, tiny on derived ones.
// Prints markdown tables.
//   independence_calibration [--random PAIRS] [--forged PAIRS] [--truth TRUTH.json] [--shared
//   A,B]...
//                         [--threads N]
// Random pairs are networks of many shapes with weights drawn here, each kind of likeness that
// independent networks have in turn; with a truth file (see evaluation/truth.h) also all pairs of
// bases and independent models beside it, and every derived model against its root. --forged makes
// unrelated networks whose units were put in the order of another's. --shared names two of them
// that start from the same initial weights. Pairs are tested side by side.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/parallel.h"
#include "base/random_bits.h"
#include "evaluation/truth.h"
#include "independence/independence.h"
#include "independence/independence_finding.h"
#include "independence/stream/shared_tokens.h"
#include "independence_networks.h"
#include "independence_orders.h"
#include "independence_tables.h"
#include "model/model.h"
#include "network/network.h"

namespace tensorguard::internal {
namespace {

template <typename T>
T OrExit(Result<T> result) {
  if (result) return *std::move(result);
  fmt::print(stderr, "independence_calibration: {}\n", DescribeError(result.error()));
  std::exit(2);
}

// make(i) for every i, side by side.
template <typename Make>
std::vector<DeepTest> TestEach(uint64_t pairs, unsigned threads, Make make) {
  std::vector<DeepTest> tests(pairs);
  const auto done = ParallelFor(pairs, threads, [&](size_t i) -> Result<void> {
    tests[i] = make(i);
    return {};
  });
  static_cast<void>(done);  // errors end the program
  return tests;
}

DeepTest TestOnOneThread(const Network& a, const Network& b, const std::vector<TokenPair>& tokens) {
  return OrExit(TestIndependence(a, b, tokens, {.threads = 1}));
}

DeepTest TestForged(Ordering ordering, uint64_t pair) {
  const RandomShape shape{.layers = 4, .hidden = 96, .units = 256, .gated = true};
  NetworkMaker first(shape, RandomBits(2, 2 * pair));
  NetworkMaker second(shape, RandomBits(2, 2 * pair + 1));
  const auto target = first.MakeTensors();
  auto ordered = second.MakeTensors();
  OrderUnitsAs(target, shape.layers, ordering, &ordered);
  return TestOnOneThread(*first.BuildGated(target), *second.BuildGated(ordered),
                         TokensWithEqualId(kRandomVocabulary, kRandomVocabulary));
}

// Unrelated networks of one shape after such an ordering: nobody may be accused of it.
void PrintForged(uint64_t pairs, unsigned threads) {
  if (pairs == 0) return;
  fmt::print(
      "| order of the units | pairs | mean contrast | in place over elsewhere | log10 p by order "
      "alone | smallest log10 p | origins found |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: "
      "|\n");
  constexpr std::pair<Ordering, const char*> kOrderings[] = {
      {Ordering::kNone, "as it is"},
      {Ordering::kNeighbours, "neighbours exchanged"},
      {Ordering::kAll, "the best of all"}};
  for (const auto& [ordering, name] : kOrderings) {
    double contrast = -1.0;
    double ratio = 0.0;
    double by_order = 0.0;
    double smallest = 0.0;
    uint64_t accused = 0;
    const Ordering chosen = ordering;
    for (const DeepTest& test :
         TestEach(pairs, threads, [&](uint64_t pair) { return TestForged(chosen, pair); })) {
      const TestFinding finding = FindingOf(test);
      contrast = std::max(contrast, finding.contrast);
      const auto& order = test.parts.front().order;
      if (order) ratio = std::max(ratio, order->in_place / order->elsewhere);
      by_order = std::min(by_order, test.parts.front().log10_p.value_or(0.0));
      smallest = std::min(smallest, test.log10_p.value_or(0.0));
      if (finding.AnyOrigin()) ++accused;
    }
    fmt::print("| {} | {} | {:.2f} | {} | {:.1f} | {:.1f} | {} |\n", name, pairs, contrast,
               ratio > 0.0 ? fmt::format("{:.2f}", ratio) : "", by_order, smallest, accused);
  }
  fmt::print("\n");
}

// What is seen of independent pairs.
struct IndependentPairs {
  std::vector<PairGroup> groups;
  PartTable parts;
  LargestAgreement largest;

  void Add(const DeepTest& test, PairGroup* group) {
    parts.Add(test);
    largest.Add(test);
    if (test.log10_p) group->log10_p.push_back(*test.log10_p);
  }
};

// Of one shape and of two in turn, of each likeness.
DeepTest TestRandom(uint64_t pair) {
  const Likeness likeness = kLikenesses[pair / 2 % kLikenesses.size()].likeness;
  const RandomShape shape_a = DrawShape(2 * pair);
  const RandomShape shape_b = pair % 2 == 0 ? shape_a : DrawShape(2 * pair + 1);
  const auto a = NetworkMaker(shape_a, RandomBits(1, 2 * pair), likeness).Make();
  const auto b = NetworkMaker(shape_b, RandomBits(1, 2 * pair + 1), likeness).Make();
  return TestOnOneThread(*a, *b, TokensWithEqualId(kRandomVocabulary, kRandomVocabulary));
}

void AddRandomPairs(uint64_t pairs, unsigned threads, IndependentPairs* seen) {
  std::vector<PairGroup> groups;
  for (const LikenessName& likeness : kLikenesses) {
    groups.push_back({fmt::format("{}, one shape", likeness.name), {}});
    groups.push_back({fmt::format("{}, two shapes", likeness.name), {}});
  }
  const auto tests = TestEach(pairs, threads, TestRandom);
  for (size_t pair = 0; pair < tests.size(); ++pair) {
    seen->Add(tests[pair], &groups[pair % groups.size()]);
  }
  seen->groups.insert(seen->groups.end(), groups.begin(), groups.end());
}

struct LoadedModel {
  Model model;
  std::shared_ptr<const Network> network;
};

LoadedModel Load(const std::filesystem::path& folder, const TruthModel& truth) {
  const auto path = folder / truth.name;
  OpenModelOptions options;
  if (OrExit(NamesAdapter(path))) options.base = folder / truth.root;
  Model model = OrExit(OpenModel(path, options));
  auto network = OrExit(Network::Build(model));
  return {std::move(model), std::move(network)};
}

DeepTest Test(const LoadedModel& a, const LoadedModel& b) {
  const auto tokens = OrExit(FindSharedTokens(a.model, *a.network, b.model, *b.network));
  return OrExit(TestIndependence(*a.network, *b.network, tokens.pairs));
}

using NamePair = std::pair<std::string, std::string>;

void AddTruthPairs(const std::filesystem::path& folder, const std::vector<TruthModel>& models,
                   const std::set<NamePair>& shared, IndependentPairs* seen) {
  std::vector<TruthModel> origins;
  for (const TruthModel& model : models) {
    if (model.relation != Relation::kDerived) origins.push_back(model);
  }
  PairGroup students{.name = "a student and its teacher", .log10_p = {}};
  PairGroup others{.name = "trained, other roots", .log10_p = {}};
  for (size_t i = 0; i < origins.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      const NamePair names = std::minmax(origins[i].name, origins[j].name);
      const DeepTest test = Test(Load(folder, origins[i]), Load(folder, origins[j]));
      if (!test.log10_p) continue;
      if (shared.count(names) != 0) {
        fmt::print("{} and {}, the same initial weights: log10 p {:.1f}\n\n", names.first,
                   names.second, *test.log10_p);
        continue;
      }
      seen->Add(test, origins[i].root == origins[j].root ? &students : &others);
    }
  }
  seen->groups.push_back(std::move(others));
  seen->groups.push_back(std::move(students));
}

std::vector<PairGroup> TruthDerivedPairs(const std::filesystem::path& folder,
                                         const std::vector<TruthModel>& models) {
  std::map<std::string, PairGroup> groups;
  for (const TruthModel& model : models) {
    if (model.relation != Relation::kDerived) continue;
    const auto root = std::find_if(models.begin(), models.end(), [&](const TruthModel& other) {
      return other.name == model.root;
    });
    const DeepTest test = Test(Load(folder, *root), Load(folder, model));
    PairGroup& group = groups[model.kind];
    group.name = model.kind;
    group.log10_p.push_back(test.log10_p.value_or(0.0));
  }
  std::vector<PairGroup> list;
  for (auto& [kind, group] : groups) list.push_back(std::move(group));
  return list;
}

std::set<NamePair> ParsePairs(const std::vector<std::string>& texts) {
  std::set<NamePair> pairs;
  for (const std::string& text : texts) {
    const size_t comma = text.find(',');
    if (comma == std::string::npos) continue;
    pairs.insert(std::minmax(text.substr(0, comma), text.substr(comma + 1)));
  }
  return pairs;
}

int Run(int argc, char** argv) {
  CLI::App app("Whether the p-values of the deep test hold.");
  uint64_t random_pairs = 160;
  uint64_t forged_pairs = 0;
  std::filesystem::path truth;
  std::vector<std::string> shared;
  unsigned threads = 0;
  app.add_option("--random", random_pairs, "Pairs of random networks");
  app.add_option("--forged", forged_pairs, "Pairs of random networks with units in a chosen order");
  app.add_option("--truth", truth, "A truth file beside models");
  app.add_option("--shared", shared, "Two models, A,B, that share their initial weights");
  app.add_option("--threads", threads, "Pairs that are tested at a time; 0: one per processor");
  CLI11_PARSE(app, argc, argv);
  PrintForged(forged_pairs, threads);
  IndependentPairs independent;
  AddRandomPairs(random_pairs, threads, &independent);
  std::vector<PairGroup> derived;
  if (!truth.empty()) {
    const auto models = OrExit(ReadTruth(truth));
    AddTruthPairs(truth.parent_path(), models, ParsePairs(shared), &independent);
    derived = TruthDerivedPairs(truth.parent_path(), models);
  }
  PrintIndependent(independent.groups);
  independent.parts.Print();
  independent.largest.Print();
  if (!derived.empty()) PrintDerived(derived);
  return 0;
}

}  // namespace
}  // namespace tensorguard::internal

int main(int argc, char** argv) { return tensorguard::internal::Run(argc, argv); }
