#include "network/parts/embedding.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/bfloat16.h"
#include "base/text.h"
#include "base/try.h"
#include "network/attention/positions.h"
#include "network/parts/norm_slots.h"

namespace tensorguard::internal {
namespace {

bool NameHolds(const LayerParts& parts, const Weight& weight, std::string_view word) {
  return LowerAscii(parts.NameOf(weight)).find(word) != std::string::npos;
}

void AddRow(std::span<const float> row, float times, FloatMatrix& to) {
  for (size_t i = 0; i < to.rows(); ++i) {
    const auto values = to.Row(i);
    for (size_t j = 0; j < values.size(); ++j) values[j] += row[j] * times;
  }
}

float ReadScale(const StackContext& context, uint64_t hidden) {
  static constexpr std::array<std::string_view, 3> kKeys = {"embedding_multiplier", "scale_emb",
                                                            "embedding_scale"};
  const auto root = static_cast<float>(std::sqrt(static_cast<double>(hidden)));
  const EmbeddingScale rule = context.traits->embedding_scale;
  const bool told = std::ranges::any_of(
      std::array{"scale_embedding", "rescale_embeddings", "mup_enabled"},
      [&](std::string_view flag) { return context.config.Flag(flag).value_or(false); });
  if (rule == EmbeddingScale::kRootOfWidth) return root;
  if (rule == EmbeddingScale::kRootOfWidthIfTold && told) return root;
  return static_cast<float>(context.config.Real(kKeys).value_or(1));
}

// The matrix of the stack itself, else that of the whole model, else of the encoder that shares it
// with its decoder (T5Gemma 2).
const Weight* FindOuter(const StackContext& context, const LayerParts& outer, Role role,
                        std::string_view word, bool with_word) {
  const Weight* shared = nullptr;
  const Weight* lent = nullptr;
  for (const Weight* weight : outer.weights()) {
    if (weight->role.role != role || weight->role.is_bias || weight->is_vector) continue;
    if (!word.empty() && NameHolds(outer, *weight, word) != with_word) continue;
    if (weight->role.stack == context.name) return weight;
    if (weight->role.stack.empty() && shared == nullptr) shared = weight;
    if (weight->role.stack == "encoder" && role == Role::kEmbedding) lent = weight;
  }
  return shared != nullptr ? shared : lent;
}

// T5Gemma 2 keeps the row of the token that ends an image apart from the others, and scaled.
std::optional<RowApart> FindRowApart(const StackContext& context, const LayerParts& outer,
                                     uint64_t width) {
  static constexpr std::array<std::string_view, 1> kToken = {"eoi_token_index"};
  const Weight* row = outer.Named("embed_tokens.eoi_embedding");
  const auto token = context.config.Number(kToken);
  if (row == nullptr || !token || row->rows * row->columns != width) return {};
  return RowApart{static_cast<uint32_t>(*token), row};
}

std::optional<LinearMap> FindProjection(const StackContext& context, const LayerParts& outer) {
  const Weight* weight =
      FindOuter(context, outer, Role::kEmbeddingProjection, "project_out", false);
  if (weight == nullptr) return {};
  return LinearMap{context.source, weight, outer.FindBias(Role::kEmbeddingProjection)};
}

std::optional<Norm> FindNorm(const StackContext& context, const LayerParts& outer) {
  // The stack's own, else that of an embedding that both stacks have in common.
  for (const std::string_view stack : {std::string_view(context.name), std::string_view()}) {
    const Weight* gain = nullptr;
    const Weight* bias = nullptr;
    for (const Weight* weight : outer.weights()) {
      if (weight->role.role != Role::kNorm || weight->role.stack != stack) continue;
      if (OuterNormSlot(outer.NameOf(*weight)) != NormSlot::kEmbedding) continue;
      (weight->role.is_bias ? bias : gain) = weight;
    }
    if (gain != nullptr || bias != nullptr) return MakeNorm(context, gain, bias);
  }
  return {};
}

std::string_view LastWordOf(std::string_view module) {
  return module.substr(module.rfind('.') + 1);
}

// "model.embeddings.position_embeddings" of "model.embeddings.position_embeddings.weight".
std::string ModuleOf(const std::string& name) {
  return LowerAscii(name.substr(0, name.rfind('.')));
}

// Whether the table is of places on a page ("x_position_embeddings"), not in the sequence.
bool IsOfPage(const std::string& name) {
  const std::string module = ModuleOf(name);
  const std::string_view word = LastWordOf(module);
  return word.size() > 2 && word[1] == '_' && word.find("position") != std::string_view::npos &&
         std::string_view("xyhw").find(word[0]) != std::string_view::npos;
}

// A box of no size at the corner of the page has two edges at 0 in both directions.
std::vector<ConstantRow> FindConstants(const StackContext& context, const LayerParts& outer) {
  std::vector<ConstantRow> constants;
  for (const Weight* weight : outer.weights()) {
    const bool own = weight->role.stack == context.name || weight->role.stack.empty();
    if (weight->role.role != Role::kPositionEmbedding || !own || weight->is_vector) continue;
    const std::string& name = outer.NameOf(*weight);
    if (NameHolds(outer, *weight, "token_type")) constants.push_back({weight});
    if (!IsOfPage(name)) continue;
    const char axis = LastWordOf(ModuleOf(name)).front();
    constants.push_back({weight, axis == 'x' || axis == 'y' ? 2.0f : 1.0f});
  }
  return constants;
}

const Weight* FindPositionTable(const StackContext& context, const LayerParts& outer) {
  const Weight* shared = nullptr;
  for (const Weight* weight : outer.weights()) {
    if (weight->role.role != Role::kPositionEmbedding || weight->is_vector) continue;
    const std::string& name = outer.NameOf(*weight);
    if (NameHolds(outer, *weight, "token_type") || IsOfPage(name)) continue;
    if (EndsInWords(name, "relative_attention_bias.weight")) continue;
    if (EndsInWords(name, "ngram_embeddings.weight")) continue;  // of streams (extra_rows.h)
    if (weight->role.stack == context.name) return weight;
    if (weight->role.stack.empty() && shared == nullptr) shared = weight;
  }
  return shared;
}

// Where positions are counted from behind the padding token, its id tells where that is.
void ReadPadding(const StackContext& context, Embedding& embedding) {
  static constexpr std::array<std::string_view, 1> kPadding = {"pad_token_id"};
  const ArchitectureTraits& traits = *context.traits;
  embedding.position_offset = traits.position_offset;
  if (traits.positions_after_padding) {
    embedding.position_offset = context.config.Number(kPadding).value_or(0) + 1;
  }
  if (!traits.positions_skip_padding || traits.position_offset == 0) return;
  embedding.padding_id = embedding.position_offset - 1;
  const Json* stated = context.config.Find(kPadding.front());
  if (traits.padding_is_fixed || stated == nullptr || !stated->is_number_unsigned()) return;
  constexpr uint64_t kMost = uint64_t{1} << 31;
  embedding.padding_id = std::min(stated->get<uint64_t>(), kMost);
  embedding.position_offset = *embedding.padding_id + 1;
}

Error BadTable(const LayerParts& outer, const Weight& weight, uint64_t expected) {
  return Error{.kind = ErrorKind::kBadFile,
               .problem = "the tensor is not as wide as the embedding that it goes with",
               .tensor = outer.NameOf(weight),
               .found = fmt::format("{} columns", weight.columns),
               .expected = fmt::format("{}", expected)};
}

// The inputs that most matrices read that stand at the beginning of a half; 0 where there are none.
uint64_t WidthOfStream(std::span<const Weight* const> layers) {
  std::map<uint64_t, size_t> widths;
  for (const Weight* weight : layers) {
    const Role role = weight->role.role;
    const bool reads = role == Role::kQuery || role == Role::kKey || role == Role::kValue ||
                       role == Role::kQueryKeyValue || role == Role::kGate || role == Role::kUp;
    if (reads && !weight->is_vector && !weight->role.is_bias && !weight->role.cross_attention) {
      ++widths[weight->columns];
    }
  }
  const auto most = std::ranges::max_element(
      widths, {}, [](const std::pair<const uint64_t, size_t>& width) { return width.second; });
  return most == widths.end() ? 0 : most->first;
}

// Each row between the next and the one before, zeros beyond the ends and around rows that are no
// sequence.
FloatMatrix WithNeighbours(const FloatMatrix& rows, bool in_sequence) {
  const size_t width = rows.columns();
  FloatMatrix trigrams(rows.rows(), 3 * width);
  for (size_t row = 0; row < rows.rows(); ++row) {
    const auto to = trigrams.Row(row);
    std::ranges::copy(rows.Row(row), to.subspan(width).begin());
    if (in_sequence && row + 1 < rows.rows()) std::ranges::copy(rows.Row(row + 1), to.begin());
    if (in_sequence && row > 0) std::ranges::copy(rows.Row(row - 1), to.subspan(2 * width).begin());
  }
  return trigrams;
}

std::vector<const Weight*> FindAxes(const LayerParts& outer) {
  std::vector<const Weight*> axes;
  for (const Weight* weight : outer.weights()) {
    if (NameHolds(outer, *weight, "position_embeddings.weights.")) axes.push_back(weight);
  }
  return axes;
}

}  // namespace

Result<FloatMatrix> Embedding::AxialPositions(size_t count) const {
  FloatMatrix side_by_side(count, hidden_size());
  size_t end = side_by_side.columns();
  uint64_t step = 1;  // positions that share a row of the axis; no more than matter
  for (size_t axis = axes.size(); axis-- > 0;) {
    TG_ASSIGN(const auto rows, ReadWeight(*source, *axes[axis]));
    if (axis == 0 && count > step * rows.rows()) {
      return Error{.kind = ErrorKind::kUnsupported,
                   .problem = "the sequence is longer than the table of positions",
                   .tensor = source->tensors()[axes[axis]->tensor_index].name,
                   .found = fmt::format("{} tokens", count),
                   .expected = fmt::format("at most {}", step * rows.rows())};
    }
    end -= rows.columns();
    for (size_t i = 0; i < count; ++i) {
      std::ranges::copy(rows.Row(i / step % rows.rows()), side_by_side.Row(i).subspan(end).begin());
    }
    step = std::min<uint64_t>(step * rows.rows(), count + 1);
  }
  return side_by_side;
}

Result<FloatMatrix> Embedding::WithoutNorm(std::span<const uint32_t> ids, bool in_sequence) const {
  FloatMatrix rows(ids.size(), table->columns);
  for (size_t i = 0; i < ids.size(); ++i) {
    const auto out = rows.Row(i);
    if (apart && apart->id == ids[i]) {
      TG_ASSIGN(const auto own, ReadVector(*source, *apart->row, out.size()));
      std::ranges::copy(own, out.begin());
      continue;
    }
    TG_ASSIGN(const auto row, ReadWeightRows(*source, *table, ids[i], 1));
    for (size_t j = 0; j < out.size(); ++j) out[j] = row.Row(0)[j] * scale;
  }
  if (trigrams) rows = WithNeighbours(rows, in_sequence);
  if (projection && project_first) {
    auto projected = projection->Apply(rows);
    if (!projected) return projected;
    rows = *std::move(projected);
  }
  if (norm && norm_first) {
    TG_ASSIGN(auto normalised, norm->Apply(std::move(rows)));
    rows = std::move(normalised);
  }
  for (const ConstantRow& constant : constants) {
    TG_ASSIGN(const auto first, ReadWeightRows(*source, *constant.table, 0, 1));
    AddRow(first.Row(0), constant.times, rows);
  }
  return rows;
}

Result<FloatMatrix> Embedding::Positions(std::span<const uint32_t> ids, PositionScheme scheme,
                                         size_t width, bool rounded) const {
  FloatMatrix rows(ids.size(), width);
  const bool sinusoidal = IsSinusoidal(scheme);
  if (positions == nullptr && !sinusoidal) return rows;
  uint64_t next = position_offset;
  FloatMatrix waves =
      sinusoidal ? SinusoidalPositions(ids.size(), width, position_offset, scheme) : FloatMatrix();
  if (rounded) {
    for (float& value : waves.values()) value = ToFloat32(RoundToBFloat16(value));
  }
  for (size_t i = 0; i < ids.size(); ++i) {
    // A padding token's position is the one before all others; among waves, it has none.
    const bool padding = padding_id == ids[i];
    if (padding && sinusoidal) continue;
    const uint64_t position = padding ? position_offset - 1 : next++;
    if (sinusoidal) {
      const auto wave = waves.Row(position - position_offset);
      std::copy(wave.begin(), wave.end(), rows.Row(i).begin());
      continue;
    }
    if (position >= positions->rows) {
      return Error{.kind = ErrorKind::kUnsupported,
                   .problem = "the sequence is longer than the table of positions",
                   .tensor = source->tensors()[positions->tensor_index].name,
                   .found = fmt::format("position {}", position),
                   .expected = fmt::format("fewer than {}", positions->rows)};
    }
    TG_ASSIGN(const auto row, ReadWeightRows(*source, *positions, position, 1));
    std::copy(row.values().begin(), row.values().end(), rows.Row(i).begin());
  }
  return rows;
}

Result<FloatMatrix> Embedding::Finish(FloatMatrix rows) const {
  if (norm && !norm_first) {
    auto normalised = norm->Apply(std::move(rows));
    if (!normalised) return normalised;
    rows = *std::move(normalised);
  }
  if (projection && !project_first) return projection->Apply(rows);
  return rows;
}

Result<FloatMatrix> Embedding::Rows(std::span<const uint32_t> ids) const {
  auto rows = WithoutNorm(ids, false);
  if (!rows) return rows;
  return Finish(*std::move(rows));
}

Result<FloatMatrix> Embedding::Sequence(std::span<const uint32_t> ids, PositionScheme scheme,
                                        bool rounded) const {
  auto rows = WithoutNorm(ids, true);
  if (!rows) return rows;
  auto added =
      !axes.empty() ? AxialPositions(ids.size()) : Positions(ids, scheme, rows->columns(), rounded);
  if (!added) return added;
  for (size_t i = 0; i < rows->values().size(); ++i) rows->values()[i] += added->values()[i];
  return Finish(*std::move(rows));
}

Result<Embedding> ReadEmbedding(const StackContext& context, const LayerParts& outer,
                                std::span<const Weight* const> layers) {
  Embedding embedding{.source = context.source};
  embedding.table = FindOuter(context, outer, Role::kEmbedding, {}, true);
  if (embedding.table == nullptr || embedding.table->rows == 0 || embedding.table->columns == 0) {
    embedding.table = nullptr;
    embedding.norm = FindNorm(context, outer);
    embedding.stream_width = WidthOfStream(layers);
    return embedding;
  }
  embedding.projection = FindProjection(context, outer);
  embedding.norm = FindNorm(context, outer);
  if (!embedding.norm && context.traits->embedding_normed) {
    embedding.norm = MakeNorm(context, nullptr, nullptr);
  }
  embedding.constants = FindConstants(context, outer);
  embedding.apart = FindRowApart(context, outer, embedding.table->columns);
  if (context.positions == PositionScheme::kLearned) {
    embedding.axes = FindAxes(outer);
    if (embedding.axes.empty()) embedding.positions = FindPositionTable(context, outer);
  }
  embedding.trigrams = embedding.projection &&
                       context.config.Flag("trigram_input").value_or(false) &&
                       embedding.projection->inputs() == 3 * embedding.table->columns;
  ReadPadding(context, embedding);
  const uint64_t hidden = embedding.hidden_size();
  // Positions as wide as the stream are added to it (OPT), others to the narrow embedding (ALBERT).
  embedding.project_first =
      embedding.positions == nullptr
          ? !embedding.norm
          : embedding.positions->columns == hidden && embedding.table->columns != hidden;
  embedding.project_first |= embedding.trigrams;
  embedding.norm_first =
      context.traits->decoder_norm_before_positions && !context.is_encoder && !embedding.projection;
  embedding.scale = ReadScale(context, hidden);
  const uint64_t width = embedding.project_first ? hidden : embedding.table->columns;
  for (const ConstantRow& added : embedding.constants) {
    if (added.table->columns != width) return BadTable(outer, *added.table, width);
  }
  if (embedding.positions != nullptr && embedding.positions->columns != width) {
    return BadTable(outer, *embedding.positions, width);
  }
  const uint64_t enters = (embedding.trigrams ? 3 : 1) * embedding.table->columns;
  if (embedding.projection && embedding.projection->inputs() != enters) {
    return BadTable(outer, *embedding.projection->weight, enters);
  }
  uint64_t of_axes = 0;
  for (const Weight* axis : embedding.axes) of_axes += axis->columns;
  if (!embedding.axes.empty() && of_axes != hidden) {
    return BadTable(outer, *embedding.axes.front(), hidden);
  }
  return embedding;
}

}  // namespace tensorguard::internal
