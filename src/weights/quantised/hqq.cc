// HQQ (Half-Quadratic Quantization): `W_q` holds the weight, reshaped to [groups, group size] (axis
// 1) or [group size, groups] (axis 0), several rows that lie far apart in a byte or word, the first
// of them in the highest bits; `scale` and `zero` one number for each group, `shape` the weight's.
// Weight = (code - zero) * scale, each step rounded to the scales' type.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/checked.h"
#include "base/try.h"
#include "weights/quantised/quantisation_scheme.h"

namespace tensorguard::internal {
namespace {

// What else its writer stores beside the codes.
constexpr std::array kDescriptions = {"nbits",
                                      "group_size",
                                      "shape",
                                      "axis",
                                      "packing",
                                      "channel_wise",
                                      "optimize",
                                      "round_zero",
                                      "quant_scale",
                                      "quant_zero",
                                      "view_as_float",
                                      "offload_meta",
                                      "compute_dtype",
                                      "unpack_view_dtype",
                                      "encoded_state_dict",
                                      "stores_quant_config"};

struct Packing {
  DType dtype;
  unsigned bits;
  unsigned rows;  // in a byte or word
};
constexpr std::array kPackings = {Packing{DType::kU8, 8, 1}, Packing{DType::kU8, 4, 2},
                                  Packing{DType::kU8, 2, 4}, Packing{DType::kU8, 1, 8},
                                  Packing{DType::kI32, 3, 10}};

struct HqqTensor {
  uint64_t columns;       // of the weight
  uint64_t code_columns;  // of the codes' matrix
  std::shared_ptr<const NumberGrid> codes;
  size_t scales;
  size_t zeros;
  bool groups_in_rows;  // axis 1
  DType result;
};

class HqqDecoder : public TensorDecoder {
 public:
  explicit HqqDecoder(HqqTensor tensor) : tensor_(std::move(tensor)) {}

  Result<void> Decode(const WeightSource& stored, const Tile& tile,
                      std::span<float> out) const override {
    const bool whole_rows = tile.columns == tensor_.columns;
    const uint64_t stretches = whole_rows ? 1 : tile.rows;
    const uint64_t count = out.size() / std::max<uint64_t>(stretches, 1);
    for (uint64_t i = 0; i < stretches; ++i) {
      const uint64_t first = (tile.first_row + i) * tensor_.columns + tile.first_column;
      auto done = DecodeStretch(stored, first, out.subspan(i * count, count));
      if (!done) return done;
    }
    return {};
  }

 private:
  // Elements in the order of the weight, which is that of the codes' matrix: part of one of its
  // rows, or of several, which are read whole.
  Result<void> DecodeStretch(const WeightSource& stored, uint64_t first,
                             std::span<float> out) const {
    const uint64_t first_row = first / tensor_.code_columns;
    const uint64_t last_row = (first + out.size() - 1) / tensor_.code_columns;
    const uint64_t column = first % tensor_.code_columns;
    const bool one_row = first_row == last_row;
    const Tile tile = {first_row, last_row - first_row + 1, one_row ? column : 0,
                       one_row ? out.size() : tensor_.code_columns};
    std::vector<float> codes(tile.element_count());
    auto read = tensor_.codes->Read(stored, tile, {codes.data(), tile.columns, 1});
    if (!read) return read;
    std::vector<float> scales(tensor_.groups_in_rows ? tile.rows : tile.columns);
    std::vector<float> zeros(scales.size());
    const uint64_t first_group = tensor_.groups_in_rows ? tile.first_row : tile.first_column;
    if (read = stored.ReadFloat32(tensor_.scales, first_group, scales); !read) return read;
    if (read = stored.ReadFloat32(tensor_.zeros, first_group, zeros); !read) return read;
    const auto group_of = [&](size_t i) {
      const uint64_t place = column - tile.first_column + i;
      return tensor_.groups_in_rows ? place / tile.columns : place % tile.columns;
    };
    const uint64_t skipped = column - tile.first_column;
    for (size_t i = 0; i < out.size(); ++i) out[i] = codes[skipped + i] - zeros[group_of(i)];
    RoundTo(tensor_.result, out);
    for (size_t i = 0; i < out.size(); ++i) out[i] *= scales[group_of(i)];
    RoundTo(tensor_.result, out);
    return {};
  }

