// Whether the p-values of the deep test hold: uniform on independent pairs, tiny on derived ones.
// Prints markdown tables.
//   independence_calibration [--random PAIRS] [--forged PAIRS] [--truth TRUTH.json] [--shared
//   A,B]...
// Random pairs are networks of many shapes with weights drawn here; with a truth file (see
// evaluation/truth.h) also all pairs of bases and independent models beside it, and every derived
// model against its root. --forged makes unrelated networks whose units were put in the order of
// another's. --shared names two of them that start from the same initial weights.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/random_bits.h"
#include "base/seeded_order.h"
#include "evaluation/truth.h"
#include "independence/independence.h"
#include "independence/independence_finding.h"
#include "independence/statistics/kolmogorov_smirnov.h"
#include "independence/stream/shared_tokens.h"
#include "model/model.h"
#include "network/network.h"
#include "numerics/linear_assignment.h"
#include "tests/support/memory_weights.h"

namespace tensorguard::internal {
namespace {

constexpr uint64_t kVocabulary = 300;
constexpr uint64_t kTopics = 12;  // dimensions of meaning that all random networks share

struct Shape {
  uint64_t layers = 0;
  uint64_t hidden = 0;
  uint64_t units = 0;
  bool gated = false;
};

Shape RandomShape(uint64_t seed) {
  const uint64_t hidden = 32 + 8 * (RandomBits(seed, 0) % 13);
  return {.layers = 1 + RandomBits(seed, 1) % 6,
          .hidden = hidden,
          .units = hidden * (4 + RandomBits(seed, 2) % 13) / 4,
          .gated = RandomBits(seed, 3) % 3 != 0};
}

// Draws the weights of one random network. What independent networks have in common is drawn from
// the same seed for all: the topics of the tokens, and features of these topics that some hidden
// units grow in each of them.
class NetworkMaker {
 public:
  NetworkMaker(const Shape& shape, uint64_t seed)
      : shape_(shape), generator_(seed), topic_map_(Normal(kTopics * shape.hidden)) {}

  using Tensors = std::map<std::string, TensorValues>;

  std::shared_ptr<const Network> Make() {
    return shape_.gated ? Build(LlamaTensors(), "llama") : Build(Gpt2Tensors(), "gpt2");
  }

  // What Make makes of a gated shape, and how it is built.
  Tensors MakeTensors() { return LlamaTensors(); }
  std::shared_ptr<const Network> BuildGated(const Tensors& tensors) const {
    return Build(tensors, "llama");
  }

 private:
  std::vector<float> Normal(uint64_t count) {
    std::normal_distribution<float> normal;
    std::vector<float> numbers(count);
    for (float& number : numbers) number = normal(generator_);
    return numbers;
  }

  TensorValues Matrix(uint64_t rows, uint64_t columns) {
    return {.shape = {rows, columns}, .values = Normal(rows * columns)};
  }

  TensorValues Vector(uint64_t width, float mean) {
    TensorValues vector{.shape = {width}, .values = Normal(width)};
    for (float& value : vector.values) value = mean + 0.2f * value;
    return vector;
  }

  // A shared vector over topics, in this network's own basis.
  std::vector<float> InOwnBasis(uint64_t shared_seed) const {
    std::mt19937_64 shared(shared_seed);
    std::normal_distribution<float> normal;
    std::vector<float> vector(shape_.hidden);
    for (uint64_t topic = 0; topic < kTopics; ++topic) {
      const float amount = normal(shared) / std::sqrt(static_cast<float>(kTopics));
      for (uint64_t i = 0; i < shape_.hidden; ++i) {
        vector[i] += amount * topic_map_[topic * shape_.hidden + i];
      }
    }
    return vector;
  }

  TensorValues Embedding() {
    TensorValues embedding = Matrix(kVocabulary, shape_.hidden);
    for (uint64_t token = 0; token < kVocabulary; ++token) {
      const auto meaning = InOwnBasis(token);
      for (uint64_t i = 0; i < shape_.hidden; ++i) {
        embedding.values[token * shape_.hidden + i] += 2.0f * meaning[i];
      }
    }
    return embedding;
  }

