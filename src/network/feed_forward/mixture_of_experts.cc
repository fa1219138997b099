#include "network/feed_forward/mixture_of_experts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/try.h"
#include "network/parts/gate_functions.h"

namespace tensorguard::internal {
namespace {

// Matrix and bias of one part of one expert, as they turn up.
struct PartWeights {
  const Weight* matrix = nullptr;
  const Weight* bias = nullptr;
};

struct ExpertWeights {
  PartWeights gate;
  PartWeights up;
  PartWeights down;

  PartWeights* PartOf(Role role) {
    if (role == Role::kGate) return &gate;
    if (role == Role::kUp) return &up;
    return role == Role::kDown ? &down : nullptr;
  }
};

// One pass over the layer, however many experts it has.
std::vector<ExpertWeights> CollectExperts(const LayerParts& layer) {
  std::vector<ExpertWeights> experts;
  for (const Weight* weight : layer.weights()) {
    if (!weight->role.expert) continue;
    const size_t expert = *weight->role.expert;
    if (expert >= experts.size()) experts.resize(expert + 1);
    PartWeights* part = experts[expert].PartOf(weight->role.role);
    if (part == nullptr) continue;
    const Weight*& place = weight->role.is_bias ? part->bias : part->matrix;
    if (place == nullptr) place = weight;
  }
  return experts;
}

LinearMap MapOf(const LayerParts& layer, const PartWeights& part) {
  return {&layer.source(), part.matrix, part.bias};
}

Error IncompleteExpert(const LayerParts& layer, size_t expert) {
  const auto index = layer.weights().empty() ? std::nullopt : layer.weights().front()->role.layer;
  return {.kind = ErrorKind::kBadFile,
          .problem = fmt::format("expert {} of layer {} lacks a matrix", expert, index.value_or(0)),
          .expected = "an up and a down matrix for each expert from 0 on"};
}

// A bias of the router that only serves the choice; the names under which it is published.
bool IsCorrection(std::string_view name) {
  return name.ends_with("score_correction_bias") || name.ends_with("expert_bias");
}

// The router is the one matrix with an output per expert. `unread`: another that nothing here knows
// what to do with.
struct RouterWeights {
  const Weight* matrix = nullptr;
  const Weight* bias = nullptr;
  const Weight* correction = nullptr;
  const Weight* choices = nullptr;
  const Weight* unread = nullptr;
};

// The router of experts of attention (JetMoE).
bool IsOfAttention(std::string_view name) {
  return name.find("attention.experts.router.") != std::string_view::npos;
}

RouterWeights FindRouter(const LayerParts& layer, uint32_t experts) {
  RouterWeights router;
  for (const Weight* weight : layer.weights()) {
    const TensorRole& role = weight->role;
    if (role.role != Role::kRouter || role.expert || role.shared_expert) continue;
    if (IsOfAttention(layer.NameOf(*weight))) continue;
    if (IsCorrection(layer.NameOf(*weight))) {
      router.correction = weight;
    } else if (EndsInWords(layer.NameOf(*weight), "tid2eid")) {
      router.choices = weight;
    } else if (role.is_bias) {
      if (weight->rows == experts) router.bias = weight;
    } else if (!weight->is_vector && weight->rows == experts && router.matrix == nullptr) {
      router.matrix = weight;
    } else {
      router.unread = weight;
    }
  }
  return router;
}

// `mixture` has its experts and nothing of its routing.
void ReadRouter(const LayerParts& layer, const ConfigView& config, const RoutingDefaults& defaults,
                MixtureOfExperts& mixture) {
  const RouterWeights router = FindRouter(layer, mixture.experts);
  mixture.correction = router.correction;
  mixture.choices = router.choices;
  if (router.matrix != nullptr) {
    mixture.router = LinearMap{&layer.source(), router.matrix, router.bias};
  }
  if (router.unread != nullptr) {
    mixture.routing = Error{.kind = ErrorKind::kUnsupported,
                            .problem = "the tensor has no place in what is known of routing",
                            .tensor = layer.NameOf(*router.unread),
                            .expected = fmt::format("one matrix with {} outputs", mixture.experts)};
  } else if (router.matrix == nullptr) {
    mixture.routing = Error{.kind = ErrorKind::kUnsupported,
                            .problem = "the experts of a layer have no router that is known"};
  } else {
    mixture.routing = ReadRouting(config, defaults, mixture.experts, router.correction != nullptr);
  }
}

// The rows that one expert gets.
struct ExpertLoad {
  std::vector<size_t> rows;
  std::vector<ExpertShare> shares;
};

// The experts of a token by the table.
Result<std::vector<uint32_t>> ChosenExperts(const MixtureOfExperts& mixture, uint32_t id) {
  if (id >= mixture.choices->rows) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "the table of experts by token has no row for a token"};
  }
  TG_ASSIGN(const auto row, ReadWeightRows(*mixture.source, *mixture.choices, id, 1));
  std::vector<uint32_t> chosen;
  for (const float expert : row.values()) {
    if (!(expert >= 0 && expert < static_cast<float>(mixture.experts))) {
      return Error{.kind = ErrorKind::kBadFile,
                   .problem = "the table of experts by token names an expert that is not there",
                   .found = fmt::format("{}", expert),
                   .expected = fmt::format("below {}", mixture.experts)};
    }
    chosen.push_back(static_cast<uint32_t>(expert));
  }
  return chosen;
}

