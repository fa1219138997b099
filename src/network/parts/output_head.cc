#include "network/parts/output_head.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "base/try.h"
#include "network/parts/matrix_columns.h"
#include "network/parts/norm_slots.h"

namespace tensorguard::internal {
namespace {

// A classifier's or a pooler's, not what leads to the logits.
bool IsOfOtherTask(std::string_view name) {
  const std::string lower = LowerAscii(name);
  for (const std::string_view word :
       {"pool", "classif", "relationship", "score", "qa_", "reward"}) {
    if (lower.find(word) != std::string::npos) return true;
  }
  return false;
}

std::optional<Norm> FindNorm(const StackContext& context, const LayerParts& outer) {
  const Weight* gain = nullptr;
  const Weight* bias = nullptr;
  for (const Weight* weight : outer.weights()) {
    if (weight->role.role != Role::kNorm) continue;
    if (OuterNormSlot(outer.NameOf(*weight)) != NormSlot::kHead) continue;
    (weight->role.is_bias ? bias : gain) = weight;
  }
  if (gain == nullptr && bias == nullptr) return {};
  Norm norm = MakeNorm(context, gain, bias);
  if (norm.kind == NormKind::kNone) norm.kind = NormKind::kLayer;  // left out of layers alone
  return norm;
}

// The columns that the head has beyond those of the embedding (MobileBERT), turned round.
const Weight* FindFurther(const LayerParts& outer, uint64_t vocabulary, uint64_t columns) {
  const Weight* weight = outer.Named("predictions.dense.weight");
  const bool fits = weight != nullptr && weight->rows == columns && weight->columns == vocabulary;
  return fits ? weight : nullptr;
}

// logits += the columns of `hidden` from `first` on, times the rows of `further`.
Result<void> AddFurther(const WeightSource& source, const Weight& further,
                        const FloatMatrix& hidden, size_t first, FloatMatrix& logits) {
  TG_ASSIGN(const auto rows, ReadWeight(source, further));
  for (size_t row = 0; row < logits.rows(); ++row) {
    const auto values = logits.Row(row);
    for (size_t i = 0; i < rows.rows(); ++i) {
      const float factor = hidden.Row(row)[first + i];
      for (size_t j = 0; j < values.size(); ++j) values[j] += factor * rows.Row(i)[j];
    }
  }
  return {};
}

// The matrix in front of a masked language model's head: hidden wide to as wide as the head reads.
std::optional<LinearMap> FindTransform(const StackContext& context, const LayerParts& outer,
                                       uint64_t hidden, uint64_t width) {
  for (const Weight* weight : outer.weights()) {
    const bool fits = weight->columns == hidden && weight->rows == width && !weight->is_vector;
    if (weight->role.role != Role::kTaskHead || weight->role.is_bias || !fits) continue;
    const std::string& name = outer.NameOf(*weight);
    if (IsOfOtherTask(name)) continue;
    const std::string module = name.substr(0, name.rfind('.'));
    return LinearMap{context.source, weight, outer.Named(module + ".bias")};
  }
  return {};
}

const Weight* FindBias(const LayerParts& outer, uint64_t vocabulary) {
  for (const Weight* weight : outer.weights()) {
    if (weight->role.role != Role::kOutputHead) continue;
    const bool vector = weight->is_vector || weight->rows == 1 || weight->role.is_bias;
    if (vector && weight->rows * weight->columns == vocabulary) return weight;
  }
  return nullptr;
}

float ReadScale(const StackContext& context, bool tied, uint64_t hidden) {
  static constexpr std::array<std::string_view, 2> kFactor = {"logit_scale", "lm_head_multiplier"};
  static constexpr std::array<std::string_view, 1> kDivisor = {"logits_scaling"};
  static constexpr std::array<std::string_view, 1> kBaseWidth = {"dim_model_base"};
  const ConfigView& config = context.config;
  const double root = 1 / std::sqrt(static_cast<double>(hidden));
  double scale = 1;
  if (context.traits->tied_logits_scaled) {
    if (config.Flag("scale_decoder_outputs").value_or(tied)) scale *= root;
  }
  if (const auto factor = config.Real(kFactor)) scale *= *factor;
  if (config.Text(kFactor) == "inv_sqrt_d_model") scale *= root;
  if (const auto stated = config.Real(kDivisor); stated && *stated != 0) {
    scale *= context.traits->logits_multiplied ? *stated : 1 / *stated;
  }
  if (const auto width = config.Real(kBaseWidth); width && *width > 0) {
    scale *= *width / static_cast<double>(hidden);
  }
  return static_cast<float>(scale);
}

Error TooFewRows(const WeightSource& source, const Weight& table, uint32_t id) {
  return Error{.kind = ErrorKind::kBadFile,
               .problem = "the output head lacks a token that the embedding has",
               .tensor = source.tensors()[table.tensor_index].name,
               .found = fmt::format("{} rows", table.rows),
               .expected = fmt::format("a row for token {}", id)};
}

}  // namespace

Result<FloatMatrix> Head::Logits(FloatMatrix hidden) const {
  for (const auto* map : {&transform, &projection}) {
    if (!*map) continue;
    auto mapped = (*map)->Apply(hidden);
    if (!mapped) return mapped;
    hidden = *std::move(mapped);
  }
  if (transform) Activate(activation, hidden.values());
  if (norm) {
    auto normalised = norm->Apply(std::move(hidden));
    if (!normalised) return normalised;
    hidden = *std::move(normalised);
  }
  auto logits = LinearMap{source, table}.Apply(
      further == nullptr ? hidden : Columns(hidden, 0, table->columns));
  if (!logits) return logits;
  if (further != nullptr) {
    TG_TRY(AddFurther(*source, *further, hidden, table->columns, *logits));
  }
  std::vector<float> added(table->rows, 0.0f);
  if (bias != nullptr) {
    TG_ASSIGN(auto read, ReadVector(*source, *bias, table->rows));
    added = std::move(read);
  }
  for (size_t row = 0; row < logits->rows(); ++row) {
    const auto values = logits->Row(row);
    for (size_t i = 0; i < values.size(); ++i) {
      values[i] = values[i] * scale + added[i];
      if (softcap) values[i] = *softcap * std::tanh(values[i] / *softcap);
    }
  }
  return logits;
}

Result<FloatMatrix> Head::Rows(std::span<const uint32_t> ids,
                               const std::optional<Norm>& closing) const {
  FloatMatrix rows(ids.size(), table->columns);
  std::vector<float> factors(table->columns, 1.0f);
  if (closing) {
    TG_ASSIGN(auto gain, closing->ReadGain(table->columns));
    factors = std::move(gain);
  }
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] >= table->rows) return TooFewRows(*source, *table, ids[i]);
    TG_ASSIGN(const auto row, ReadWeightRows(*source, *table, ids[i], 1));
    const auto out = rows.Row(i);
    double mean = 0;
    for (size_t j = 0; j < out.size(); ++j) {
      out[j] = row.Row(0)[j] * factors[j] * scale;
      mean += out[j];
    }
    if (!closing || closing->kind != NormKind::kLayer) continue;
    mean /= static_cast<double>(out.size());
    for (float& value : out) value = static_cast<float>(value - mean);
  }
  return rows;
}