  // [units, hidden]: rows of very different length, a common mean row, and one row in fifty a
  // shared feature.
  TensorValues UnitRows(const std::vector<uint32_t>& feature_of_unit, uint64_t part) {
    TensorValues rows = Matrix(shape_.units, shape_.hidden);
    const auto mean = Normal(shape_.hidden);
    const auto lengths = Normal(shape_.units);
    for (uint64_t unit = 0; unit < shape_.units; ++unit) {
      const uint32_t feature = feature_of_unit[unit];
      const auto shared = InOwnBasis(100'000 + 10 * feature + part);
      const float strength = feature % 50 == 0 ? 4.0f : 0.0f;
      for (uint64_t i = 0; i < shape_.hidden; ++i) {
        float& value = rows.values[unit * shape_.hidden + i];
        value += 0.3f * mean[i] + strength * shared[i];
        value *= 0.05f * std::exp(0.5f * lengths[unit]);
      }
    }
    return rows;
  }

  std::vector<uint32_t> FeatureOrder() {
    return SeededOrder(static_cast<uint32_t>(shape_.units), generator_());
  }

  static TensorValues Transposed(const TensorValues& matrix) {
    const uint64_t rows = matrix.shape[0];
    const uint64_t columns = matrix.shape[1];
    TensorValues transposed{.shape = {columns, rows}, .values = matrix.values};
    for (uint64_t row = 0; row < rows; ++row) {
      for (uint64_t column = 0; column < columns; ++column) {
        transposed.values[column * rows + row] = matrix.values[row * columns + column];
      }
    }
    return transposed;
  }

  Tensors LlamaTensors() {
    const uint64_t width = shape_.hidden;
    Tensors tensors = {{"model.embed_tokens.weight", Embedding()},
                       {"lm_head.weight", Embedding()},
                       {"model.norm.weight", Vector(width, 1.0f)}};
    for (uint64_t layer = 0; layer < shape_.layers; ++layer) {
      const std::string name = fmt::format("model.layers.{}.", layer);
      for (const char* part : {"q_proj", "k_proj", "v_proj", "o_proj"}) {
        tensors[fmt::format("{}self_attn.{}.weight", name, part)] = Matrix(width, width);
      }
      const auto features = FeatureOrder();
      tensors[name + "mlp.gate_proj.weight"] = UnitRows(features, 0);
      tensors[name + "mlp.up_proj.weight"] = UnitRows(features, 1);
      tensors[name + "mlp.down_proj.weight"] = Transposed(UnitRows(features, 2));
      tensors[name + "input_layernorm.weight"] = Vector(width, 1.0f);
      tensors[name + "post_attention_layernorm.weight"] = Vector(width, 1.0f);
    }
    return tensors;
  }

  Tensors Gpt2Tensors() {
    const uint64_t width = shape_.hidden;
    Tensors tensors = {{"wte.weight", Embedding()},
                       {"wpe.weight", Matrix(16, width)},
                       {"ln_f.weight", Vector(width, 1.0f)},
                       {"ln_f.bias", Vector(width, 0.0f)}};
    for (uint64_t layer = 0; layer < shape_.layers; ++layer) {
      const std::string name = fmt::format("h.{}.", layer);
      const auto features = FeatureOrder();
      tensors[name + "attn.c_attn.weight"] = Matrix(width, 3 * width);
      tensors[name + "attn.c_attn.bias"] = Vector(3 * width, 0.0f);
      tensors[name + "attn.c_proj.weight"] = Matrix(width, width);
      tensors[name + "attn.c_proj.bias"] = Vector(width, 0.0f);
      tensors[name + "mlp.c_fc.weight"] = Transposed(UnitRows(features, 1));
      tensors[name + "mlp.c_fc.bias"] = Vector(shape_.units, 0.0f);
      tensors[name + "mlp.c_proj.weight"] = UnitRows(features, 2);
      tensors[name + "mlp.c_proj.bias"] = Vector(width, 0.0f);
      for (const char* norm : {"ln_1", "ln_2"}) {
        tensors[name + norm + ".weight"] = Vector(width, 1.0f);
        tensors[name + norm + ".bias"] = Vector(width, 0.0f);
      }
    }
    return tensors;
  }

  std::shared_ptr<const Network> Build(const Tensors& tensors, const std::string& type) const {
    Model model;
    model.name = "random";
    model.config = {{"model_type", type},       {"num_attention_heads", 4},
                    {"num_key_value_heads", 4}, {"n_head", 4},
                    {"n_positions", 16},        {"hidden_size", shape_.hidden},
                    {"n_embd", shape_.hidden},  {"vocab_size", kVocabulary}};
    model.weights = std::make_shared<MemoryWeights>(WeightsOf(tensors));
    model.architecture = Understand(model.config, model.weights->tensors());
    const auto network = Network::Build(model);
    if (!network) {
      fmt::print(stderr, "independence_calibration: {}\n", DescribeError(network.error()));
      std::exit(2);
    }
    return *network;
  }

  Shape shape_;
  std::mt19937_64 generator_;
  std::vector<float> topic_map_;  // kTopics x hidden
};

// Who puts an unrelated network's units in another's order, and how.
enum class Ordering { kNone, kNeighbours, kAll };

// rows [units, hidden] of the matrix that is stored so, or of the transpose of `down`.
FloatMatrix UnitRowsOf(const TensorValues& tensor, bool by_column) {
  const uint64_t units = tensor.shape[by_column ? 1 : 0];
  const uint64_t hidden = tensor.shape[by_column ? 0 : 1];
  FloatMatrix rows(units, hidden);
  for (uint64_t unit = 0; unit < units; ++unit) {
    double square = 0.0;
    for (uint64_t i = 0; i < hidden; ++i) {
      const float value = tensor.values[by_column ? i * units + unit : unit * hidden + i];
      rows.Row(unit)[i] = value;
      square += static_cast<double>(value) * static_cast<double>(value);
    }
    for (float& value : rows.Row(unit)) value /= static_cast<float>(std::sqrt(square));
  }
  return rows;
}

struct UnitPart {
  const char* name;
  bool by_column;
};
constexpr UnitPart kUnitParts[] = {{"gate_proj", false}, {"up_proj", false}, {"down_proj", true}};

std::string UnitTensor(uint64_t layer, const UnitPart& part) {
  return fmt::format("model.layers.{}.mlp.{}.weight", layer, part.name);
}

// Minus the sum over gate, up and down of the cosines of all units of two layers.
FloatMatrix Distances(const NetworkMaker::Tensors& a, const NetworkMaker::Tensors& b,
                      uint64_t layer) {
  FloatMatrix distances;
  for (const UnitPart& part : kUnitParts) {
    const FloatMatrix rows_a = UnitRowsOf(a.at(UnitTensor(layer, part)), part.by_column);
    const FloatMatrix rows_b = UnitRowsOf(b.at(UnitTensor(layer, part)), part.by_column);
    if (distances.rows() == 0) distances = FloatMatrix(rows_a.rows(), rows_b.rows());
    for (size_t i = 0; i < rows_a.rows(); ++i) {
      for (size_t j = 0; j < rows_b.rows(); ++j) {
        for (size_t k = 0; k < rows_a.columns(); ++k) {
          distances.Row(i)[j] -= rows_a.Row(i)[k] * rows_b.Row(j)[k];
        }
      }
    }
  }
  return distances;
}

std::vector<uint32_t> ChosenOrder(const FloatMatrix& distances, Ordering ordering) {
  if (ordering == Ordering::kAll)
    return AssignColumns({.values = distances.values(), .columns = distances.columns()});
  std::vector<uint32_t> order(distances.rows());
  for (uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  if (ordering == Ordering::kNone) return order;
  for (uint32_t i = 0; i + 1 < order.size(); i += 2) {
    const float in_place = distances.Row(i)[i] + distances.Row(i + 1)[i + 1];
    if (distances.Row(i)[i + 1] + distances.Row(i + 1)[i] < in_place) {
      std::swap(order[i], order[i + 1]);
    }
  }
  return order;
}

void OrderUnitsAs(const NetworkMaker::Tensors& target, uint64_t layers, Ordering ordering,
                  NetworkMaker::Tensors* tensors) {
  for (uint64_t layer = 0; layer < layers; ++layer) {
    const auto order = ChosenOrder(Distances(target, *tensors, layer), ordering);
    for (const UnitPart& part : kUnitParts) {
      TensorValues& tensor = tensors->at(UnitTensor(layer, part));
      const std::vector<float> before = tensor.values;
      const uint64_t units = order.size();
      const uint64_t hidden = before.size() / units;
      for (uint64_t unit = 0; unit < units; ++unit) {
        for (uint64_t i = 0; i < hidden; ++i) {
          const auto place = [&](uint64_t of) {
            return part.by_column ? i * units + of : of * hidden + i;
          };
          tensor.values[place(unit)] = before[place(order[unit])];
        }
      }
    }
  }
}

template <typename T>
T OrExit(Result<T> result) {
  if (result) return *std::move(result);
  fmt::print(stderr, "independence_calibration: {}\n", DescribeError(result.error()));
  std::exit(2);
}

// Unrelated networks of one shape after such an ordering: nobody may be accused of it.
void PrintForged(uint64_t pairs) {
  if (pairs == 0) return;
  const Shape shape{.layers = 4, .hidden = 96, .units = 256, .gated = true};
  const auto tokens = TokensWithEqualId(kVocabulary, kVocabulary);
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
    for (uint64_t pair = 0; pair < pairs; ++pair) {
      NetworkMaker first(shape, RandomBits(2, 2 * pair));
      NetworkMaker second(shape, RandomBits(2, 2 * pair + 1));
      const auto target = first.MakeTensors();
      auto ordered = second.MakeTensors();
      OrderUnitsAs(target, shape.layers, ordering, &ordered);
      const DeepTest test =
          OrExit(TestIndependence(*first.BuildGated(target), *second.BuildGated(ordered), tokens));
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

// The p-values of one kind of pair.
struct Group {
  std::string name;
  std::vector<double> log10_p;
};

void PrintIndependent(const std::vector<Group>& groups) {
  fmt::print("| independent pairs | number | smallest p | D | Kolmogorov-Smirnov p |\n");
  fmt::print("| --- | ---: | ---: | ---: | ---: |\n");
  Group all{.name = "all", .log10_p = {}};
  const auto print = [](const Group& group) {
    if (group.log10_p.empty()) return;
    std::vector<double> p_values;
    for (const double log10_p : group.log10_p) p_values.push_back(std::pow(10.0, log10_p));
    const UniformityTest test = TestUniformity(p_values);
    fmt::print("| {} | {} | {:.4f} | {:.3f} | {:.3f} |\n", group.name, p_values.size(),
               *std::min_element(p_values.begin(), p_values.end()), test.distance, test.p_value);
  };
  for (const Group& group : groups) {
    print(group);
    all.log10_p.insert(all.log10_p.end(), group.log10_p.begin(), group.log10_p.end());
  }
  print(all);
}

void PrintDerived(const std::vector<Group>& groups) {
  fmt::print("\n| derived | pairs | largest log10 p |\n| --- | ---: | ---: |\n");
  for (const Group& group : groups) {
    fmt::print("| {} | {} | {:.1f} |\n", group.name, group.log10_p.size(),
               *std::max_element(group.log10_p.begin(), group.log10_p.end()));
  }
}

// Agreement of the matched parts, to see how far independent networks come to the allowance.
struct Largest {
  double pooled = 0.0;
  double layer = 0.0;
  double log10_p = 0.0;  // smallest

  void Add(const DeepTestPart& part) {
    double agreeing = 0.0;
    double units = 0.0;
    for (const DeepTestLayer& found : part.layers) {
      layer = std::max(layer, found.effect);
      agreeing += found.effect * static_cast<double>(found.units);
      units += static_cast<double>(found.units);
    }
    if (units > 0.0) pooled = std::max(pooled, agreeing / units);
    log10_p = std::min(log10_p, part.log10_p.value_or(0.0));
  }
};

struct LargestAgreement {
  Largest units;
  Largest heads;

  void Add(const DeepTest& test) {
    for (const DeepTestPart& part : test.parts) {
      if (part.kind != PartKind::kOrder) (part.of_heads ? heads : units).Add(part);
    }
  }
};

void PrintLargest(const LargestAgreement& largest) {
  fmt::print("\n| matched on independent pairs | over all layers | in one | smallest log10 p |\n");
  fmt::print("| --- | ---: | ---: | ---: |\n");
  const auto print = [](std::string_view name, const Largest& of) {
    fmt::print("| {} | {:.3f} | {:.3f} | {:.1f} |\n", name, of.pooled, of.layer, of.log10_p);
  };
  print("units", largest.units);
  print("channels of heads", largest.heads);
}

std::vector<Group> RandomPairs(uint64_t pairs, LargestAgreement* largest) {
  Group same{.name = "random, one shape", .log10_p = {}};
  Group different{.name = "random, two shapes", .log10_p = {}};
  const auto tokens = TokensWithEqualId(kVocabulary, kVocabulary);
  for (uint64_t pair = 0; pair < pairs; ++pair) {
    const bool is_same = pair % 2 == 0;
    const Shape shape_a = RandomShape(2 * pair);
    const Shape shape_b = is_same ? shape_a : RandomShape(2 * pair + 1);
    const auto a = NetworkMaker(shape_a, RandomBits(1, 2 * pair)).Make();
    const auto b = NetworkMaker(shape_b, RandomBits(1, 2 * pair + 1)).Make();
    const DeepTest test = OrExit(TestIndependence(*a, *b, tokens));
    largest->Add(test);
    if (test.log10_p) (is_same ? same : different).log10_p.push_back(*test.log10_p);
  }
  return {same, different};
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
  const auto tokens = FindSharedTokens(a.model, *a.network, b.model, *b.network);
  return OrExit(TestIndependence(*a.network, *b.network, tokens.pairs));
}

using NamePair = std::pair<std::string, std::string>;

std::vector<Group> TruthIndependentPairs(const std::filesystem::path& folder,
                                         const std::vector<TruthModel>& models,
                                         const std::set<NamePair>& shared,
                                         LargestAgreement* largest) {
  std::vector<TruthModel> origins;
  for (const TruthModel& model : models) {
    if (model.relation != Relation::kDerived) origins.push_back(model);
  }
  Group students{.name = "a student and its teacher", .log10_p = {}};
  Group others{.name = "trained, other roots", .log10_p = {}};
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
      largest->Add(test);
      (origins[i].root == origins[j].root ? students : others).log10_p.push_back(*test.log10_p);
    }
  }
  return {others, students};
}

std::vector<Group> TruthDerivedPairs(const std::filesystem::path& folder,
                                     const std::vector<TruthModel>& models) {
  std::map<std::string, Group> groups;
  for (const TruthModel& model : models) {
    if (model.relation != Relation::kDerived) continue;
    const auto root = std::find_if(models.begin(), models.end(), [&](const TruthModel& other) {
      return other.name == model.root;
    });
    const DeepTest test = Test(Load(folder, *root), Load(folder, model));
    Group& group = groups[model.kind];
    group.name = model.kind;
    group.log10_p.push_back(test.log10_p.value_or(0.0));
  }
  std::vector<Group> list;
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
  app.add_option("--random", random_pairs, "Pairs of random networks");
  app.add_option("--forged", forged_pairs, "Pairs of random networks with units in a chosen order");
  app.add_option("--truth", truth, "A truth file beside models");
  app.add_option("--shared", shared, "Two models, A,B, that share their initial weights");
  CLI11_PARSE(app, argc, argv);
  PrintForged(forged_pairs);
  LargestAgreement largest;
  std::vector<Group> independent = RandomPairs(random_pairs, &largest);
  std::vector<Group> derived;
  if (!truth.empty()) {
    const auto models = OrExit(ReadTruth(truth));
    const auto pairs =
        TruthIndependentPairs(truth.parent_path(), models, ParsePairs(shared), &largest);
    independent.insert(independent.end(), pairs.begin(), pairs.end());
    derived = TruthDerivedPairs(truth.parent_path(), models);
  }
  PrintIndependent(independent);
  PrintLargest(largest);
  if (!derived.empty()) PrintDerived(derived);
  return 0;
}

}  // namespace
}  // namespace tensorguard::internal

int main(int argc, char** argv) { return tensorguard::internal::Run(argc, argv); }
