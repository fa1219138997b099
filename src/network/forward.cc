#include "network/forward.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "base/try.h"
#include "network/attention/positions.h"
#include "network/feed_forward/mixture_of_experts.h"
#include "network/network_parts.h"
#include "network/recurrent/recurrent_mixer.h"

namespace tensorguard::internal {
namespace {

Error Unsupported(std::string problem, std::string tensor = {}) {
  return Error{
      .kind = ErrorKind::kUnsupported, .problem = std::move(problem), .tensor = std::move(tensor)};
}

// [heads * queries, keys]: what T5 adds to the scores. Empty where the stack has no such table.
Result<FloatMatrix> RelativeBias(const Stack& stack, const Layer& layer, size_t length) {
  static constexpr std::array<std::string_view, 1> kFarthest = {"relative_attention_max_distance"};
  if (stack.context.positions != PositionScheme::kRelativeBuckets) return FloatMatrix();
  const auto table_of = [](const Layer& holder) {
    return holder.parts.Named("relative_attention_bias.weight");
  };
  // The first layer's serves all that have none of their own.
  const Weight* weight = table_of(layer);
  if (weight == nullptr) weight = table_of(stack.layers.front());
  constexpr uint64_t kFewestBuckets = 4;
  const uint64_t farthest = stack.context.config.Number(kFarthest).value_or(128);
  if (weight == nullptr || weight->rows < kFewestBuckets || farthest <= weight->rows) {
    return Unsupported("the table of relative positions is missing or makes no sense");
  }
  auto table = ReadWeight(*stack.context.source, *weight);
  if (!table) return table;
  const size_t heads = layer.attention ? layer.attention->shape.heads : 0;
  if (table->columns() != heads) {
    return Unsupported("the table of relative positions does not fit the heads",
                       layer.parts.NameOf(*weight));
  }
  FloatMatrix bias(heads * length, length);
  for (size_t query = 0; query < length; ++query) {
    for (size_t key = 0; key < length; ++key) {
      const int64_t distance = static_cast<int64_t>(key) - static_cast<int64_t>(query);
      const size_t bucket =
          RelativeBucket(distance, stack.context.is_encoder, table->rows(), farthest);
      for (size_t head = 0; head < heads; ++head) {
        bias.Row(head * length + query)[key] = table->Row(bucket)[head];
      }
    }
  }
  return bias;
}

// One stack over one sequence.
class StackRun {
 public:
  // `encoded`: what the encoder made, for cross-attention; null where there is none.
  StackRun(const Stack& stack, const FloatMatrix* encoded) : stack_(stack), encoded_(encoded) {}

  // Without logits.
  Result<ForwardResult> Run(std::span<const uint32_t> ids) const {
    const bool sinusoidal = stack_.context.positions == PositionScheme::kSinusoidal;
    auto stream = stack_.embedding.Sequence(ids, sinusoidal);
    if (!stream) return std::move(stream).error();
    std::vector<FloatMatrix> hidden = {*stream};
    for (const size_t index : stack_.order) {
      stream = RunLayer(stack_.layers[index], *std::move(stream));
      if (!stream) return std::move(stream).error();
      hidden.push_back(*stream);
    }
    TG_ASSIGN(auto last, ApplyIfAny(stack_.final_norm, *stream));
    hidden.back() = std::move(last);
    return ForwardResult{std::move(hidden), *std::move(stream), {}};
  }

 private:
  Result<FloatMatrix> RunLayer(const Layer& layer, FloatMatrix stream) const {
    return layer.parallel ? RunParallel(layer, std::move(stream))
                          : RunInTurn(layer, std::move(stream));
  }

  // stream + mixer(norm(stream)) + feed-forward(norm'(stream)).
  Result<FloatMatrix> RunParallel(const Layer& layer, FloatMatrix stream) const {
    auto input = ApplyIfAny(layer.norms.mixer_input, stream);
    if (!input) return input;
    auto mixed = RunMixer(layer, *input);
    if (!mixed) return mixed;
    if (layer.norms.feed_forward_input) input = layer.norms.feed_forward_input->Apply(stream);
    if (!input) return input;
    auto fed = RunFeedForwardOf(layer, *input);
    if (!fed) return fed;
    Join(layer.mixer_factors, *mixed, stream);
    Join(layer.feed_forward_factors, *fed, stream);
    return stream;
  }

  Result<FloatMatrix> RunInTurn(const Layer& layer, FloatMatrix stream) const {
    const LayerNorms& norms = layer.norms;
    if (layer.description.mixer != MixerKind::kNone) {
      auto sum = Half(
          layer, norms.mixer_input, norms.mixer_sum, layer.mixer_factors,
          [&](const FloatMatrix& rows) { return RunMixer(layer, rows); }, std::move(stream));
      if (!sum) return sum;
      stream = *std::move(sum);
    }
    if (layer.cross_attention) {
      auto sum = Half(
          layer, norms.cross_input, norms.cross_sum, {},
          [&](const FloatMatrix& rows) { return RunCrossAttention(layer, rows); },
          std::move(stream));
      if (!sum) return sum;
      stream = *std::move(sum);
    }
    if (!layer.description.has_feed_forward) return stream;
    return Half(
        layer, norms.feed_forward_input, norms.feed_forward_sum, layer.feed_forward_factors,
        [&](const FloatMatrix& rows) { return RunFeedForwardOf(layer, rows); }, std::move(stream));
  }

