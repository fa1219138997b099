// bitsandbytes. 4 bit (NF4, FP4): `NAME` holds two codes in a byte, the first in the high bits,
// over the whole tensor row by row; `NAME.quant_map` what the 16 codes mean; `NAME.absmax` the
// scale of each block; `NAME.quant_state.bitsandbytes__nf4` a JSON text with shape, block size and
// type. Double quantisation: `absmax` holds codes for `nested_quant_map`, scaled by
// `nested_absmax`, plus an offset. 8 bit: `weight` I8 and `SCB` [outputs], 127 times the scale.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/checked.h"
#include "base/try.h"
#include "weights/quantised/quantisation_scheme.h"

namespace tensorguard::internal {
namespace {

constexpr uint64_t kMostStateBytes = 65536;
constexpr uint64_t kMostBlockElements = 1 << 20;
constexpr size_t kCodes4Bit = 16;
constexpr size_t kCodes8Bit = 256;

struct Nested {
  size_t absmax;
  std::array<float, kCodes8Bit> map;
  uint64_t block_elements;
  float offset;
};

struct FourBit {
  size_t codes;
  size_t absmax;
  std::array<float, kCodes4Bit> map;
  uint64_t block_elements;
  uint64_t columns;
  std::optional<Nested> nested;
  DType result;
};

class FourBitDecoder : public TensorDecoder {
 public:
  explicit FourBitDecoder(const FourBit& tensor) : tensor_(tensor) {}

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
    RoundTo(tensor_.result, out);
    return {};
  }

 private:
  Result<void> DecodeStretch(const WeightSource& stored, uint64_t first,
                             std::span<float> out) const {
    const uint64_t last = first + out.size() - 1;
    std::vector<std::byte> bytes(last / 2 - first / 2 + 1);
    auto read = stored.ReadBytes(tensor_.codes, first / 2, bytes);
    if (!read) return read;
    const uint64_t first_block = first / tensor_.block_elements;
    std::vector<float> scales(last / tensor_.block_elements - first_block + 1);
    if (read = ReadScales(stored, first_block, scales); !read) return read;
    for (size_t i = 0; i < out.size(); ++i) {
      const uint64_t element = first + i;
      const auto pair = static_cast<unsigned>(bytes[element / 2 - first / 2]);
      const unsigned code = element % 2 == 0 ? pair >> 4 : pair & 0xF;
      out[i] = tensor_.map[code] * scales[element / tensor_.block_elements - first_block];
    }
    return {};
  }

  Result<void> ReadScales(const WeightSource& stored, uint64_t first,
                          std::span<float> scales) const {
    auto read = stored.ReadFloat32(tensor_.absmax, first, scales);
    if (!read || !tensor_.nested) return read;
    const Nested& nested = *tensor_.nested;
    const uint64_t first_block = first / nested.block_elements;
    const uint64_t last_block = (first + scales.size() - 1) / nested.block_elements;
    std::vector<float> outer(last_block - first_block + 1);
    if (read = stored.ReadFloat32(nested.absmax, first_block, outer); !read) return read;
    for (size_t i = 0; i < scales.size(); ++i) {
      const float value = nested.map[static_cast<uint8_t>(scales[i])];
      scales[i] = value * outer[(first + i) / nested.block_elements - first_block] + nested.offset;
    }
    return {};
  }