Result<std::vector<ExpertLoad>> DistributeRows(const MixtureOfExperts& mixture,
                                               const FloatMatrix& rows,
                                               std::span<const uint32_t> ids) {
  if (mixture.choices != nullptr && ids.size() != rows.rows()) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "the experts hang on the tokens, which are not known here"};
  }
  if (!mixture.routing) return mixture.routing.error();
  TG_ASSIGN(const auto scores, mixture.router->Apply(rows));
  std::vector<float> correction;
  if (mixture.correction != nullptr) {
    TG_ASSIGN(auto read, ReadVector(*mixture.source, *mixture.correction, mixture.experts));
    correction = std::move(read);
  }
  std::vector<ExpertLoad> loads(mixture.experts);
  for (size_t row = 0; row < rows.rows(); ++row) {
    std::vector<ExpertShare> shares;
    if (mixture.choices != nullptr) {
      TG_ASSIGN(const auto chosen, ChosenExperts(mixture, ids[row]));
      shares = RouteToChosen(scores.Row(row), chosen, *mixture.routing);
    } else {
      shares = RouteToken(scores.Row(row), correction, *mixture.routing);
    }
    for (const ExpertShare& share : shares) {
      loads[share.expert].rows.push_back(row);
      loads[share.expert].shares.push_back(share);
    }
  }
  return loads;
}

// sum += weight * what the expert makes of its rows.
Result<void> AddExpert(const FeedForward& block, const ExpertLoad& load, const FloatMatrix& rows,
                       FloatMatrix& sum) {
  FloatMatrix inputs(load.rows.size(), rows.columns());
  for (size_t i = 0; i < load.rows.size(); ++i) {
    std::ranges::transform(rows.Row(load.rows[i]), inputs.Row(i).begin(),
                           [&](float x) { return x * load.shares[i].input_factor; });
  }
  TG_ASSIGN(const auto outputs, RunFeedForward(block, inputs));
  for (size_t i = 0; i < load.rows.size(); ++i) {
    const auto out = sum.Row(load.rows[i]);
    for (size_t column = 0; column < out.size(); ++column) {
      out[column] += load.shares[i].weight * outputs.Row(i)[column];
    }
  }
  return {};
}

Result<void> AddBias(const MixtureOfExperts& mixture, FloatMatrix& sum) {
  if (mixture.bias == nullptr) return {};
  TG_ASSIGN(const auto bias, ReadVector(*mixture.source, *mixture.bias, sum.columns()));
  for (size_t row = 0; row < sum.rows(); ++row) {
    for (size_t i = 0; i < bias.size(); ++i) sum.Row(row)[i] += bias[i];
  }
  return {};
}

Result<void> AddSharedExpert(const MixtureOfExperts& mixture, const FloatMatrix& rows,
                             FloatMatrix& sum) {
  if (!mixture.shared) return {};
  TG_ASSIGN(const auto outputs, RunFeedForward(*mixture.shared, rows));
  std::optional<FloatMatrix> gates;
  if (mixture.shared_gate) {
    TG_ASSIGN(auto applied, mixture.shared_gate->Apply(rows));
    gates = std::move(applied);
  }
  for (size_t row = 0; row < rows.rows(); ++row) {
    const float factor = gates ? Sigmoid(gates->Row(row)[0]) : 1;
    for (size_t column = 0; column < rows.columns(); ++column) {
      sum.Row(row)[column] += factor * outputs.Row(row)[column];
    }
  }
  if (mixture.averaged_with_shared) {
    for (float& value : sum.values()) value /= 2;
  }
  return {};
}

// Every expert's outputs must be as wide as its inputs before they are summed.
Result<void> CheckWidth(const FeedForward& block, const FloatMatrix& rows) {
  if (block.down.outputs() == rows.columns()) return {};
  return Error{.kind = ErrorKind::kBadFile,
               .problem = "the expert puts out another width than it takes in",
               .tensor = block.down.source->tensors()[block.down.weight->tensor_index].name,
               .found = fmt::format("{} outputs", block.down.outputs()),
               .expected = fmt::format("{}", rows.columns())};
}