Result<std::optional<Head>> ReadHead(const StackContext& context, const LayerParts& outer,
                                     const Embedding& embedding, bool tied) {
  static constexpr std::array<std::string_view, 3> kSoftcap = {
      "final_logit_softcapping", "logits_soft_cap", "output_logit_soft_cap"};
  Head head{.source = context.source};
  const auto stored = outer.FindMap(Role::kOutputHead);
  head.tied = !stored && tied;
  if (!stored && (!tied || embedding.table == nullptr)) return std::optional<Head>();
  head.table = stored ? stored->weight : embedding.table;
  if (context.traits->head_bias_counts) head.bias = FindBias(outer, head.table->rows);
  const uint64_t width = head.table->columns;
  head.norm = FindNorm(context, outer);
  if (width < context.hidden_size) {
    head.further = FindFurther(outer, head.table->rows, context.hidden_size - width);
  }
  const uint64_t read = head.further == nullptr ? width : context.hidden_size;
  if (head.norm) head.transform = FindTransform(context, outer, context.hidden_size, read);
  if (!head.transform && width != context.hidden_size) {
    for (const Weight* weight : outer.weights()) {
      const bool fits = weight->columns == context.hidden_size && weight->rows == width;
      if (weight->role.role != Role::kEmbeddingProjection || !fits) continue;
      head.projection = LinearMap{context.source, weight};
    }
  }
  head.activation = ReadActivation(context, false);
  head.scale = ReadScale(context, head.tied, context.hidden_size);
  if (const auto softcap = context.config.Real(kSoftcap); softcap && *softcap > 0) {
    head.softcap = static_cast<float>(*softcap);
  }
  return std::optional(head);
}

}  // namespace tensorguard::internal