  FourBit tensor_;
};

Error BadState(const TensorInfo& state, std::string found, std::string expected) {
  return Contradiction(state, "description of a quantised tensor makes no sense", std::move(found),
                       std::move(expected));
}

Result<Json> ReadState(const SchemeInput& input, size_t tensor) {
  const TensorInfo& info = input.stored[tensor];
  if (info.dtype != DType::kU8 || info.element_count > kMostStateBytes) {
    return BadState(info, fmt::format("{} of {}", info.element_count, InfoOf(info.dtype).name),
                    fmt::format("a JSON text as U8 of at most {} bytes", kMostStateBytes));
  }
  std::string text(info.element_count, '\0');
  TG_TRY(input.stored.source().ReadBytes(tensor, 0, std::as_writable_bytes(std::span(text))));
  auto json = ParseJson(text);
  if (!json) return BadState(info, json.error().problem, "a JSON text");
  if (!json->is_object()) return BadState(info, json->type_name(), "a JSON object");
  return json;
}

Result<std::vector<uint64_t>> ShapeIn(const TensorInfo& info, const Json& state) {
  std::vector<uint64_t> shape;
  const auto found = state.find("shape");
  const bool is_list = found != state.end() && found->is_array() && found->size() <= 8;
  if (is_list) {
    for (const Json& dimension : *found) {
      const auto size = WholeNumber(dimension);
      if (!size) break;
      shape.push_back(*size);
    }
    const auto count = ElementCount(shape);
    if (shape.size() == found->size() && !shape.empty() && count && *count > 0) return shape;
  }
  return BadState(info, "no shape", "shape as a list of up to 8 sizes");
}

Result<uint64_t> BlockSizeIn(const TensorInfo& info, const Json& state, const char* key) {
  const auto size = NumberIn(state, key);
  if (size && *size > 0 && *size <= kMostBlockElements) return *size;
  return BadState(info, fmt::format("no {}", key),
                  fmt::format("{} from 1 to {}", key, kMostBlockElements));
}

Result<void> CheckCount(const TensorInfo& info, uint64_t expected, bool fits) {
  if (fits && info.element_count == expected) return {};
  return Contradiction(info, "tensor does not fit the quantised weight",
                       fmt::format("{} {}", InfoOf(info.dtype).name, ShapeText(info.shape)),
                       fmt::format("{} numbers", expected));
}

template <size_t kCount>
Result<std::array<float, kCount>> ReadMap(const SchemeInput& input, size_t tensor) {
  const TensorInfo& info = input.stored[tensor];
  const bool fits = info.dtype == DType::kF32;
  TG_TRY(CheckCount(info, kCount, fits));
  std::array<float, kCount> map;
  TG_TRY(input.stored.source().ReadFloat32(tensor, 0, map));
  return map;
}

uint64_t BlocksOf(uint64_t elements, uint64_t block_elements) {
  return elements / block_elements + (elements % block_elements != 0 ? 1 : 0);
}

Result<std::optional<Nested>> ReadNested(const SchemeInput& input, size_t state_tensor,
                                         const std::string& name, const Json& state,
                                         uint64_t blocks, std::vector<size_t>& used) {
  const auto absmax = input.stored.Find(name + ".nested_absmax");
  if (!absmax) return std::optional<Nested>();
  const TensorInfo& info = input.stored[state_tensor];
  TG_ASSIGN(const auto map, PartOf(input, state_tensor, name + ".nested_quant_map"));
  TG_ASSIGN(const auto values, ReadMap<kCodes8Bit>(input, map));
  TG_ASSIGN(const auto block, BlockSizeIn(info, state, "nested_blocksize"));
  const auto offset = state.find("nested_offset");
  if (offset == state.end() || !offset->is_number()) {
    return BadState(info, "no nested_offset", "a number");
  }
  const TensorInfo& outer = input.stored[*absmax];
  TG_TRY(CheckCount(outer, BlocksOf(blocks, block), outer.dtype == DType::kF32));
  used.insert(used.end(), {*absmax, map});
  return std::optional(Nested{*absmax, values, block, offset->get<float>()});
}

DType ResultIn(const Json& state) {
  const std::string dtype = TextIn(state, "dtype");
  if (dtype == "bfloat16") return DType::kBF16;
  return dtype == "float16" ? DType::kF16 : DType::kF32;
}

Result<std::optional<QuantisedTensor>> ReadFourBit(const SchemeInput& input, size_t tensor,
                                                   size_t state_tensor, const char* kind) {
  const TensorInfo& info = input.stored[tensor];
  const std::string& name = info.name;
  TG_ASSIGN(const auto state, ReadState(input, state_tensor));
  const TensorInfo& state_info = input.stored[state_tensor];
  auto shape = ShapeIn(state_info, state);
  if (!shape) return std::move(shape).error();
  TG_ASSIGN(const auto block, BlockSizeIn(state_info, state, "blocksize"));
  const uint64_t elements = *ElementCount(*shape);
  // The codes may lie in any type (bnb_4bit_quant_storage), padded to a whole number.
  const uint64_t bytes_each = InfoOf(info.dtype).bits / 8;
  const uint64_t code_bytes = elements / 2 + elements % 2;
  if (bytes_each == 0 || BlocksOf(code_bytes, bytes_each) != info.element_count) {
    return Contradiction(info, "tensor does not hold the codes of its shape",
                         fmt::format("{} bytes", info.stored_bytes),
                         fmt::format("{}, two codes in a byte", code_bytes));
  }
  TG_ASSIGN(const auto absmax, PartOf(input, tensor, name + ".absmax"));
  TG_ASSIGN(const auto map, PartOf(input, tensor, name + ".quant_map"));
  TG_ASSIGN(const auto values, ReadMap<kCodes4Bit>(input, map));
  std::vector<size_t> used = {tensor, absmax, map, state_tensor};
  const uint64_t blocks = BlocksOf(elements, block);
  TG_ASSIGN(auto nested, ReadNested(input, state_tensor, name, state, blocks, used));
  const TensorInfo& scales = input.stored[absmax];
  const bool fits = scales.dtype == (nested ? DType::kU8 : DType::kF32);
  TG_TRY(CheckCount(scales, blocks, fits));
  FourBit four_bit = {tensor, absmax, values, block, shape->back(), nested, ResultIn(state)};
  auto quantised = MakeQuantised(
      input, name, four_bit.result, *std::move(shape), std::move(used),
      fmt::format("bitsandbytes {}, blocks of {}{}", kind, block, nested ? ", double" : ""));
  quantised.decoder = std::make_shared<FourBitDecoder>(four_bit);
  return std::optional(std::move(quantised));
}

// W = code * SCB * (1 / 127), as bitsandbytes computes it.
Result<std::optional<QuantisedTensor>> ReadEightBit(const SchemeInput& input, size_t tensor,
                                                    const std::string& module, size_t scales) {
  const TensorInfo& info = input.stored[tensor];
  TG_ASSIGN(const auto matrix, MatrixShapeOf(info));
  const TensorInfo& scale_info = input.stored[scales];
  const bool fits = scale_info.dtype == DType::kF32 && matrix.matrices == 1;
  TG_TRY(CheckCount(scale_info, matrix.rows, fits));
  std::vector<size_t> used = {tensor, scales};
  if (const auto format = input.stored.Find(module + ".weight_format")) {
    float layout = 0;
    auto read = input.stored[*format].element_count == 1
                    ? input.stored.source().ReadFloat32(*format, 0, std::span(&layout, 1))
                    : CheckCount(input.stored[*format], 1, true);
    if (!read) return std::move(read).error();
    if (layout != 0) {
      return Error{.kind = ErrorKind::kUnsupported,
                   .problem = "8 bit weights in an order for one kind of processor are not read",
                   .file = info.file,
                   .tensor = input.stored[*format].name,
                   .found = fmt::format("layout {}", layout),
                   .expected = "layout 0, rows",
                   .advice = "save the model again with a newer bitsandbytes"};
    }
    used.push_back(*format);
  }
  const DType result = input.config.model_dtype.value_or(DType::kF32);
  GroupedTensor grouped = {.columns = matrix.columns,
                           .codes = {MakePlainGrid({.tensor = tensor, .columns = matrix.columns})},
                           .scales = {MakePlainGrid({.tensor = scales, .columns = 1})},
                           .groups = {.matrix_rows = matrix.rows, .block_columns = matrix.columns},
                           .product_factor = 1.0f / 127,
                           .result = result};
  auto quantised =
      MakeQuantised(input, info.name, result, info.shape, std::move(used), "bitsandbytes 8 bit");
  quantised.decoder = MakeGroupedDecoder(grouped);
  return std::optional(std::move(quantised));
}

}  // namespace

Result<std::optional<QuantisedTensor>> ReadBitsandbytes(const SchemeInput& input, size_t tensor) {
  const TensorInfo& info = input.stored[tensor];
  for (const char* kind : {"nf4", "fp4"}) {
    const auto state =
        input.stored.Find(fmt::format("{}.quant_state.bitsandbytes__{}", info.name, kind));
    if (state) return ReadFourBit(input, tensor, *state, kind[0] == 'n' ? "NF4" : "FP4");
  }
  const auto module = WithoutEnding(info.name, ".weight");
  if (!module || info.dtype != DType::kI8) return std::optional<QuantisedTensor>();
  const auto scales = input.stored.Find(*module + ".SCB");
  if (!scales) return std::optional<QuantisedTensor>();
  return ReadEightBit(input, tensor, *module, *scales);
}

}  // namespace tensorguard::internal
