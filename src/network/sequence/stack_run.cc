#include "network/sequence/stack_run.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/try.h"
#include "network/attention/fourier_mixing.h"
#include "network/feed_forward/mixture_of_experts.h"
#include "network/parts/matrix_columns.h"
#include "network/recurrent/recurrent_mixer.h"

namespace tensorguard::internal {
namespace {

// Every column of the rows times its own factor.
Result<void> MultiplyColumns(const WeightSource& source, const Weight& factors, FloatMatrix& rows) {
  TG_ASSIGN(const auto values, ReadVector(source, factors, rows.columns()));
  for (size_t row = 0; row < rows.rows(); ++row) {
    for (size_t i = 0; i < values.size(); ++i) rows.Row(row)[i] *= values[i];
  }
  return {};
}

void Join(const ResidualFactors& factors, const FloatMatrix& added, FloatMatrix& stream) {
  const auto from = added.values();
  const auto to = stream.values();
  for (size_t i = 0; i < to.size(); ++i) {
    to[i] = to[i] * factors.stream + from[i] * factors.branch;
  }
}

// The end of one half: what it adds, joined with the residual, and the norm on the sum. `input` is
// what the half read.
Result<FloatMatrix> Joined(const Layer& layer, const std::optional<Norm>& after,
                           const ResidualFactors& factors, const FloatMatrix& input,
                           const FloatMatrix& added, FloatMatrix stream) {
  if (layer.residual_after_norm) stream = input;
  if (factors.gains != nullptr) {
    TG_TRY(MultiplyColumns(layer.parts.source(), *factors.gains, stream));
  }
  Join(factors, added, stream);
  return ApplyIfAny(after, std::move(stream));
}

}  // namespace

Result<StackResult> StackRun::Run(std::span<const uint32_t> ids) {
  auto stream = Enter(ids);
  if (!stream) return std::move(stream).error();
  if (stack_.cycles) return RunCycles();
  if (stack_.context.traits->reversible) return RunReversible();
  std::vector<FloatMatrix> hidden = {*stream};
  for (const size_t index : stack_.order) {
    const Layer& layer = stack_.layers[index];
    if (layer.OnlyReadsEncoder() && encoded_ == nullptr) continue;
    stream = RunLayer(layer, *std::move(stream));
    if (!stream) return std::move(stream).error();
    hidden.push_back(*stream);
  }
  return Close(std::move(hidden), *std::move(stream));
}

Result<FloatMatrix> StackRun::Enter(std::span<const uint32_t> ids) {
  ids_ = ids;
  layout_ = LayoutOf(stack_.extra, ids.size());
  attention_.Begin(ids, layout_);
  TG_ASSIGN(auto stream,
            stack_.embedding.Sequence(ids, stack_.context.positions, options_.rounded_buffers));
  if (stack_.extra) {
    TG_ASSIGN(stream, AddExtraRows(*stack_.extra, stack_.embedding, ids, stream));
  }
  if (stack_.streams) stream = RepeatStreams(stream, stack_.streams->streams);
  TG_ASSIGN(side_inputs_, SideInputsOf(stack_.side_inputs, ids, stream));
  embedded_ = stream;
  return stream;
}

Result<StackResult> StackRun::Close(std::vector<FloatMatrix> hidden, FloatMatrix stream) const {
  if (stack_.streams) {
    TG_ASSIGN(stream, CollapseStreams(*stack_.streams, stream));
  }
  TG_ASSIGN(hidden.back(), ApplyIfAny(stack_.final_norm, stream));
  StackResult result;
  result.result.hidden = std::move(hidden);
  result.result.last_stream = std::move(stream);
  std::vector<FloatMatrix>& states = result.result.hidden;
  const bool predicts_beside = layout_.streams > 0;
  if (predicts_beside) result.head_rows = RowsOf(states.back(), layout_.tokens, layout_.tokens);
  if (stack_.extra) {
    for (FloatMatrix& state : states) state = RowsOf(state, layout_.before, layout_.tokens);
  }
  if (!predicts_beside) result.head_rows = states.back();
  return result;
}

// Layers [first, last) and the norm behind them; `hidden` gets what leaves each.
Result<FloatMatrix> StackRun::RunSpan(size_t first, size_t last, FloatMatrix stream,
                                      std::vector<FloatMatrix>& hidden) {
  for (size_t index = first; index < last; ++index) {
    TG_ASSIGN(stream, RunLayer(stack_.layers[index], std::move(stream)));
    hidden.push_back(stream);
  }
  return ApplyIfAny(stack_.final_norm, std::move(stream));
}

Result<StackResult> StackRun::RunCycles() {
  const Cycles& cycles = *stack_.cycles;
  const size_t half = stack_.layers.size() / 2;
  TG_ASSIGN(const auto start,
            ReadVector(*stack_.context.source, *cycles.start, embedded_.columns()));
  FloatMatrix slow = embedded_;
  FloatMatrix fast(slow.rows(), slow.columns());
  for (size_t row = 0; row < fast.rows(); ++row) std::ranges::copy(start, fast.Row(row).begin());
  StackResult result;
  std::vector<FloatMatrix>& hidden = result.result.hidden;
  hidden.push_back(embedded_);
  for (uint64_t turn = 0; turn < cycles.slow; ++turn) {
    for (uint64_t inner = 0; inner < cycles.fast; ++inner) {
      Add(slow, fast);
      TG_ASSIGN(fast, RunSpan(0, half, std::move(fast), hidden));
    }
    Add(fast, slow);
    TG_ASSIGN(slow, RunSpan(half, 2 * half, std::move(slow), hidden));
  }
  result.result.last_stream = std::exchange(hidden.back(), slow);
  result.head_rows = std::move(slow);
  return result;
}

// Two streams that begin alike: the mixer writes to one and reads the other, the feed-forward the
// other way round.
Result<StackResult> StackRun::RunReversible() {
  FloatMatrix mixed = embedded_;
  FloatMatrix fed = embedded_;
  StackResult result;
  result.result.hidden.push_back(fed);
  for (const size_t index : stack_.order) {
    const Layer& layer = stack_.layers[index];
    TG_ASSIGN(const auto input, MixerInput(layer, fed));
    TG_ASSIGN(const auto attended, RunMixer(layer, input));
    Add(attended, mixed);
    TG_ASSIGN(const auto inner, ApplyIfAny(layer.norms.feed_forward_input, mixed));
    TG_ASSIGN(const auto added, RunFeedForwardOf(layer, inner));
    Add(added, fed);
    result.result.hidden.push_back(fed);
  }
  result.result.last_stream = SideBySide(mixed, fed);
  TG_ASSIGN(result.head_rows, ApplyIfAny(stack_.final_norm, result.result.last_stream));
  return result;
}

// MobileBERT: all of the layer but its way in and out is of inner width.
Result<FloatMatrix> StackRun::RunInOtherWidth(const Layer& layer, const FloatMatrix& stream) {
  const Bottleneck& bottleneck = *layer.bottleneck;
  TG_ASSIGN(const auto inner, bottleneck.input.Apply(stream));
  TG_ASSIGN(auto mixed, attention_.Run(layer, stream));
  Add(inner, mixed);
  TG_ASSIGN(mixed, ApplyIfAny(bottleneck.mixer_sum, std::move(mixed)));
  TG_ASSIGN(mixed, RunFurther(bottleneck, std::move(mixed)));
  TG_ASSIGN(auto fed, RunFeedForwardOf(layer, mixed));
  Add(mixed, fed);
  TG_ASSIGN(fed, ApplyIfAny(bottleneck.feed_forward_sum, std::move(fed)));
  TG_ASSIGN(auto sum, bottleneck.output.Apply(fed));
  Add(stream, sum);
  return ApplyIfAny(bottleneck.sum, std::move(sum));
}

Result<FloatMatrix> StackRun::RunLayer(const Layer& layer, FloatMatrix stream) {
  if (layer.bottleneck) return RunInOtherWidth(layer, stream);
  if (layer.mixer_streams && layer.feed_forward_streams) {
    return RunOnStreams(layer, std::move(stream));
  }
  auto after =
      layer.parallel ? RunParallel(layer, std::move(stream)) : RunInTurn(layer, std::move(stream));
  if (!after || !layer.side) return after;
  return AddSideInput(*layer.side, layer.description.index, side_inputs_, *std::move(after));
}

// stream + mixer(norm(stream)) + feed-forward(norm'(stream)).
Result<FloatMatrix> StackRun::RunParallel(const Layer& layer, FloatMatrix stream) {
  TG_ASSIGN(auto input, ApplyIfAny(layer.norms.mixer_input, stream));
  TG_ASSIGN(const auto mixed, RunMixer(layer, input));
  if (layer.norms.feed_forward_input) {
    TG_ASSIGN(input, layer.norms.feed_forward_input->Apply(stream));
  }
  TG_ASSIGN(const auto fed, RunFeedForwardOf(layer, input));
  Join(layer.mixer_factors, mixed, stream);
  Join(layer.feed_forward_factors, fed, stream);
  return stream;
}

// Both halves read a mixture of the streams and write to all of them.
Result<FloatMatrix> StackRun::RunOnStreams(const Layer& layer, FloatMatrix streams) {
  TG_ASSIGN(const auto before_mixer, OpenStreams(*layer.mixer_streams, streams));
  TG_ASSIGN(const auto mixer_input, ApplyIfAny(layer.norms.mixer_input, before_mixer.input));
  TG_ASSIGN(const auto mixed, RunMixer(layer, mixer_input));
  streams = CloseStreams(before_mixer, mixed, streams);
  TG_ASSIGN(const auto before_feed, OpenStreams(*layer.feed_forward_streams, streams));
  TG_ASSIGN(const auto feed_input, ApplyIfAny(layer.norms.feed_forward_input, before_feed.input));
  TG_ASSIGN(const auto fed, RunFeedForwardOf(layer, feed_input));
  return CloseStreams(before_feed, fed, streams);
}

Result<FloatMatrix> StackRun::RunInTurn(const Layer& layer, FloatMatrix stream) {
  const LayerNorms& norms = layer.norms;
  if (stack_.context.traits->fourier_mixing) {
    TG_ASSIGN(const auto input, ApplyIfAny(norms.mixer_input, stream));
    TG_ASSIGN(stream, Joined(layer, norms.mixer_sum, layer.mixer_factors, input,
                             MixByFourier(input), std::move(stream)));
  }
  if (layer.description.mixer != MixerKind::kNone) {
    TG_ASSIGN(const auto input, MixerInput(layer, stream));
    TG_ASSIGN(const auto mixed, RunMixer(layer, input));
    TG_ASSIGN(stream,
              Joined(layer, norms.mixer_sum, layer.mixer_factors, input, mixed, std::move(stream)));
  }
  if (layer.cross_attention && encoded_ != nullptr) {
    TG_ASSIGN(const auto input, ApplyIfAny(norms.cross_input, stream));
    TG_ASSIGN(const auto read, RunCrossAttention(layer, input));
    TG_ASSIGN(stream, Joined(layer, norms.cross_sum, {}, input, read, std::move(stream)));
  }
  if (!layer.description.has_feed_forward) return stream;
  TG_ASSIGN(const auto input, ApplyIfAny(norms.feed_forward_input, stream));
  TG_ASSIGN(const auto fed, RunFeedForwardOf(layer, input));
  return Joined(layer, norms.feed_forward_sum, layer.feed_forward_factors, input, fed,
                std::move(stream));
}

Result<FloatMatrix> StackRun::MixerInput(const Layer& layer, const FloatMatrix& stream) {
  FloatMatrix read = stream;
  if (layer.shared) {
    TG_ASSIGN(const auto rule, attention_.RuleOf(layer.shared->attention));
    TG_ASSIGN(const auto added, RunSharedBlock(*layer.shared, rule, stream, embedded_));
    Add(added, read);
  }
  TG_ASSIGN(auto input, ApplyIfAny(layer.norms.mixer_input, std::move(read)));
  if (!layer.extra_input) return input;
  TG_ASSIGN(const auto extra, layer.extra_input->Apply(RowsOf(stream, 0, layout_.before)));
  std::ranges::copy(extra.values(), input.values().begin());
  return input;
}

Result<FloatMatrix> StackRun::RunMixer(const Layer& layer, const FloatMatrix& rows) {
  FloatMatrix mixed(rows.rows(), rows.columns());
  if (layer.recurrent != nullptr) {
    TG_ASSIGN(mixed, layer.recurrent->run(layer.parts, stack_.context.config, rows, rows.rows()));
  }
  if (layer.attention) {
    TG_ASSIGN(const auto attended, attention_.Run(layer, rows));
    Add(attended, mixed);
  }
  return ApplyIfAny(layer.norms.mixer_output, std::move(mixed));
}

Result<FloatMatrix> StackRun::RunCrossAttention(const Layer& layer, const FloatMatrix& rows) {
  TG_ASSIGN(auto added, attention_.RunCross(layer, rows));
  return ApplyIfAny(layer.norms.cross_output, std::move(added));
}

Result<FloatMatrix> StackRun::RunFeedForwardOf(const Layer& layer, const FloatMatrix& rows) const {
  const auto run = [&] {
    if (layer.recurrent_feed_forward != nullptr) {
      return layer.recurrent_feed_forward->run(layer.parts, stack_.context.config, rows,
                                               rows.rows());
    }
    return layer.mixture ? RunMixture(*layer.mixture, rows, ids_)
                         : RunFeedForward(*layer.feed_forward, rows);
  };
  TG_ASSIGN(auto fed, run());
  return ApplyIfAny(layer.norms.feed_forward_output, std::move(fed));
}

}  // namespace tensorguard::internal
