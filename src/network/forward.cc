#include "network/forward.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/bfloat16.h"
#include "base/try.h"
#include "network/attention/fourier_mixing.h"
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

// [heads * queries, keys]: what T5 adds to the scores. Empty where the architecture has no such
// table.
Result<FloatMatrix> RelativeBias(const Stack& stack, const Layer& layer, size_t length,
                                 bool both_sides) {
  static constexpr std::array<std::string_view, 1> kFarthest = {"relative_attention_max_distance"};
  const bool has_buckets = stack.context.positions == PositionScheme::kRelativeBuckets ||
                           stack.context.traits->relative_buckets_too;
  if (!has_buckets) return FloatMatrix();
  const auto table_of = [](const Layer& holder) {
    return holder.parts.Named("relative_attention_bias.weight");
  };
  // The first layer's, or the stack's, serves all that have none of their own.
  const Weight* weight = table_of(layer);
  if (weight == nullptr) weight = table_of(stack.layers.front());
  if (weight == nullptr) weight = stack.relative_bias;
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
      const size_t bucket = RelativeBucket(distance, both_sides, table->rows(), farthest);
      for (size_t head = 0; head < heads; ++head) {
        bias.Row(head * length + query)[key] = table->Row(bucket)[head];
      }
    }
  }
  return bias;
}

// A layer that only reads an encoder (of images, say) does nothing where there is none.
bool ReadsOnlyWhatIsAbsent(const Layer& layer, bool has_encoder) {
  return layer.cross_attention && layer.description.mixer == MixerKind::kNone && !has_encoder;
}

// Every column of the rows times its own factor.
Result<void> MultiplyColumns(const WeightSource& source, const Weight& factors, FloatMatrix& rows) {
  TG_ASSIGN(const auto values, ReadVector(source, factors, rows.columns()));
  for (size_t row = 0; row < rows.rows(); ++row) {
    for (size_t i = 0; i < values.size(); ++i) rows.Row(row)[i] *= values[i];
  }
  return {};
}

// One stack over one sequence.
class StackRun {
 public:
  // `encoded`: what the encoder made, for cross-attention; null where there is none.
  StackRun(const Stack& stack, const FloatMatrix* encoded, const ForwardOptions& options)
      : stack_(stack), encoded_(encoded), options_(options) {}

  // Without logits.
  Result<ForwardResult> Run(std::span<const uint32_t> ids) {
    auto stream =
        stack_.embedding.Sequence(ids, stack_.context.positions, options_.rounded_buffers);
    if (!stream) return std::move(stream).error();
    if (stack_.streams) stream = RepeatStreams(*stream, stack_.streams->streams);
    ids_ = ids;
    TG_ASSIGN(side_inputs_, SideInputsOf(stack_.side_inputs, ids, *stream));
    std::vector<FloatMatrix> hidden = {*stream};
    for (const size_t index : stack_.order) {
      if (ReadsOnlyWhatIsAbsent(stack_.layers[index], encoded_ != nullptr)) continue;
      stream = RunLayer(stack_.layers[index], *std::move(stream));
      if (!stream) return std::move(stream).error();
      hidden.push_back(*stream);
    }
    if (stack_.streams) {
      TG_ASSIGN(auto collapsed, CollapseStreams(*stack_.streams, *stream));
      stream = std::move(collapsed);
    }
    TG_ASSIGN(auto last, ApplyIfAny(stack_.final_norm, *stream));
    hidden.back() = std::move(last);
    return ForwardResult{std::move(hidden), *std::move(stream), {}};
  }

 private:
  Result<FloatMatrix> RunLayer(const Layer& layer, FloatMatrix stream) {
    if (layer.mixer_streams && layer.feed_forward_streams) {
      return RunOnStreams(layer, std::move(stream));
    }
    auto after = layer.parallel ? RunParallel(layer, std::move(stream))
                                : RunInTurn(layer, std::move(stream));
    if (!after || !layer.side) return after;
    return AddSideInput(*layer.side, layer.description.index, side_inputs_, *std::move(after));
  }

