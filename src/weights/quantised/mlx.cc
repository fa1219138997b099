// MLX: `weight` U32 [..., outputs, inputs * bits / 32], a stream of codes along each row, with
// `scales` and `biases` [..., outputs, groups]: weight = code * scale + bias. The modes mxfp4,
// mxfp8 and nvfp4 have minifloats for codes, `scales` of bytes and no biases.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "base/try.h"
#include "weights/quantised/quantisation_scheme.h"

namespace tensorguard::internal {
namespace {

constexpr std::array<uint64_t, 6> kBits = {2, 3, 4, 5, 6, 8};
constexpr std::array<uint64_t, 4> kGroupSizes = {16, 32, 64, 128};

struct Numbers {
  uint64_t bits;
  uint64_t group_size;
};

// "affine", or the kind of the minifloats.
struct Mode {
  const char* name;
  Numbers numbers;
  const char* shown;
};
constexpr std::array kModes = {Mode{"mxfp4", {4, 32}, "MLX MXFP4"},
                               Mode{"mxfp8", {8, 32}, "MLX MXFP8"},
                               Mode{"nvfp4", {4, 16}, "MLX NVFP4, groups of 16"}};

// What the config says of the module, or of all.
const Json* SettingsOf(const QuantisationConfig& config, const std::string& module) {
  if (!config.settings.is_object()) return nullptr;
  const auto own = config.settings.find(module);
  if (own != config.settings.end() && own->is_object()) return &*own;
  return &config.settings;
}

// Widths that occur in the model: a matrix's inputs are the outputs of another, or have a norm.
std::set<uint64_t> WidthsOf(const StoredTensors& stored) {
  std::set<uint64_t> widths;
  for (const TensorInfo& tensor : stored.source().tensors()) {
    if (!tensor.shape.empty()) {
      widths.insert(tensor.shape[tensor.shape.size() >= 2 ? tensor.shape.size() - 2 : 0]);
    }
  }
  return widths;
}

// Where no config says it: the one that gives a width that the model has.
Result<Numbers> GuessNumbers(const SchemeInput& input, size_t codes, uint64_t row_bits,
                             uint64_t groups) {
  std::optional<Numbers> found;
  const auto widths = WidthsOf(input.stored);
  for (const uint64_t bits : kBits) {
    for (const uint64_t group_size : kGroupSizes) {
      if (bits * groups * group_size != row_bits || !widths.contains(groups * group_size)) continue;
      if (found) {
        return Contradiction(input.stored[codes], "bits and groups cannot be told from the shapes",
                             fmt::format("{} bit in groups of {} and {} bit in groups of {} fit",
                                         found->bits, found->group_size, bits, group_size),
                             "config.json with `quantization`");
      }
      found = {bits, group_size};
    }
  }
  if (found) return *found;
  return Contradiction(input.stored[codes], "bits and groups cannot be told from the shapes",
                       fmt::format("{} bits in a row, {} groups", row_bits, groups),
                       "config.json with `quantization`");
}

Result<Numbers> NumbersOf(const SchemeInput& input, size_t codes, const std::string& module,
                          uint64_t row_bits, uint64_t groups) {
  const Json* settings = SettingsOf(input.config, module);
  const auto bits = settings == nullptr ? std::nullopt : NumberIn(*settings, "bits");
  const auto group_size = settings == nullptr ? std::nullopt : NumberIn(*settings, "group_size");
  if (!bits || !group_size) return GuessNumbers(input, codes, row_bits, groups);
  const bool known = std::find(kBits.begin(), kBits.end(), *bits) != kBits.end() &&
                     *group_size > 0 && *group_size < (uint64_t{1} << 31);
  if (known && *bits * *group_size * groups == row_bits) return Numbers{*bits, *group_size};
  return Contradiction(
      input.stored[codes], "config and tensors disagree about the quantisation",
      fmt::format("{} bits in a row, {} groups", row_bits, groups),
      fmt::format("{} bit in groups of {}, as {} says", *bits, *group_size, input.config.file));
}

// By scales of bytes: the modes differ in the bits of a group.
Result<const Mode*> ModeOf(const SchemeInput& input, size_t codes, const std::string& module,
                           uint64_t row_bits, uint64_t groups) {
  const Json* settings = SettingsOf(input.config, module);
  std::string stated = settings == nullptr ? "" : TextIn(*settings, "mode");
  if (stated.empty()) stated = input.config.Text("mode");
  for (const Mode& mode : kModes) {
    if (mode.numbers.bits * mode.numbers.group_size * groups != row_bits) continue;
    if (stated.empty() || stated == mode.name) return &mode;
  }
  return Contradiction(input.stored[codes], "scales of bytes do not fit the codes",
                       fmt::format("{} bits in a row, {} groups", row_bits, groups),
                       stated.empty() ? "mxfp4, mxfp8 or nvfp4" : "mode " + stated);
}

struct Parts {
  std::string module;
  size_t codes;
  size_t scales;
};

Result<GroupedTensor> Affine(const SchemeInput& input, const Parts& parts, const MatrixShape& codes,
                             uint64_t groups, std::vector<size_t>& used, std::string& shown) {
  TG_ASSIGN(const auto numbers,
            NumbersOf(input, parts.codes, parts.module, codes.columns * 32, groups));
  TG_ASSIGN(const auto biases, PartOf(input, parts.codes, parts.module + ".biases"));
  if (input.stored[biases].shape != input.stored[parts.scales].shape) {
    return Contradiction(input.stored[biases], "there is not one bias for each scale",
                         ShapeText(input.stored[biases].shape),
                         ShapeText(input.stored[parts.scales].shape));
  }
  used.push_back(biases);
  shown = fmt::format("MLX {} bit, groups of {}", numbers.bits, numbers.group_size);
  GroupedTensor grouped;
  grouped.columns = groups * numbers.group_size;
  grouped.codes = {MakePackedGrid({.tensor = parts.codes,
                                   .word_columns = codes.columns,
                                   .bits = static_cast<unsigned>(numbers.bits),
                                   .table = IntegerTable()})};
  grouped.scales = {MakePlainGrid({.tensor = parts.scales, .columns = groups})};
  grouped.zeros = {MakePlainGrid({.tensor = biases, .columns = groups})};
  grouped.groups.block_columns = numbers.group_size;
  grouped.formula = ScaleFormula::kBiased;
  grouped.result = ResultOfScales(input.stored[parts.scales].dtype);
  return grouped;
}

Result<GroupedTensor> Minifloats(const SchemeInput& input, const Parts& parts,
                                 const MatrixShape& codes, uint64_t groups, std::string& shown) {
  TG_ASSIGN(const auto mode, ModeOf(input, parts.codes, parts.module, codes.columns * 32, groups));
  const Numbers numbers = mode->numbers;
  shown = mode->shown;
  GroupedTensor grouped;
  grouped.columns = groups * numbers.group_size;
  grouped.codes = {MakePackedGrid({.tensor = parts.codes,
                                   .word_columns = codes.columns,
                                   .bits = static_cast<unsigned>(numbers.bits),
                                   .table = numbers.bits == 4 ? Fp4Table() : Fp8Table()})};
  grouped.scales = {
      MakePlainGrid({.tensor = parts.scales,
                     .columns = groups,
                     .table = numbers.group_size == 16 ? Fp8Table() : ExponentTable()})};
  grouped.groups.block_columns = numbers.group_size;
  grouped.result = input.config.model_dtype.value_or(DType::kF32);
  return grouped;
}

}  // namespace

Result<std::optional<QuantisedTensor>> ReadMlx(const SchemeInput& input, size_t tensor) {
  const TensorInfo& info = input.stored[tensor];
  const auto module = WithoutEnding(info.name, ".weight");
  if (!module || info.dtype != DType::kU32) return std::optional<QuantisedTensor>();
  const auto scales = input.stored.Find(*module + ".scales");
  if (!scales) return std::optional<QuantisedTensor>();
  const auto codes = MatrixShapeOf(info);
  if (!codes) return codes.error();
  TG_ASSIGN(const auto scale_shape, MatrixShapeOf(input.stored[*scales]));
  const uint64_t groups = scale_shape.columns;
  std::vector<uint64_t> shape = info.shape;
  shape.back() = groups;
  if (shape != input.stored[*scales].shape) {
    return Contradiction(input.stored[*scales], "scales do not fit the codes",
                         ShapeText(input.stored[*scales].shape), ShapeText(shape));
  }
  const Parts parts = {*module, tensor, *scales};
  std::vector<size_t> used = {tensor, *scales};
  std::string shown;
  TG_ASSIGN(auto grouped, input.stored[*scales].dtype == DType::kU8
                              ? Minifloats(input, parts, *codes, groups, shown)
                              : Affine(input, parts, *codes, groups, used, shown));
  grouped.groups.matrix_rows = codes->rows;
  grouped.groups.column_count = groups;
  shape.back() = grouped.columns;
  auto quantised = MakeQuantised(input, info.name, grouped.result, std::move(shape),
                                 std::move(used), std::move(shown));
  quantised.decoder = MakeGroupedDecoder(grouped);
  return std::optional(std::move(quantised));
}

}  // namespace tensorguard::internal
