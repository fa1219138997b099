#include "weights/quantised/grouped_tensor.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

#include "base/bfloat16.h"
#include "base/try.h"
#include "numerics/encode_floats.h"
#include "numerics/half_floats.h"

namespace tensorguard::internal {
namespace {

constexpr size_t kRoundedTogether = 1024;

void RoundToHalf(std::span<float> numbers) {
  std::array<uint16_t, kRoundedTogether> halves;
  while (!numbers.empty()) {
    const auto part = numbers.first(std::min(numbers.size(), kRoundedTogether));
    const auto stored = std::span(halves).first(part.size());
    std::transform(part.begin(), part.end(), stored.begin(), ToFloat16Bits);
    DecodeHalfFloats(std::as_bytes(stored), part);
    numbers = numbers.subspan(part.size());
  }
}

// The scales and zero points of a tile.
struct TileScales {
  uint64_t first_row = 0;
  uint64_t columns = 0;
  std::vector<float> scales = {};
  std::vector<float> zeros = {};               // empty: none
  std::vector<uint32_t> group_of_column = {};  // of the tile, counted from its first scale
};

class GroupedDecoder : public TensorDecoder {
 public:
  explicit GroupedDecoder(const GroupedTensor& tensor) : tensor_(tensor) {}

  Result<void> Decode(const WeightSource& stored, const Tile& tile,
                      std::span<float> out) const override {
    if (auto read = tensor_.codes.Read(stored, tile, out); !read) return read;
    TG_ASSIGN(const auto scales, ReadScales(stored, tile));
    for (uint64_t r = 0; r < tile.rows; ++r) {
      const uint64_t scale_row = tensor_.groups.ScaleRow(tile.first_row + r) - scales.first_row;
      ScaleRow(scales, scale_row, out.subspan(r * tile.columns, tile.columns));
    }
    RoundTo(tensor_.result, out);
    return {};
  }

 private:
  // Group of each column of the tile.
  Result<std::vector<uint32_t>> GroupsOf(const WeightSource& stored, const Tile& tile) const {
    const ScaleGroups& groups = tensor_.groups;
    std::vector<uint32_t> of_column(tile.columns);
    for (uint64_t c = 0; c < tile.columns; ++c) {
      of_column[c] = static_cast<uint32_t>((tile.first_column + c) / groups.block_columns);
    }
    if (!groups.column_groups) return of_column;
    std::vector<int32_t> indexes(tensor_.columns);
    const size_t tensor = *groups.column_groups;
    TG_TRY(stored.ReadBytes(tensor, 0, std::as_writable_bytes(std::span(indexes))));
    if (std::all_of(indexes.begin(), indexes.end(), [](int32_t index) { return index == 0; })) {
      return of_column;
    }
    for (uint64_t c = 0; c < tile.columns; ++c) {
      const int32_t index = indexes[tile.first_column + c];
      if (index < 0 || static_cast<uint64_t>(index) >= groups.column_count) {
        return Error{.problem = "column belongs to a group that does not exist",
                     .file = stored.tensors()[tensor].file,
                     .tensor = stored.tensors()[tensor].name,
                     .found = fmt::format("group {} of column {}", index, tile.first_column + c),
                     .expected = fmt::format("0 to {}", groups.column_count - 1)};
      }
      of_column[c] = static_cast<uint32_t>(index);
    }
    return of_column;
  }

  Result<TileScales> ReadScales(const WeightSource& stored, const Tile& tile) const {
    TG_ASSIGN(auto of_column, GroupsOf(stored, tile));
    const auto [least, most] = std::minmax_element(of_column.begin(), of_column.end());
    const uint64_t first_row = tensor_.groups.ScaleRow(tile.first_row);
    const uint64_t last_row = tensor_.groups.ScaleRow(tile.first_row + tile.rows - 1);
    const Tile scale_tile = {first_row, last_row - first_row + 1, *least, *most - *least + 1u};
    const uint32_t first_group = *least;
    TileScales scales = {.first_row = first_row, .columns = scale_tile.columns};
    scales.scales.resize(scale_tile.element_count());
    auto read = tensor_.scales.Read(stored, scale_tile, scales.scales);
    if (read && tensor_.zeros) {
      scales.zeros.resize(scale_tile.element_count());
      read = tensor_.zeros->Read(stored, scale_tile, scales.zeros);
    }
    if (!read) return std::move(read).error();
    if (tensor_.scale_divisor != 1) {
      for (float& scale : scales.scales) scale /= tensor_.scale_divisor;
    }
    if (tensor_.scale_factor != 1) {
      for (float& scale : scales.scales) scale *= tensor_.scale_factor;
    }
    for (uint32_t& group : of_column) group -= first_group;
    scales.group_of_column = std::move(of_column);
    return scales;
  }

  void ScaleRow(const TileScales& scales, uint64_t scale_row, std::span<float> row) const {
    const float* scale_of = scales.scales.data() + scale_row * scales.columns;
    const float* zero_of =
        scales.zeros.empty() ? nullptr : scales.zeros.data() + scale_row * scales.columns;
    for (size_t begin = 0; begin < row.size();) {
      const uint32_t group = scales.group_of_column[begin];
      size_t end = begin + 1;
      while (end < row.size() && scales.group_of_column[end] == group) ++end;
      Scale(scale_of[group], zero_of == nullptr ? 0 : zero_of[group],
            row.subspan(begin, end - begin));
      begin = end;
    }
  }

  void Scale(float scale, float zero, std::span<float> codes) const {
    if (tensor_.formula == ScaleFormula::kBiased) {
      for (float& code : codes) code = code * scale + zero;
    } else if (tensor_.formula == ScaleFormula::kDivided) {
      for (float& code : codes) code /= scale;
    } else {
      for (float& code : codes) code = (code - zero) * scale;
    }
    if (tensor_.product_factor == 1) return;
    for (float& product : codes) product *= tensor_.product_factor;
  }

  GroupedTensor tensor_;
};

}  // namespace

Result<void> OrientedGrid::Read(const WeightSource& stored, const Tile& tile,
                                std::span<float> out) const {
  if (!input_major) return grid->Read(stored, tile, {out.data(), tile.columns, 1});
  return grid->Read(stored, {tile.first_column, tile.columns, tile.first_row, tile.rows},
                    {out.data(), 1, tile.columns});
}

std::shared_ptr<const TensorDecoder> MakeGroupedDecoder(const GroupedTensor& tensor) {
  return std::make_shared<GroupedDecoder>(tensor);
}

void RoundTo(DType dtype, std::span<float> numbers) {
  if (dtype == DType::kF16) RoundToHalf(numbers);
  if (dtype != DType::kBF16) return;
  for (float& number : numbers) number = ToFloat32(RoundToBFloat16(number));
}

}  // namespace tensorguard::internal
