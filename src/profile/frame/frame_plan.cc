#include "profile/frame/frame_plan.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "base/try.h"
#include "network/network_parts.h"

namespace tensorguard::internal {
namespace {

// Rows of the embedding that are looked at.
constexpr uint64_t kSampledTokens = 256;

// Where every sampled token enters the stream with a zero, nothing that layers compute begins: a
// stream made wider has such dimensions, whatever is said to read them. 1 elsewhere. Empty where
// there is nothing of the kind.
Result<std::vector<float>> WrittenByTokens(const Network& network, uint64_t hidden) {
  const uint64_t vocabulary = network.description().vocabulary_size;
  const uint64_t count = std::min(vocabulary, kSampledTokens);
  std::vector<uint32_t> tokens;
  for (uint64_t i = 0; i < count; ++i) {
    tokens.push_back(static_cast<uint32_t>(i * vocabulary / count));
  }
  if (tokens.empty()) return std::vector<float>();
  TG_ASSIGN(const auto rows, network.InputRows(tokens));
  if (rows.columns() != hidden) return std::vector<float>();
  std::vector<float> written(hidden);
  for (size_t row = 0; row < rows.rows(); ++row) {
    const auto numbers = rows.Row(row);
    for (uint64_t i = 0; i < hidden; ++i) {
      if (numbers[i] != 0) written[i] = 1;
    }
  }
  const auto zeros = std::ranges::count(written, 0.0f);
  if (zeros == 0 || zeros == std::ssize(written)) written.clear();
  return written;
}

class Planner {
 public:
  Planner(FramePlan& plan, std::vector<float> written)
      : plan_(plan), written_(std::move(written)) {}

  Result<void> AddLayer(const Layer& layer) {
    layer_ = {.stack = layer.description.stack, .index = layer.description.index};
    if (auto done = AddAttention(layer); !done) return done;
    if (auto done = AddFeedForwards(layer); !done) return done;
    if (!layer_.parts.empty()) plan_.layers.push_back(std::move(layer_));
    return {};
  }

 private:
  Result<SharedFactors> GainOf(const std::optional<Norm>& norm, uint64_t width) {
    if (!norm) {
      if (!ones_) {
        ones_ = std::make_shared<std::vector<float>>(
            written_.empty() ? std::vector<float>(plan_.hidden, 1.0f) : written_);
      }
      return ones_;
    }
    TG_ASSIGN(auto gain, norm->ReadGain(width));
    for (size_t i = 0; i < written_.size() && width == plan_.hidden; ++i) gain[i] *= written_[i];
    return SharedFactors(std::make_shared<std::vector<float>>(std::move(gain)));
  }

  Result<SharedFactors> InnerGainOf(const std::optional<Norm>& norm, uint64_t width) {
    if (!norm) return SharedFactors();
    TG_ASSIGN(auto gain, norm->ReadGain(width));
    return SharedFactors(std::make_shared<std::vector<float>>(std::move(gain)));
  }

  bool Reads(const LinearMap& map, uint64_t outputs) const {
    return map.weight != nullptr && map.inputs() == plan_.hidden && map.outputs() == outputs;
  }

  bool Writes(const LinearMap& map, uint64_t inputs) const {
    return map.weight != nullptr && map.outputs() == plan_.hidden && map.inputs() == inputs;
  }

  size_t Add(const LinearMap& map, bool writes, const SharedFactors& stream,
             const SharedFactors& inner = {}) {
    plan_.weights.push_back({map.weight, writes, stream, inner});
    return plan_.weights.size() - 1;
  }

  void NoteCentring(const std::optional<Norm>& norm) {
    if (norm && norm->kind == NormKind::kLayer) plan_.centres = true;
  }

  Result<void> AddAttention(const Layer& layer) {
    if (!layer.attention || layer.attention->latent) return {};
    const AttentionLayer& attention = *layer.attention;
    const AttentionShape& shape = attention.shape;
    if (shape.key_heads == 0 || shape.heads % shape.key_heads != 0) return {};
    const uint64_t outputs = shape.heads * shape.value_size;
    const bool fits = shape.head_size > 0 && shape.value_size > 0 &&
                      Reads(attention.query, shape.heads * shape.head_size) &&
                      Reads(attention.key, shape.key_heads * shape.head_size) &&
                      Reads(attention.value, shape.key_heads * shape.value_size) &&
                      Writes(attention.output, outputs);
    if (!fits) return {};
    TG_ASSIGN(const auto input, GainOf(layer.norms.mixer_input, plan_.hidden));
    TG_ASSIGN(const auto output, GainOf(layer.norms.mixer_output, plan_.hidden));
    TG_ASSIGN(const auto inner, InnerGainOf(attention.inner_norm, outputs));
    NoteCentring(layer.norms.mixer_input);
    FramePart part = {.is_attention = true, .shape = shape, .weights = {}};
    for (const LinearMap* map : {&attention.query, &attention.key, &attention.value}) {
      part.weights.push_back(Add(*map, false, input));
    }
    part.weights.push_back(Add(attention.output, true, output, inner));
    layer_.parts.push_back(std::move(part));
    return {};
  }

  Result<void> AddFeedForwards(const Layer& layer) {
    if (!layer.feed_forward && !layer.mixture) return {};
    const auto& norm = layer.norms.feed_forward_input || !layer.parallel
                           ? layer.norms.feed_forward_input
                           : layer.norms.mixer_input;
    TG_ASSIGN(const auto input, GainOf(norm, plan_.hidden));
    TG_ASSIGN(const auto output, GainOf(layer.norms.feed_forward_output, plan_.hidden));
    NoteCentring(norm);
    const auto add = [&](const FeedForward& block) { return AddFeedForward(block, input, output); };
    if (layer.feed_forward) return add(*layer.feed_forward);
    for (const FeedForward& expert : layer.mixture->blocks) {
      if (auto done = add(expert); !done) return done;
    }
    return layer.mixture->shared ? add(*layer.mixture->shared) : Result<void>();
  }

  Result<void> AddFeedForward(const FeedForward& block, const SharedFactors& input,
                              const SharedFactors& output) {
    if (block.up.weight == nullptr || block.down.weight == nullptr) return {};
    const uint64_t units = block.up.outputs();
    if (units == 0 || !Reads(block.up, units) || !Writes(block.down, units)) return {};
    if (block.gate && !Reads(*block.gate, units)) return {};
    TG_ASSIGN(const auto inner, InnerGainOf(block.inner_norm, units));
    FramePart part;
    if (block.gate) part.weights.push_back(Add(*block.gate, false, input));
    part.weights.push_back(Add(block.up, false, input));
    part.weights.push_back(Add(block.down, true, output, inner));
    layer_.parts.push_back(std::move(part));
    return {};
  }

  FramePlan& plan_;
  std::vector<float> written_;  // WrittenByTokens
  FrameLayer layer_;
  SharedFactors ones_;
};

}  // namespace

Result<FramePlan> PlanFrame(const Network& network) {
  FramePlan plan = {.hidden = network.description().hidden_size, .source = &network.source()};
  TG_ASSIGN(auto written, WrittenByTokens(network, plan.hidden));
  Planner planner(plan, std::move(written));
  for (const Stack& stack : network.parts().stacks) {
    for (const Layer& layer : stack.layers) {
      TG_TRY(planner.AddLayer(layer));
    }
  }
  return plan;
}

}  // namespace tensorguard::internal
