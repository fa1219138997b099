#include "network/sequence/sequence_attention.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string_view>
#include <utility>

#include "base/bfloat16.h"
#include "base/try.h"
#include "network/sequence/bucket_bias.h"
#include "network/sequence/row_bias.h"

namespace tensorguard::internal {
namespace {

constexpr float kUnseen = -std::numeric_limits<float>::infinity();
// Low enough that anything else that is seen counts alone.
constexpr float kLastResort = -1e5f;

// to + added, either of which may be empty.
void AddTo(FloatMatrix added, FloatMatrix& to) {
  if (to.rows() == 0) {
    to = std::move(added);
  } else if (added.rows() > 0) {
    Add(added, to);
  }
}

// What a token sees of the sequence by the rule, as a bias for one head after the other; `further`
// keys behind those of the sequence are seen by all.
FloatMatrix MaskOf(const AttentionRule& rule, size_t heads, size_t length, size_t further) {
  FloatMatrix mask(heads * length, length + further);
  for (size_t row = 0; row < mask.rows(); ++row) {
    const size_t query = row % length;
    for (size_t key = 0; key < length; ++key) {
      if (!Sees(rule, query, key)) mask.Row(row)[key] = kUnseen;
    }
  }
  return mask;
}

// Rows of `below` under those of `above`.
FloatMatrix Stacked(const FloatMatrix& above, const FloatMatrix& below) {
  FloatMatrix both(above.rows() + below.rows(), above.columns());
  std::ranges::copy(above.values(), both.values().begin());
  std::ranges::copy(below.values(), both.values().subspan(above.values().size()).begin());
  return both;
}

}  // namespace

Result<AttentionRule> SequenceAttention::RuleOf(const AttentionLayer& attention) const {
  TG_ASSIGN(auto rule, FullRule(attention));
  if (options_.rounded_buffers && rule.rotary) {
    for (float& value : rule.rotary->frequencies) value = ToFloat32(RoundToBFloat16(value));
  }
  return rule;
}

Result<void> SequenceAttention::AddBias(const Layer& layer, const FloatMatrix& rows,
                                        AttentionRule& rule) const {
  TG_ASSIGN(rule.bias, BucketBias(stack_, layer, rows.rows(), !rule.causal));
  if (stack_.extra) {
    TG_ASSIGN(auto bias, RowBias({stack_, layout_, ids_}, layer, rows));
    rule.causal = false;
    AddTo(std::move(bias), rule.bias);
  }
  if (!layer.attention->compares_queries) return {};
  FloatMatrix last(layer.attention->shape.heads * rows.rows(), rows.rows());
  for (size_t row = 0; row < last.rows(); ++row) last.Row(row)[row % rows.rows()] = kLastResort;
  AddTo(std::move(last), rule.bias);
  return {};
}

Result<void> SequenceAttention::AddScores(const AttentionLayer& attention,
                                          const AttentionRows& projected,
                                          const std::optional<RelativePlaces>& places,
                                          AttentionRule& rule) const {
  if (attention.preference) {
    TG_ASSIGN(rule.bias, attention.preference->Bias(projected.values, attention.shape.heads));
  }
  if (attention.relative) {
    static constexpr std::array<std::string_view, 1> kFarthest = {"clamp_len"};
    auto of_sequence = RelativePlaces::OfSequence(projected.queries.rows());
    of_sequence.farthest = stack_.context.config.Number(kFarthest);
    TG_ASSIGN(auto bias, attention.relative->Bias(projected, attention.shape, rule.scale,
                                                  places ? *places : of_sequence));
    AddTo(std::move(bias), rule.bias);
  }
  return {};
}

// T5Gemma 2: one softmax over the decoder's keys and the encoder's, which have no positions.
Result<void> SequenceAttention::AppendEncoded(const Layer& layer, AttentionRows& projected,
                                              AttentionRule& rule) const {
  const AttentionLayer& attention = *layer.attention;
  TG_ASSIGN(const auto encoded,
            Project(attention, layer.parts, stack_.context.config, *encoded_, *encoded_));
  AddTo(MaskOf(rule, attention.shape.heads, projected.queries.rows(), encoded_->rows()), rule.bias);
  rule.causal = false;
  rule.window.reset();
  projected.keys = Stacked(projected.keys, encoded.keys);
  projected.values = Stacked(projected.values, encoded.values);
  return {};
}

Result<FloatMatrix> SequenceAttention::Attended(const Layer& layer, const FloatMatrix& rows,
                                                AttentionRule rule, AttentionRows projected) const {
  const AttentionLayer& attention = *layer.attention;
  AttentionShape shape = attention.shape;
  if (attention.differential) {
    projected.keys = RepeatHeads(projected.keys, shape);
    projected.values = PairValues(projected.values, shape);
  }
  if (!attention.local) return Finish(attention, rows, Attend(std::move(projected), shape, rule));
  FloatMatrix mixed = Attend(projected, shape, rule);
  TG_ASSIGN(mixed,
            MixLocally(*attention.local, shape, rows, projected, rows.rows(), std::move(mixed)));
  return Finish(attention, rows, std::move(mixed));
}

Result<FloatMatrix> SequenceAttention::Run(const Layer& layer, const FloatMatrix& rows) {
  const AttentionLayer& attention = *layer.attention;
  TG_ASSIGN(auto rule, RuleOf(attention));
  if (attention.most_keys > 0 && rows.rows() > attention.most_keys) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "the sequence is so long that attention chooses among its keys"};
  }
  TG_TRY(AddBias(layer, rows, rule));
  TG_ASSIGN(auto projected,
            ProjectSequence(attention, layer.parts, stack_.context.config, rows, rows, rule));
  if (attention.lender) {
    projected.keys = lent_[*attention.lender].keys;
    projected.values = lent_[*attention.lender].values;
  } else if (stack_.Lends(layer.description.index)) {
    lent_[layer.description.index] = projected;
  }
  TG_TRY(AddScores(attention, projected, {}, rule));
  if (stack_.context.traits->reads_encoder_merged && encoded_ != nullptr) {
    TG_TRY(AppendEncoded(layer, projected, rule));
  }
  return Attended(layer, rows, std::move(rule), std::move(projected));
}

Result<FloatMatrix> SequenceAttention::RunApart(const Layer& layer, const FloatMatrix& rows,
                                                const FloatMatrix& key_rows,
                                                const RelativePlaces& places) {
  const AttentionLayer& attention = *layer.attention;
  TG_ASSIGN(auto rule, RuleOf(attention));
  TG_ASSIGN(auto projected,
            ProjectSequence(attention, layer.parts, stack_.context.config, rows, key_rows, rule));
  TG_TRY(AddScores(attention, projected, places, rule));
  return Attended(layer, rows, std::move(rule), std::move(projected));
}

Result<FloatMatrix> SequenceAttention::RunCross(const Layer& layer, const FloatMatrix& rows) {
  const AttentionLayer& attention = *layer.cross_attention;
  TG_ASSIGN(auto rule, RuleOf(attention));
  TG_ASSIGN(auto projected,
            ProjectSequence(attention, layer.parts, stack_.context.config, rows, *encoded_, rule));
  return Finish(attention, rows, Attend(std::move(projected), attention.shape, rule));
}

}  // namespace tensorguard::internal
