#include "network/network.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "architecture/config_view.h"
#include "architecture/table/architecture_table.h"
#include "base/text.h"
#include "base/try.h"
#include "network/attention/positions.h"
#include "network/feed_forward/mixture_of_experts.h"
#include "network/network_parts.h"
#include "network/recurrent/recurrent_mixer.h"

namespace tensorguard::internal {
namespace {

// A layer by its number in the description.
struct LayerPlace {
  const Stack* stack = nullptr;
  size_t index = 0;

  const Layer& layer() const { return stack->layers[index]; }
  const ConfigView& config() const { return stack->context.config; }
};

Result<FloatMatrix> FinishMixer(const Layer& layer, FloatMatrix added) {
  auto rows = ApplyIfAny(layer.norms.mixer_output, std::move(added));
  if (!rows) return rows;
  for (float& value : rows->values()) value *= layer.mixer_factors.branch;
  if (layer.bottleneck) return layer.bottleneck->output.Apply(*rows);
  return rows;
}

Result<FloatMatrix> FinishFeedForward(const Layer& layer, FloatMatrix added) {
  auto rows = ApplyIfAny(layer.norms.feed_forward_output, std::move(added));
  if (!rows) return rows;
  for (float& value : rows->values()) value *= layer.feed_forward_factors.branch;
  if (layer.bottleneck) return layer.bottleneck->output.Apply(*rows);
  return rows;
}

Result<FloatMatrix> AttendOneByOne(const LayerPlace& place, const FloatMatrix& inputs) {
  const Layer& layer = place.layer();
  const AttentionLayer& attention = *layer.attention;
  AttentionRule rule;
  AttentionRows rows;
  // What a sink takes hangs on the score, taps of a convolution on query and key.
  const bool needs_scores = attention.sinks != nullptr || attention.local.has_value();
  if (attention.sinks != nullptr || attention.rule.hash_bits) {
    TG_ASSIGN(auto full, FullRule(attention));
    rule = std::move(full);
  }
  if (needs_scores || attention.latent) {
    TG_ASSIGN(rows, Project(attention, layer.parts, place.config(), inputs, inputs));
  } else {
    TG_ASSIGN(rows.values, ProjectValues(attention, inputs));
  }
  AttentionShape shape = attention.shape;
  if (attention.differential) rows.values = PairValues(rows.values, shape);
  FloatMatrix mixed = AttendAlone(rows, shape, rule);
  if (attention.local) {
    TG_ASSIGN(mixed, MixLocally(*attention.local, shape, inputs, rows, 1, std::move(mixed)));
  }
  return Finish(attention, inputs, std::move(mixed));
}

// Reads nothing but the shapes until a method is called. Pinned: the parts point at `weights_`.
class BuiltNetwork : public Network {
 public:
  BuiltNetwork(Model model, std::vector<Weight> weights)
      : model_(std::move(model)), weights_(std::move(weights)) {}
  BuiltNetwork(const BuiltNetwork&) = delete;
  BuiltNetwork& operator=(const BuiltNetwork&) = delete;

  Result<void> ReadParts();

  const NetworkDescription& description() const override { return description_; }
  const std::vector<Weight>& weights() const override { return weights_; }
  const WeightSource& source() const override { return *model_.weights; }
  const NetworkParts& parts() const override { return parts_; }

  Result<FloatMatrix> InputRows(std::span<const uint32_t> ids) const override {
    return Main().embedding.Rows(ids);
  }

  Result<FloatMatrix> OutputRows(std::span<const uint32_t> ids) const override {
    const auto& head = parts_.head;
    if (!head || head->table->columns != description_.hidden_size) return InputRows(ids);
    return head->Rows(ids, head->transform ? head->norm : Main().ClosingNorm());
  }

  Result<FloatMatrix> MixerInput(size_t layer, const FloatMatrix& rows) const override {
    return MixerInputOf(*places_[layer].stack, places_[layer].index, rows);
  }

  Result<FloatMatrix> FeedForwardInput(size_t layer, const FloatMatrix& rows) const override {
    return FeedForwardInputOf(*places_[layer].stack, places_[layer].index, rows);
  }

  Result<std::optional<QueriesAndKeys>> QueriesAndKeysOf(size_t layer,
                                                         const FloatMatrix& inputs) const override;
  Result<FloatMatrix> MixerOutput(size_t layer, const FloatMatrix& inputs) const override;
  Result<FloatMatrix> FeedForwardOutput(size_t layer, const FloatMatrix& inputs,
                                        const ExpertVisitor& visit_expert) const override;
  Result<FloatMatrix> ExpertOutput(size_t layer, uint32_t expert,
                                   const FloatMatrix& inputs) const override;

 private:
  const Stack& Main() const { return parts_.stacks.back(); }
  Result<void> ReadStacks(const ArchitectureTraits& traits, std::set<std::string>& assumed);
  bool AnyLayerIsRead() const;
  void Describe(std::string_view architecture, const std::set<std::string>& assumed);