  HqqTensor tensor_;
};

// Rows are padded to a whole number of words.
const Packing* PackingOf(const TensorInfo& codes, uint64_t code_rows) {
  for (const Packing& packing : kPackings) {
    const uint64_t words = code_rows / packing.rows + (code_rows % packing.rows != 0 ? 1 : 0);
    if (packing.dtype == codes.dtype && words == codes.shape[0]) return &packing;
  }
  return nullptr;
}

Result<std::vector<uint64_t>> ShapeIn(const SchemeInput& input, size_t codes,
                                      const std::string& module) {
  TG_ASSIGN(const auto tensor, PartOf(input, codes, module + ".shape"));
  auto shape = IntegersOf(input, tensor);
  if (!shape) return shape;
  const auto count = ElementCount(*shape);
  const uint64_t code_columns = input.stored[codes].shape.back();
  if (shape->size() == 2 && count && *count > 0 && *count % code_columns == 0) return shape;
  return Contradiction(input.stored[tensor], "shape does not fit the codes", ShapeText(*shape),
                       fmt::format("two sizes whose product is rows of {}", code_columns));
}

std::shared_ptr<const NumberGrid> CodeGrid(size_t tensor, const MatrixShape& stored,
                                           const Packing& packing) {
  return MakePlaneGrid({.tensor = tensor,
                        .word_rows = stored.rows,
                        .word_columns = stored.columns,
                        .word_bits = packing.dtype == DType::kU8 ? 8u : 32u,
                        .bits = packing.bits,
                        .planes = packing.rows,
                        .first_plane_lowest = false,
                        .table = IntegerTable()});
}

}  // namespace

Result<std::optional<QuantisedTensor>> ReadHqq(const SchemeInput& input, size_t tensor) {
  const TensorInfo& info = input.stored[tensor];
  const auto module = WithoutEnding(info.name, ".W_q");
  if (!module) return std::optional<QuantisedTensor>();
  TG_ASSIGN(const auto stored, MatrixShapeOf(info));
  auto shape = ShapeIn(input, tensor, *module);
  if (!shape) return std::move(shape).error();
  const auto scales = PartOf(input, tensor, *module + ".scale");
  if (!scales) return scales.error();
  TG_ASSIGN(const auto zeros, PartOf(input, tensor, *module + ".zero"));
  const uint64_t code_rows = *ElementCount(*shape) / stored.columns;
  const Packing* packing = PackingOf(info, code_rows);
  const TensorInfo& scale_info = input.stored[*scales];
  const bool rows = scale_info.shape == std::vector<uint64_t>{code_rows, 1};
  const bool columns = scale_info.shape == std::vector<uint64_t>{1, stored.columns};
  if (stored.matrices != 1 || packing == nullptr || (!rows && !columns) ||
      input.stored[zeros].shape != scale_info.shape) {
    return Contradiction(
        info, "codes, scales and shape do not fit each other",
        fmt::format("codes {} {}, scales {}, weight {}", InfoOf(info.dtype).name,
                    ShapeText(info.shape), ShapeText(scale_info.shape), ShapeText(*shape)),
        "HQQ of 1, 2, 3, 4 or 8 bits with plain scales");
  }
  const DType result = ResultOfScales(scale_info.dtype);
  const HqqTensor hqq = {shape->back(), stored.columns, CodeGrid(tensor, stored, *packing),
                         *scales,       zeros,          rows,
                         result};
  std::vector<size_t> used = {tensor, *scales, zeros};
  for (const char* description : kDescriptions) {
    if (const auto part = input.stored.Find(*module + "." + description)) used.push_back(*part);
  }
  auto quantised = MakeQuantised(
      input, *module + ".weight", result, *std::move(shape), std::move(used),
      fmt::format("HQQ {} bit, groups of {}", packing->bits, rows ? stored.columns : code_rows));
  quantised.decoder = std::make_shared<HqqDecoder>(hqq);
  return std::optional(std::move(quantised));
}

}  // namespace tensorguard::internal