  // stream + mixer(norm(stream)) + feed-forward(norm'(stream)).
  Result<FloatMatrix> RunParallel(const Layer& layer, FloatMatrix stream) {
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

  // Both halves read a mixture of the streams and write to all of them.
  Result<FloatMatrix> RunOnStreams(const Layer& layer, FloatMatrix streams) {
    TG_ASSIGN(const auto before_mixer, OpenStreams(*layer.mixer_streams, streams));
    TG_ASSIGN(const auto mixer_input, ApplyIfAny(layer.norms.mixer_input, before_mixer.input));
    TG_ASSIGN(const auto mixed, RunMixer(layer, mixer_input));
    streams = CloseStreams(before_mixer, mixed, streams);
    TG_ASSIGN(const auto before_feed, OpenStreams(*layer.feed_forward_streams, streams));
    TG_ASSIGN(const auto feed_input, ApplyIfAny(layer.norms.feed_forward_input, before_feed.input));
    TG_ASSIGN(const auto fed, RunFeedForwardOf(layer, feed_input));
    return CloseStreams(before_feed, fed, streams);
  }

  Result<FloatMatrix> RunInTurn(const Layer& layer, FloatMatrix stream) {
    const LayerNorms& norms = layer.norms;
    if (stack_.context.traits->fourier_mixing) {
      auto sum = Half(
          layer, norms.mixer_input, norms.mixer_sum, layer.mixer_factors,
          [&](const FloatMatrix& rows) { return Result<FloatMatrix>(MixByFourier(rows)); },
          std::move(stream));
      if (!sum) return sum;
      stream = *std::move(sum);
    }
    if (layer.description.mixer != MixerKind::kNone) {
      auto sum = Half(
          layer, norms.mixer_input, norms.mixer_sum, layer.mixer_factors,
          [&](const FloatMatrix& rows) { return RunMixer(layer, rows); }, std::move(stream));
      if (!sum) return sum;
      stream = *std::move(sum);
    }
    if (layer.cross_attention && encoded_ != nullptr) {
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
    if (factors.gains != nullptr) {
      TG_TRY(MultiplyColumns(layer.parts.source(), *factors.gains, stream));
    }
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

  Result<FloatMatrix> RunMixer(const Layer& layer, const FloatMatrix& rows) {
    FloatMatrix mixed(rows.rows(), rows.columns());
    if (layer.recurrent != nullptr) {
      TG_ASSIGN(mixed, layer.recurrent->run(layer.parts, stack_.context.config, rows, rows.rows()));
    }
    if (layer.attention) {
      TG_ASSIGN(const auto attended, RunAttention(layer, *layer.attention, rows, rows, true));
      Add(attended, mixed);
    }
    return ApplyIfAny(layer.norms.mixer_output, std::move(mixed));
  }

  Result<FloatMatrix> RunCrossAttention(const Layer& layer, const FloatMatrix& rows) {
    TG_ASSIGN(auto added, RunAttention(layer, *layer.cross_attention, rows, *encoded_, false));
    return ApplyIfAny(layer.norms.cross_output, std::move(added));
  }

  Result<FloatMatrix> RunAttention(const Layer& layer, const AttentionLayer& attention,
                                   const FloatMatrix& rows, const FloatMatrix& key_rows,
                                   bool has_positions) {
    TG_ASSIGN(auto rule, FullRule(attention));
    if (options_.rounded_buffers && rule.rotary) {
      for (float& value : rule.rotary->frequencies) value = ToFloat32(RoundToBFloat16(value));
    }
    if (attention.most_keys > 0 && rows.rows() > attention.most_keys) {
      return Unsupported("the sequence is so long that attention chooses among its keys");
    }
    if (has_positions) {
      auto bias = RelativeBias(stack_, layer, rows.rows(), !rule.causal);
      if (!bias) return bias;
      rule.bias = *std::move(bias);
    }
    TG_ASSIGN(auto projected,
              ProjectSequence(attention, layer.parts, stack_.context.config, rows, key_rows, rule));
    if (attention.lender) {
      projected.keys = lent_[*attention.lender].keys;
      projected.values = lent_[*attention.lender].values;
    } else if (has_positions && stack_.Lends(layer.description.index)) {
      lent_[layer.description.index] = projected;
    }
    AttentionShape shape = attention.shape;
    if (attention.preference) {
      TG_ASSIGN(rule.bias, attention.preference->Bias(projected.values, shape.heads));
    }
    if (attention.differential) {
      projected.keys = RepeatHeads(projected.keys, shape);
      projected.values = PairValues(projected.values, shape);
    }
    return Finish(attention, rows, Attend(std::move(projected), shape, rule));
  }

  Result<FloatMatrix> RunFeedForwardOf(const Layer& layer, const FloatMatrix& rows) const {
    const auto run = [&] {
      if (layer.recurrent_feed_forward != nullptr) {
        return layer.recurrent_feed_forward->run(layer.parts, stack_.context.config, rows,
                                                 rows.rows());
      }
      return layer.mixture ? RunMixture(*layer.mixture, rows, ids_)
                           : RunFeedForward(*layer.feed_forward, rows);
    };
    auto fed = run();
    if (!fed) return fed;
    return ApplyIfAny(layer.norms.feed_forward_output, *std::move(fed));
  }

  const Stack& stack_;
  const FloatMatrix* encoded_;
  ForwardOptions options_;
  std::map<uint32_t, AttentionRows> lent_;  // by layer, for layers without keys of their own
  std::span<const uint32_t> ids_;
  FloatMatrix side_inputs_;  // of all layers, side by side; empty: none
};

// Whether all that the stack holds is understood: a part left out would give wrong numbers.
Result<void> CheckComplete(const Stack& stack, bool has_encoder) {
  if (stack.embedding.table == nullptr) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "the model has no token embedding that is known as one",
                 .expected = "a matrix with a row per token"};
  }
  if (stack.context.positions == PositionScheme::kUnknown) {
    return Unsupported("the model's position scheme is not known");
  }
  if (stack.context.positions == PositionScheme::kLearned && stack.embedding.positions == nullptr) {
    return Unsupported("the model has no table of positions");
  }
  if (stack.unread) {
    return Unsupported("a weight outside the layers has no place in what is known", *stack.unread);
  }
  for (const Layer& layer : stack.layers) {
    if (!layer.unread || ReadsOnlyWhatIsAbsent(layer, has_encoder)) continue;
    return Unsupported("a weight has no place in what is known of its layer", *layer.unread);
  }
  return {};
}

Result<void> CheckAnyLayer(const Network& network) {
  const bool any = std::ranges::any_of(network.description().layers, [](const auto& layer) {
    return layer.mixer != MixerKind::kNone || layer.has_feed_forward;
  });
  if (any) return {};
  return Error{.kind = ErrorKind::kUnsupported,
               .problem = "no layer of the model has parts that are known",
               .expected = "layers with attention, a recurrent mixer or a feed-forward"};
}

// BigBird attends to all of a sequence, until that holds more blocks than it would choose from.
Result<void> CheckReach(const Stack& stack, size_t length) {
  static constexpr std::array<std::string_view, 1> kType = {"attention_type"};
  static constexpr std::array<std::string_view, 1> kBlock = {"block_size"};
  static constexpr std::array<std::string_view, 1> kRandom = {"num_random_blocks"};
  const ConfigView& config = stack.context.config;
  if (config.Text(kType) != "block_sparse") return {};
  const uint64_t blocks = 5 + 2 * config.Number(kRandom).value_or(3);
  if (length <= blocks * config.Number(kBlock).value_or(64)) return {};
  return Unsupported("the sequence is so long that attention goes to random blocks of it");
}

}  // namespace

Result<ForwardResult> RunForward(const Network& network, std::span<const uint32_t> input_ids,
                                 std::span<const uint32_t> decoder_ids,
                                 const ForwardOptions& options) {
  const NetworkParts& parts = network.parts();
  TG_TRY(CheckAnyLayer(network));
  for (const Stack& stack : parts.stacks) {
    TG_TRY(CheckComplete(stack, parts.stacks.size() > 1));
    TG_TRY(CheckReach(stack, std::max(input_ids.size(), decoder_ids.size())));
  }
  const bool encoded = parts.stacks.size() > 1;
  FloatMatrix encoder_rows;
  if (encoded) {
    auto encoder = StackRun(parts.stacks.front(), nullptr, options).Run(input_ids);
    if (!encoder) return encoder;
    encoder_rows = std::move(encoder->hidden.back());
  }
  auto result = StackRun(parts.stacks.back(), encoded ? &encoder_rows : nullptr, options)
                    .Run(encoded ? decoder_ids : input_ids);
  if (!result || !parts.head) return result;
  TG_ASSIGN(auto logits, parts.head->Logits(result->hidden.back()));
  result->logits = std::move(logits);
  return result;
}

}  // namespace tensorguard::internal
