#include "weights/elements/ggml_types.h"

#include <array>
#include <bit>
#include <cassert>

#include "weights/elements/ggml_blocks.h"

namespace tensorguard::internal {
namespace {

static_assert(std::endian::native == std::endian::little, "the stored bytes are read as they are");

struct Decoder {
  DType dtype;
  DecodeGgmlBlock decode;
};

constexpr std::array kDecoders = std::to_array<Decoder>({
    {DType::kQ1_0, DecodeQ1_0},     {DType::kQ2_0, DecodeQ2_0},   {DType::kQ4_0, DecodeQ4_0},
    {DType::kQ4_1, DecodeQ4_1},     {DType::kQ5_0, DecodeQ5_0},   {DType::kQ5_1, DecodeQ5_1},
    {DType::kQ8_0, DecodeQ8_0},     {DType::kQ2K, DecodeQ2K},     {DType::kQ3K, DecodeQ3K},
    {DType::kQ4K, DecodeQ4K},       {DType::kQ5K, DecodeQ5K},     {DType::kQ6K, DecodeQ6K},
    {DType::kQ8K, DecodeQ8K},       {DType::kIq1S, DecodeIq1S},   {DType::kIq1M, DecodeIq1M},
    {DType::kIq2Xxs, DecodeIq2Xxs}, {DType::kIq2Xs, DecodeIq2Xs}, {DType::kIq2S, DecodeIq2S},
    {DType::kIq3Xxs, DecodeIq3Xxs}, {DType::kIq3S, DecodeIq3S},   {DType::kIq4Nl, DecodeIq4Nl},
    {DType::kIq4Xs, DecodeIq4Xs},   {DType::kTq1_0, DecodeTq1_0}, {DType::kTq2_0, DecodeTq2_0},
    {DType::kMxfp4, DecodeMxfp4},   {DType::kNvfp4, DecodeNvfp4},
});

DecodeGgmlBlock DecoderOf(DType dtype) {
  for (const Decoder& decoder : kDecoders) {
    if (decoder.dtype == dtype) return decoder.decode;
  }
  assert(false && "not a block type");
  return nullptr;
}

}  // namespace

void DecodeGgmlBlocks(DType dtype, std::span<const std::byte> bytes, std::span<float> out) {
  const DTypeInfo& info = InfoOf(dtype);
  const DecodeGgmlBlock decode = DecoderOf(dtype);
  assert(out.size() % info.block_elements == 0 &&
         bytes.size() == out.size() / info.block_elements * info.block_bytes);
  const auto* block = reinterpret_cast<const uint8_t*>(bytes.data());
  for (size_t i = 0; i < out.size(); i += info.block_elements, block += info.block_bytes) {
    decode(block, out.data() + i);
  }
}

}  // namespace tensorguard::internal