  Model model_;
  std::vector<Weight> weights_;
  NetworkParts parts_;
  std::vector<LayerPlace> places_;
  NetworkDescription description_;
};

// By the types that config.json states, of the whole before that of the text model inside; else by
// the name under which the tensors were understood.
const ArchitectureRow* FindRowOf(const ConfigView& config, const Architecture& architecture) {
  for (const auto& type : {config.ModelType(), config.TextModelType()}) {
    if (!type) continue;
    // The text part of a model for images too: "qwen2_5_vl_text".
    const std::string lower = LowerAscii(*type);
    const std::string_view text = lower;
    const std::string_view stem = text.ends_with("_text") ? text.substr(0, text.size() - 5) : text;
    for (const std::string_view name : {text, stem}) {
      if (const ArchitectureRow* row = FindComputingRow(name)) return row;
    }
  }
  return FindComputingRow(architecture.name);
}

// The codes of a quantised matrix are no weights without their scales.
Result<void> RefuseCodes(const Model& model) {
  const auto& roles = model.architecture.roles;
  for (size_t i = 0; i < roles.size(); ++i) {
    const bool of_layer =
        roles[i].role == Role::kScale && roles[i].layer &&
        (roles[i].stack.empty() || roles[i].stack == model.architecture.main_stack);
    if (!of_layer) continue;
    const TensorInfo& tensor = model.weights->tensors()[i];
    return Error{
        .kind = ErrorKind::kUnsupported,
        .problem = "the weights are a quantiser's codes, which mean nothing without scales",
        .file = tensor.file,
        .tensor = tensor.name,
        .advice = "convert the model to float16 or bfloat16 first"};
  }
  return {};
}

// The encoder, where there is one, and the stack that writes the logits.
std::vector<std::string> StackNames(const Architecture& architecture) {
  if (architecture.main_stack != "decoder") return {architecture.main_stack};
  const bool has_encoder =
      std::any_of(architecture.roles.begin(), architecture.roles.end(),
                  [](const TensorRole& role) { return role.stack == "encoder" && role.layer; });
  if (!has_encoder) return {"decoder"};
  return {"encoder", "decoder"};
}

Result<void> BuiltNetwork::ReadStacks(const ArchitectureTraits& traits,
                                      std::set<std::string>& assumed) {
  const std::vector<std::string> names = StackNames(model_.architecture);
  std::vector<const Weight*> outer;
  std::map<std::string, WeightsByLayer> layers;
  for (const Weight& weight : weights_) {
    const bool own = std::find(names.begin(), names.end(), weight.role.stack) != names.end();
    if (weight.role.layer && own) {
      layers[weight.role.stack][*weight.role.layer].push_back(&weight);
    } else if (!weight.role.layer && (own || weight.role.stack.empty())) {
      outer.push_back(&weight);
    }
  }
  const LayerParts outer_parts(*model_.weights, std::move(outer));
  const ConfigView config(model_.config);
  for (const std::string& name : names) {
    StackContext context{.source = model_.weights.get(),
                         .config = config.ForStack(name),
                         .traits = &traits,
                         .positions = ReadPositionScheme(config, traits),
                         .is_guess = &traits == &GenericTraits() || !model_.config.is_object(),
                         .name = name,
                         .is_encoder = names.size() > 1 && name == "encoder",
                         .assumed = &assumed};
    TG_ASSIGN(auto stack, ReadStack(std::move(context), outer_parts, layers[name]));
    parts_.stacks.push_back(std::move(stack));
  }
  const Stack& main = parts_.stacks.back();
  TG_ASSIGN(auto head,
            ReadHead(main.context, outer_parts, main.embedding, model_.architecture.tied_head));
  parts_.head = std::move(head);
  return {};
}

void BuiltNetwork::Describe(std::string_view architecture, const std::set<std::string>& assumed) {
  description_.architecture = architecture;
  description_.assumed.assign(assumed.begin(), assumed.end());
  description_.vocabulary_size = Main().embedding.vocabulary_size();
  description_.hidden_size = Main().embedding.hidden_size();
  description_.has_head = parts_.head.has_value();
  description_.tied_head = parts_.head && parts_.head->tied;
  for (const Stack& stack : parts_.stacks) {
    for (size_t i = 0; i < stack.layers.size(); ++i) {
      places_.push_back({&stack, i});
      description_.layers.push_back(stack.layers[i].description);
    }
  }
}

bool BuiltNetwork::AnyLayerIsRead() const {
  return std::ranges::any_of(parts_.stacks, [](const Stack& stack) {
    return std::ranges::any_of(stack.layers, [](const Layer& layer) {
      return layer.description.mixer != MixerKind::kNone || layer.description.has_feed_forward;
    });
  });
}

Result<void> BuiltNetwork::ReadParts() {
  const Architecture& architecture = model_.architecture;
  const ArchitectureRow* row = FindRowOf(ConfigView(model_.config), architecture);
  std::set<std::string> assumed;
  if (row == nullptr) {
    row = &GenericRow();
    assumed.insert("architecture: that of Llama, where names and config do not tell otherwise");
  } else if (architecture.known_by == "names") {
    assumed.insert("architecture, from the names of the tensors");
  }
  if (!row->computes->disputed.empty()) assumed.insert(std::string(row->computes->disputed));
  if (auto read = ReadStacks(*row->computes, assumed); !read) return read;
  // The set lives no longer than this function.
  for (Stack& stack : parts_.stacks) stack.context.assumed = nullptr;
  if (!AnyLayerIsRead()) {
    const bool any_layer = std::ranges::any_of(
        weights_, [](const Weight& weight) { return weight.role.layer.has_value(); });
    if (!any_layer && Main().embedding.table != nullptr) {
      return Error{.kind = ErrorKind::kUnsupported,
                   .problem = "no layer of the model has parts that are known",
                   .expected = "layers with attention, a recurrent mixer or a feed-forward"};
    }
    assumed.insert("no layer has parts that are known");
  }
  Describe(row->name, assumed);
  return {};
}

Result<std::optional<QueriesAndKeys>> BuiltNetwork::QueriesAndKeysOf(
    size_t layer, const FloatMatrix& inputs) const {
  const LayerPlace& place = places_[layer];
  const AttentionLayer& attention = *place.layer().attention;
  TG_ASSIGN(auto rows,
            ProjectQueriesAndKeys(attention, place.layer().parts, place.config(), inputs, inputs));
  FloatMatrix keys = RepeatHeads(rows.keys, attention.shape);
  return std::optional(QueriesAndKeys{std::move(rows.queries), std::move(keys)});
}

Result<FloatMatrix> BuiltNetwork::MixerOutput(size_t layer, const FloatMatrix& inputs) const {
  const LayerPlace& place = places_[layer];
  const Layer& own = place.layer();
  FloatMatrix added;
  if (own.attention) {
    TG_ASSIGN(added, AttendOneByOne(place, inputs));
  }
  if (own.recurrent != nullptr) {
    TG_ASSIGN(auto mixed, own.recurrent->run(own.parts, place.config(), inputs, 1));
    if (own.attention) Add(added, mixed);
    added = std::move(mixed);
  }
  return FinishMixer(own, std::move(added));
}

Result<FloatMatrix> BuiltNetwork::FeedForwardOutput(size_t layer, const FloatMatrix& inputs,
                                                    const ExpertVisitor& visit_expert) const {
  const LayerPlace& place = places_[layer];
  const Layer& own = place.layer();
  if (own.bottleneck) {
    TG_ASSIGN(const auto inner, own.bottleneck->input.Apply(inputs));
    TG_ASSIGN(auto fed, RunFeedForward(*own.feed_forward, inner));
    return FinishFeedForward(own, std::move(fed));
  }
  ExpertVisitor visit_raw;
  if (visit_expert) {
    visit_raw = [&](uint32_t expert, const FloatMatrix& outputs) -> Result<void> {
      const auto added = FinishFeedForward(own, outputs);
      return added ? visit_expert(expert, *added) : Result<void>(added.error());
    };
  }
  const auto run = [&] {
    if (own.recurrent_feed_forward != nullptr) {
      return own.recurrent_feed_forward->run(own.parts, place.config(), inputs, 1);
    }
    return own.mixture ? RunAllExperts(*own.mixture, inputs, visit_raw)
                       : RunFeedForward(*own.feed_forward, inputs);
  };
  auto added = run();
  if (!added) return added;
  return FinishFeedForward(own, *std::move(added));
}

Result<FloatMatrix> BuiltNetwork::ExpertOutput(size_t layer, uint32_t expert,
                                               const FloatMatrix& inputs) const {
  const Layer& own = places_[layer].layer();
  auto added = RunExpert(*own.mixture, expert, inputs);
  if (!added) return added;
  return FinishFeedForward(own, *std::move(added));
}

}  // namespace

Result<std::shared_ptr<const Network>> Network::Build(const Model& model,
                                                      const NetworkOptions& options) {
  TG_TRY(RefuseCodes(model));
  TG_ASSIGN(auto weights, SplitWeights(model));
  for (Weight& weight : weights) {
    weight.threads = options.threads;
    weight.observer = options.observer;
  }
  auto network = std::make_shared<BuiltNetwork>(model, std::move(weights));
  if (auto read = network->ReadParts(); !read) {
    return std::move(read).error().InFile(model.path.string());
  }
  return std::shared_ptr<const Network>(std::move(network));
}

}  // namespace tensorguard::internal