// `inner`: what the routed experts read of `rows`.
Result<void> CheckWidths(const MixtureOfExperts& mixture, const FloatMatrix& inner,
                         const FloatMatrix& rows) {
  for (const FeedForward& block : mixture.blocks) {
    if (auto checked = CheckWidth(block, inner); !checked) return checked;
  }
  return mixture.shared ? CheckWidth(*mixture.shared, rows) : Result<void>();
}

}  // namespace

Result<MixtureOfExperts> ReadMixture(const LayerParts& layer, const ConfigView& config,
                                     const FeedForwardSettings& settings,
                                     const RoutingDefaults& routing) {
  MixtureOfExperts mixture = {.source = &layer.source()};
  const auto experts = CollectExperts(layer);
  for (size_t expert = 0; expert < experts.size(); ++expert) {
    const ExpertWeights& parts = experts[expert];
    if (parts.up.matrix == nullptr || parts.down.matrix == nullptr) {
      return IncompleteExpert(layer, expert);
    }
    FeedForward block = {.up = MapOf(layer, parts.up), .down = MapOf(layer, parts.down)};
    if (parts.gate.matrix != nullptr) block.gate = MapOf(layer, parts.gate);
    block.settings = settings;
    mixture.blocks.push_back(block);
  }
  mixture.experts = static_cast<uint32_t>(mixture.blocks.size());
  mixture.shared = FindFeedForward(layer, settings, {.shared_expert = true});
  mixture.has_shared_expert = mixture.shared.has_value();
  static constexpr std::array<std::string_view, 1> kCombination = {
      "shared_expert_combination_strategy"};
  mixture.bias = layer.Named("mlp.bias");
  mixture.latent_in = layer.NamedMap("fc1_latent_proj");
  mixture.latent_out = layer.NamedMap("fc2_latent_proj");
  if (mixture.latent_in.has_value() != mixture.latent_out.has_value()) {
    return Error{.kind = ErrorKind::kBadFile,
                 .problem = "the space that the experts compute in has a way in or out alone",
                 .expected = "fc1_latent_proj and fc2_latent_proj"};
  }
  mixture.averaged_with_shared = config.Text(kCombination) == "average";
  mixture.shared_gate = layer.FindMap(Role::kRouter, {.shared_expert = true});
  ReadRouter(layer, config, routing, mixture);
  return mixture;
}

Result<FloatMatrix> RunMixture(const MixtureOfExperts& mixture, const FloatMatrix& rows,
                               std::span<const uint32_t> ids) {
  TG_ASSIGN(const auto inner, ApplyMapIfAny(mixture.latent_in, rows));
  TG_TRY(CheckWidths(mixture, inner, rows));
  TG_ASSIGN(const auto loads, DistributeRows(mixture, rows, ids));
  FloatMatrix sum(inner.rows(), inner.columns());
  for (size_t expert = 0; expert < loads.size(); ++expert) {
    if (loads[expert].rows.empty()) continue;
    TG_TRY(AddExpert(mixture.blocks[expert], loads[expert], inner, sum));
  }
  TG_ASSIGN(sum, ApplyMapIfAny(mixture.latent_out, std::move(sum)));
  TG_TRY(AddBias(mixture, sum));
  TG_TRY(AddSharedExpert(mixture, rows, sum));
  return sum;
}

Result<FloatMatrix> RunExpert(const MixtureOfExperts& mixture, uint32_t expert,
                              const FloatMatrix& rows) {
  TG_ASSIGN(const auto inner, ApplyMapIfAny(mixture.latent_in, rows));
  TG_ASSIGN(auto outputs, RunFeedForward(mixture.blocks[expert], inner));
  return ApplyMapIfAny(mixture.latent_out, std::move(outputs));
}

Result<FloatMatrix> RunAllExperts(const MixtureOfExperts& mixture, const FloatMatrix& rows,
                                  const ExpertVisitor& visit) {
  TG_ASSIGN(const auto inner, ApplyMapIfAny(mixture.latent_in, rows));
  TG_TRY(CheckWidths(mixture, inner, rows));
  FloatMatrix sum(rows.rows(), rows.columns());
  const float share = 1 / static_cast<float>(mixture.experts);
  for (uint32_t expert = 0; expert < mixture.experts; ++expert) {
    TG_ASSIGN(auto own, RunFeedForward(mixture.blocks[expert], inner));
    TG_ASSIGN(const auto outputs, ApplyMapIfAny(mixture.latent_out, std::move(own)));
    for (size_t i = 0; i < sum.values().size(); ++i) {
      sum.values()[i] += share * outputs.values()[i];
    }
    if (!visit) continue;
    TG_TRY(visit(expert, outputs));
  }
  TG_TRY(AddBias(mixture, sum));
  TG_TRY(AddSharedExpert(mixture, rows, sum));
  return sum;
}

}  // namespace tensorguard::internal
