#include "network/streams/side_input.h"

#include <array>
#include <cmath>
#include <string_view>
#include <utility>

#include "base/try.h"

namespace tensorguard::internal {
namespace {

std::optional<Norm> FindNorm(const StackContext& context, const LayerParts& parts,
                             std::string_view name, size_t width) {
  const Weight* gain = parts.Named(name);
  if (gain == nullptr) return {};
  return MakeNorm(context, gain, nullptr, width);
}

Error MissingInputs() {
  return Error{.kind = ErrorKind::kBadFile,
               .problem = "a layer reads an input of its own that the model does not have",
               .expected = "a table of them with a part for each layer"};
}

}  // namespace

bool SideInput::Holds(const Weight& weight) const {
  if (&weight == factor) return true;
  for (const auto* map : {&gate, &projection}) {
    if (*map && ((*map)->weight == &weight || (*map)->bias == &weight)) return true;
  }
  return norm && norm->gain == &weight;
}

std::optional<SideInput> FindSideInput(const StackContext& context, const LayerParts& layer) {
  SideInput found{.gate = layer.NamedMap("per_layer_input_gate"),
                  .projection = layer.NamedMap("per_layer_projection"),
                  .norm = FindNorm(context, layer, "post_per_layer_input_norm.weight", 0),
                  .source = context.source,
                  .factor = layer.Named("layer_scalar")};
  if (!found.gate && found.factor == nullptr) return {};
  if (found.gate.has_value() != found.projection.has_value()) return {};
  found.activation = ReadActivation(context, true);
  return found;
}

std::optional<SideInputs> FindSideInputs(const StackContext& context, const LayerParts& outer) {
  static constexpr std::array<std::string_view, 1> kWidth = {"hidden_size_per_layer_input"};
  const Weight* table = outer.Named("embed_tokens_per_layer.weight");
  const auto width = context.config.Number(kWidth);
  if (table == nullptr || !width || table->columns % *width != 0) return {};
  return SideInputs{.source = context.source,
                    .table = table,
                    .projection = outer.NamedMap("per_layer_model_projection"),
                    .norm = FindNorm(context, outer, "per_layer_projection_norm.weight", *width),
                    .width = *width};
}

Result<FloatMatrix> SideInputsOf(const std::optional<SideInputs>& inputs,
                                 std::span<const uint32_t> ids, const FloatMatrix& embedded) {
  if (!inputs) return FloatMatrix();
  FloatMatrix rows(ids.size(), inputs->table->columns);
  const auto root = static_cast<float>(std::sqrt(static_cast<double>(inputs->width)));
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] >= inputs->table->rows) return MissingInputs();
    TG_ASSIGN(const auto row, ReadWeightRows(*inputs->source, *inputs->table, ids[i], 1));
    for (size_t j = 0; j < rows.columns(); ++j) rows.Row(i)[j] = row.Row(0)[j] * root;
  }
  if (!inputs->projection) return rows;
  TG_ASSIGN(auto projected, inputs->projection->Apply(embedded));
  const auto scale = static_cast<float>(1 / std::sqrt(static_cast<double>(embedded.columns())));
  for (float& value : projected.values()) value *= scale;
  TG_ASSIGN(projected, ApplyIfAny(inputs->norm, std::move(projected)));
  if (projected.columns() != rows.columns()) return MissingInputs();
  for (size_t i = 0; i < rows.values().size(); ++i) {
    rows.values()[i] = (rows.values()[i] + projected.values()[i]) / std::sqrt(2.0f);
  }
  return rows;
}

Result<FloatMatrix> AddSideInput(const SideInput& layer, uint32_t index, const FloatMatrix& inputs,
                                 FloatMatrix stream) {
  if (layer.gate) {
    TG_ASSIGN(auto gated, layer.gate->Apply(stream));
    const uint64_t width = gated.columns();
    if (inputs.rows() != stream.rows() || inputs.columns() < (index + 1) * width) {
      return MissingInputs();
    }
    for (size_t row = 0; row < gated.rows(); ++row) {
      const auto input = inputs.Row(row).subspan(index * width, width);
      for (size_t i = 0; i < width; ++i) {
        float& value = gated.Row(row)[i];
        value = Activate(layer.activation, value) * input[i];
      }
    }
    TG_ASSIGN(auto added, layer.projection->Apply(gated));
    TG_ASSIGN(added, ApplyIfAny(layer.norm, std::move(added)));
    for (size_t i = 0; i < stream.values().size(); ++i) stream.values()[i] += added.values()[i];
  }
  if (layer.factor == nullptr) return stream;
  TG_ASSIGN(const auto factor, ReadVector(*layer.source, *layer.factor, 1));
  for (float& value : stream.values()) value *= factor.front();
  return stream;
}

}  // namespace tensorguard::internal