  // One half with its residual: norm in front, what the half adds, norm on the sum.
  template <typename Function>
  static Result<FloatMatrix> Half(const Layer& layer, const std::optional<Norm>& before,
                                  const std::optional<Norm>& after, const ResidualFactors& factors,
                                  Function function, FloatMatrix stream) {
    auto input = ApplyIfAny(before, stream);
    if (!input) return input;
    auto added = function(*input);
    if (!added) return added;
    if (layer.residual_after_norm) stream = *std::move(input);
    Join(factors, *added, stream);
    return ApplyIfAny(after, std::move(stream));
  }

  static void Join(const ResidualFactors& factors, const FloatMatrix& added, FloatMatrix& stream) {
    const auto from = added.values();
    const auto to = stream.values();
    for (size_t i = 0; i < to.size(); ++i) {
      to[i] = to[i] * factors.stream + from[i] * factors.branch;
    }
  }

  Result<FloatMatrix> RunMixer(const Layer& layer, const FloatMatrix& rows) const {
    auto mixed = layer.recurrent != nullptr
                     ? layer.recurrent->run(layer.parts, stack_.context.config, rows, rows.rows())
                     : RunAttention(layer, *layer.attention, rows, rows, true);
    if (!mixed) return mixed;
    return ApplyIfAny(layer.norms.mixer_output, *std::move(mixed));
  }

  Result<FloatMatrix> RunCrossAttention(const Layer& layer, const FloatMatrix& rows) const {
    if (encoded_ == nullptr) return Unsupported("the decoder reads an encoder that is not there");
    return RunAttention(layer, *layer.cross_attention, rows, *encoded_, false);
  }

  Result<FloatMatrix> RunAttention(const Layer& layer, const AttentionLayer& attention,
                                   const FloatMatrix& rows, const FloatMatrix& key_rows,
                                   bool has_positions) const {
    TG_ASSIGN(auto rule, FullRule(attention));
    if (has_positions) {
      auto bias = RelativeBias(stack_, layer, rows.rows());
      if (!bias) return bias;
      rule.bias = *std::move(bias);
    }
    TG_ASSIGN(auto projected,
              Project(attention, layer.parts, stack_.context.config, rows, key_rows));
    return Finish(attention, rows, Attend(std::move(projected), attention.shape, rule));
  }

  Result<FloatMatrix> RunFeedForwardOf(const Layer& layer, const FloatMatrix& rows) const {
    const auto run = [&] {
      if (layer.recurrent_feed_forward != nullptr) {
        return layer.recurrent_feed_forward->run(layer.parts, stack_.context.config, rows,
                                                 rows.rows());
      }
      return layer.mixture ? RunMixture(*layer.mixture, rows)
                           : RunFeedForward(*layer.feed_forward, rows);
    };
    auto fed = run();
    if (!fed) return fed;
    return ApplyIfAny(layer.norms.feed_forward_output, *std::move(fed));
  }

  const Stack& stack_;
  const FloatMatrix* encoded_;
};

// Whether all that the stack holds is understood: a part left out would give wrong numbers.
Result<void> CheckComplete(const Stack& stack) {
  if (stack.context.positions == PositionScheme::kUnknown) {
    return Unsupported("the model's position scheme is not known");
  }
  for (const Layer& layer : stack.layers) {
    if (!layer.unread) continue;
    return Unsupported("a weight has no place in what is known of its layer", *layer.unread);
  }
  return {};
}

}  // namespace

Result<ForwardResult> RunForward(const Network& network, std::span<const uint32_t> input_ids,
                                 std::span<const uint32_t> decoder_ids) {
  const NetworkParts& parts = network.parts();
  for (const Stack& stack : parts.stacks) {
    TG_TRY(CheckComplete(stack));
  }
  const bool encoded = parts.stacks.size() > 1;
  FloatMatrix encoder_rows;
  if (encoded) {
    auto encoder = StackRun(parts.stacks.front(), nullptr).Run(input_ids);
    if (!encoder) return encoder;
    encoder_rows = std::move(encoder->hidden.back());
  }
  auto result = StackRun(parts.stacks.back(), encoded ? &encoder_rows : nullptr)
                    .Run(encoded ? decoder_ids : input_ids);
  if (!result || !parts.head) return result;
  TG_ASSIGN(auto logits, parts.head->Logits(result->hidden.back()));
  result->logits = std::move(logits);
  return result;
}

}  // namespace tensorguard::internal
