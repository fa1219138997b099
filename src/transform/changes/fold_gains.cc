#include "transform/changes/fold_gains.h"

#include "transform/change.h"
#include "transform/decoder_parts.h"

namespace tensorguard::internal {
namespace {

bool IsConstant(const arma::fvec& gain) {
  return gain.is_empty() || arma::range(gain) <= 1e-6f * arma::abs(gain).max();
}

}  // namespace

void MultiplyColumns(arma::fmat& matrix, const arma::fvec& factors) {
  matrix.each_row() %= factors.t();
}

void DivideColumns(arma::fmat& matrix, const arma::fvec& factors) {
  matrix.each_row() /= factors.t();
}

void Untie(Decoder& model) {
  if (model.tied()) model.head = model.embedding;
}

Result<void> FoldAllGains(Decoder& model) {
  for (DecoderLayer& layer : model.layers) {
    if (!IsConstant(layer.attention_output_gain) || !IsConstant(layer.feed_forward_output_gain)) {
      return DoesNotFit("gains of norms on what the layers write",
                        "norms in front of attention and feed-forward alone",
                        "use permute, which keeps such gains");
    }
    ForEachAttentionReader(
        layer, [&](Projection& map) { MultiplyColumns(map.weight, layer.attention_gain); });
    layer.attention_gain.ones();
    ForEachFeedForwardReader(
        layer, [&](Projection& map) { MultiplyColumns(map.weight, layer.feed_forward_gain); });
    layer.feed_forward_gain.ones();
  }
  Untie(model);
  MultiplyColumns(model.head, model.final_gain);
  model.final_gain.ones();
  return {};
}

}  // namespace tensorguard::internal
