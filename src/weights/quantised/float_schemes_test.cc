// bitsandbytes, FP8, int8, FP4 with scales, MXFP4, HQQ and BitNet, against values worked out by
// plain loops.
#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "tests/support/quantised_builder.h"
#include "tests/support/quantised_models.h"

namespace tensorguard::internal {
namespace {

std::string RandomBytes(size_t count, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string bytes(count, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

// Bytes of E4M3 that are numbers.
std::string RandomFp8(size_t count, uint64_t seed) {
  std::string bytes = RandomBytes(count, seed);
  for (char& byte : bytes) {
    if ((byte & 0x7f) == 0x7f) byte = 1;
  }
  return bytes;
}

// 4 bits of exponent from 2^-6 on, 3 of fraction.
float Fp8(char byte) {
  const int exponent = byte >> 3 & 15;
  const int fraction = byte & 7;
  const int significand = exponent == 0 ? fraction : 8 + fraction;
  return static_cast<float>(
      std::ldexp(byte < 0 ? -significand : significand, std::max(exponent, 1) - 10));
}

float Fp4(const std::string& pairs, size_t i) {
  const auto pair = static_cast<uint8_t>(pairs[i / 2]);
  constexpr std::array kValues = {0.f, 0.5f, 1.f, 1.5f, 2.f, 3.f, 4.f, 6.f};
  const int code = i % 2 == 0 ? pair & 15 : pair >> 4;
  return code < 8 ? kValues[static_cast<size_t>(code)] : -kValues[static_cast<size_t>(code - 8)];
}

float Brain(float value) { return ToFloat32(RoundToBFloat16(value)); }

// A 4-bit weight of 5 x 13 (an odd number of elements) in blocks of 8, twice quantised or once.
struct FourBitWeight {
  std::vector<BuiltTensor> tensors;
  std::vector<float> expected;
};

FourBitWeight MakeFourBit(bool nested) {
  constexpr size_t kElements = 65;
  constexpr size_t kBlocks = 9;
  std::vector<float> map(16);
  std::vector<float> nested_map(256);
  for (size_t i = 0; i < 16; ++i) map[i] = static_cast<float>(i) / 7 - 1;
  for (size_t i = 0; i < 256; ++i) nested_map[i] = static_cast<float>(i) / 129 - 1;
  const std::string codes = RandomBytes(33, 1);
  const std::string scale_codes = RandomBytes(kBlocks, 2);
  const std::vector<float> outer = {0.3f, 0.7f, 0.9f};
  std::vector<float> scales;
  for (size_t b = 0; b < kBlocks; ++b) {
    const auto code = static_cast<uint8_t>(scale_codes[b]);
    scales.push_back(nested ? nested_map[code] * outer[b / 4] + 0.125f
                            : 0.01f * static_cast<float>(code));
  }
  FourBitWeight weight;
  for (size_t i = 0; i < kElements; ++i) {
    const auto pair = static_cast<uint8_t>(codes[i / 2]);
    const float value = map[i % 2 == 0 ? pair >> 4 : pair & 15] * scales[i / 8];
    weight.expected.push_back(Brain(value));
  }
  Json state = {{"quant_type", "nf4"}, {"blocksize", 8}, {"dtype", "bfloat16"}, {"shape", {5, 13}}};
  weight.tensors = {{"up.weight", "U8", {33, 1}, codes},
                    F32Tensor("up.weight.quant_map", {16}, map)};
  if (nested) {
    state.update({{"nested_blocksize", 4}, {"nested_dtype", "float32"}, {"nested_offset", 0.125}});
    weight.tensors.push_back({"up.weight.absmax", "U8", {kBlocks}, scale_codes});
    weight.tensors.push_back(F32Tensor("up.weight.nested_absmax", {3}, outer));
    weight.tensors.push_back(F32Tensor("up.weight.nested_quant_map", {256}, nested_map));
  } else {
    weight.tensors.push_back(F32Tensor("up.weight.absmax", {kBlocks}, scales));
  }
  const std::string text = state.dump();
  weight.tensors.push_back({"up.weight.quant_state.bitsandbytes__nf4", "U8", {text.size()}, text});
  return weight;
}

TEST(Bitsandbytes, FourBitIsReadOnceAndTwiceQuantised) {
  for (const bool nested : {false, true}) {
    const FourBitWeight weight = MakeFourBit(nested);
    const ScratchFolder folder;
    const auto weights = Dequantised(folder, weight.tensors, {{"quant_method", "bitsandbytes"}});
    ExpectValues(weights, "up.weight", {5, 13}, weight.expected);
    EXPECT_EQ((*weights)->tensors().size(), 1u);
    EXPECT_TRUE((*weights)->IsBFloat16(0));
    std::vector<BFloat16> stored(weight.expected.size());
    ASSERT_TRUE((*weights)->ReadBFloat16(0, 0, stored));
    for (size_t i = 0; i < stored.size(); ++i) {
      EXPECT_EQ(ToFloat32(stored[i]), weight.expected[i]);
    }
  }
}

// The codes may lie in 16-bit numbers, for training.
TEST(Bitsandbytes, FourBitIsReadFromAnyStorageType) {
  FourBitWeight weight = MakeFourBit(false);
  BuiltTensor& codes = Named(weight.tensors, "up.weight");
  codes.dtype = "BF16";
  codes.shape = {17, 1};
  codes.data += '\0';
  const ScratchFolder folder;
  ExpectValues(Dequantised(folder, weight.tensors), "up.weight", {5, 13}, weight.expected);
}

TEST(Bitsandbytes, FourBitRefusesContradictions) {
  const auto tensors = MakeFourBit(true).tensors;
  const std::string state = "up.weight.quant_state.bitsandbytes__nf4";
  const auto with_state = [&](const std::string& text) {
    auto changed = tensors;
    Named(changed, state) = {state, "U8", {text.size()}, text};
    return ErrorOf(changed);
  };
  const char* senseless = "description of a quantised tensor makes no sense";
  EXPECT_EQ(with_state("{").problem, senseless);
  EXPECT_EQ(with_state("[]").problem, senseless);
  EXPECT_EQ(with_state(R"({"shape": [5, 13]})").found, "no blocksize");
  EXPECT_EQ(with_state(R"({"shape": [5, 13], "blocksize": 0})").found, "no blocksize");
  EXPECT_EQ(with_state(R"({"shape": [-5], "blocksize": 8})").found, "no shape");
  EXPECT_EQ(with_state(R"({"shape": [4294967296, 4294967296], "blocksize": 8})").found, "no shape");
  EXPECT_EQ(with_state(R"({"shape": [5, 13], "blocksize": 8})").found, "no nested_blocksize");
  EXPECT_EQ(with_state(R"({"shape": [50, 13], "blocksize": 8})").problem,
            "tensor does not hold the codes of its shape");
  EXPECT_EQ(ErrorOf(Without(tensors, "up.weight.quant_map")).expected, "up.weight.quant_map");
  EXPECT_EQ(ErrorOf(Without(tensors, "up.weight.nested_absmax")).problem,
            "tensor does not fit the quantised weight");
}

TEST(Bitsandbytes, EightBitIsReadByRows) {
  const std::string codes = RandomBytes(3 * 16, 3);
  const std::vector<float> most = {1.5f, 0.3f, 7.1f};
  std::vector<float> expected;
  for (size_t i = 0; i < codes.size(); ++i) {
    const auto code = static_cast<float>(static_cast<int8_t>(codes[i]));
    expected.push_back(code * most[i / 16] * (1.0f / 127));
  }
  std::vector<BuiltTensor> tensors = {{"up.weight", "I8", {3, 16}, codes},
                                      F32Tensor("up.SCB", {3}, most),
                                      {"up.weight_format", "U8", {}, std::string(1, '\0')}};
  const ScratchFolder folder;
  ExpectValues(Dequantised(folder, tensors), "up.weight", {3, 16}, expected);
  tensors.back().data[0] = 2;
  EXPECT_EQ(ErrorOf(tensors).problem,
            "8 bit weights in an order for one kind of processor are not read");
  EXPECT_EQ(ErrorOf(Without(tensors, "up.SCB")).problem,
            "integers stand where a weight should be, packed in an unknown way");
}

// 128 x 128 blocks, the last of rows and columns cut off.
TEST(Fp8, IsReadInBlocks) {
  constexpr size_t kRows = 200;
  constexpr size_t kColumns = 300;
  const std::string codes = RandomFp8(kRows * kColumns, 4);
  const std::vector<float> scales = {0.5f, 0.3f, 0.07f, 1.9f, 0.01f, 3.0f};
  std::vector<float> exact;
  std::vector<float> rounded;
  for (size_t i = 0; i < codes.size(); ++i) {
    const float scale = scales[i / kColumns / 128 * 3 + i % kColumns / 128];
    exact.push_back(Fp8(codes[i]) * scale);
    rounded.push_back(Brain(exact.back()));
  }
  const std::vector<BuiltTensor> tensors = {{"up.weight", "F8_E4M3", {kRows, kColumns}, codes},
                                            F32Tensor("up.weight_scale_inv", {2, 3}, scales),
                                            F32Tensor("up.input_scale", {}, {2})};
  {
    const ScratchFolder folder;
    const auto weights = Dequantised(folder, tensors);
    ExpectValues(weights, "up.weight", {kRows, kColumns}, exact);
    EXPECT_EQ((*weights)->tensors()[0].quantisation, "FP8, blocks of 128x128");
    EXPECT_EQ((*weights)->tensors().size(), 1u);
  }
  const ScratchFolder folder;
  auto stored = OpenStoredWeights(folder.Write("model.safetensors", BuildSafetensors(tensors)));
  ASSERT_TRUE(stored);
  const Json config = {{"torch_dtype", "bfloat16"},
                       {"quantization_config", {{"weight_block_size", {128, 128}}}}};
  const auto quantisation = ReadQuantisationConfig(config, folder.path());
  ASSERT_TRUE(quantisation);
  ExpectValues(DequantiseWeights(*stored, *quantisation), "up.weight", {kRows, kColumns}, rounded);
  EXPECT_EQ(ErrorOf(tensors, {{"quant_method", "fp8"}, {"weight_block_size", {64, 64}}}).problem,
            "config and tensors disagree about the quantisation");
}

TEST(Fp8, IsReadWithScalesOfTensorRowsColumnsAndExponents) {
  const std::string codes = RandomFp8(2 * 4 * 6, 5);  // two stacked matrices of 4 x 6
  const auto expect = [&](const BuiltTensor& scale, auto scale_of) {
    std::vector<float> expected;
    for (size_t i = 0; i < codes.size(); ++i) {
      expected.push_back(Fp8(codes[i]) * scale_of(i / 24, i % 24 / 6, i % 6));
    }
    const ScratchFolder folder;
    ExpectValues(Dequantised(folder, {{"up.weight", "F8_E4M3", {2, 4, 6}, codes}, scale}),
                 "up.weight", {2, 4, 6}, expected);
  };
  std::vector<float> s = {0.5f, 0.3f, 0.7f, 1.1f, 1.3f, 1.7f, 1.9f, 2.3f, 2.9f, 3.1f, 3.7f, 4.1f};
  const auto first = [&](size_t count) {
    return std::vector<float>(s.begin(), s.begin() + static_cast<ptrdiff_t>(count));
  };
  expect(F32Tensor("up.weight_scale", {}, {0.3f}), [](auto, auto, auto) { return 0.3f; });
  expect(F32Tensor("up.weight_scale", {2}, first(2)), [&](size_t m, auto, auto) { return s[m]; });
  expect(F32Tensor("up.weight_scale", {2, 4, 1}, first(8)),
         [&](size_t m, size_t r, auto) { return s[m * 4 + r]; });
  expect(F32Tensor("up.weight_scale", {2, 1, 6}, s),
         [&](size_t m, auto, size_t c) { return s[m * 6 + c]; });
  expect({"up.scale", "F8_E8M0", {2, 2, 1}, std::string("\x7f\x80\x7e\x83", 4)},
         [&](size_t m, size_t r, auto) {
           return std::array{1.f, 2.f, 0.5f, 16.f}[m * 2 + r / 2];
         });
  EXPECT_EQ(ErrorOf({{"up.weight", "F8_E4M3", {2, 4, 6}, codes},
                     F32Tensor("up.weight_scale", {4, 0}, {})})
                .problem,
            "scales do not fit the quantised weight");
  EXPECT_EQ(ErrorOf({{"up.weight", "F8_E4M3", {2, 4, 6}, codes},
                     F32Tensor("up.weight_scale", {5}, first(5))})
                .problem,
            "scales do not fit the quantised weight");
}

TEST(Int8, IsReadWithScalesAndZeroPoints) {
  const std::string codes = RandomBytes(3 * 8, 6);
  const std::vector<float> scales = {0.25f, 0.5f, 0.75f};
  const std::string zeros = {3, -5, 0};
  std::vector<float> expected;
  for (size_t i = 0; i < codes.size(); ++i) {
    expected.push_back(static_cast<float>(codes[i] - zeros[i / 8]) * scales[i / 8]);
  }
  const ScratchFolder folder;
  ExpectValues(Dequantised(folder, {{"up.weight", "I8", {3, 8}, codes},
                                    F32Tensor("up.weight_scale", {3, 1}, scales),
                                    {"up.weight_zero_point", "I8", {3, 1}, zeros}}),
               "up.weight", {3, 8}, expected);
}

TEST(Nvfp4, IsReadAsEachOfItsWritersNamesIt) {
  const std::string codes = RandomBytes(4 * 32 / 2, 7);
  const std::string scales = RandomFp8(4 * 2, 8);
  std::vector<float> divided;
  std::vector<float> multiplied;
  std::vector<float> exponents;
  for (size_t i = 0; i < 128; ++i) {
    divided.push_back(Fp4(codes, i) * (Fp8(scales[i / 16]) / 3.5f));
    multiplied.push_back(Fp4(codes, i) * (Fp8(scales[i / 16]) * 3.5f));
    exponents.push_back(Fp4(codes, i) *
                        static_cast<float>(std::exp2(static_cast<int>(i / 32) - 27)));
  }
  const BuiltTensor scale = {"up.weight_scale", "F8_E4M3", {4, 2}, scales};
  const ScratchFolder folder;
  ExpectValues(Dequantised(folder, {{"up.weight_packed", "U8", {4, 16}, codes},
                                    scale,
                                    F32Tensor("up.weight_global_scale", {1}, {3.5f})}),
               "up.weight", {4, 32}, divided);
  ExpectValues(Dequantised(folder, {{"up.weight", "U8", {4, 16}, codes},
                                    scale,
                                    F32Tensor("up.weight_scale_2", {}, {3.5f})}),
               "up.weight", {4, 32}, multiplied);
  const std::string powers = {100, 101, 102, 103};
  ExpectValues(Dequantised(folder, {{"up.weight_packed", "U8", {4, 16}, codes},
                                    {"up.weight_scale", "U8", {4, 1}, powers}}),
               "up.weight", {4, 32}, exponents);
  // As DeepSeek V4 stores its experts.
  ExpectValues(Dequantised(folder, {{"w1.weight", "I8", {4, 16}, codes},
                                    {"w1.scale", "F8_E8M0", {4, 1}, powers}}),
               "w1.weight", {4, 32}, exponents);
}

// Two experts of 6 outputs and 64 inputs, turned round to [experts, inputs, outputs].
TEST(Mxfp4, IsReadAsGptOssStoresItsExperts) {
  const std::string codes = RandomBytes(2 * 6 * 2 * 16, 9);
  std::string scales = RandomBytes(2 * 6 * 2, 10);
  for (char& scale : scales) scale = static_cast<char>(120 + (scale & 7));
  std::vector<float> plain(2 * 6 * 64);
  std::vector<float> turned(plain.size());
  for (size_t i = 0; i < plain.size(); ++i) {
    plain[i] = Fp4(codes, i) * static_cast<float>(std::exp2(scales[i / 32] - 127.0));
    const size_t expert = i / 384;
    turned[expert * 384 + i % 64 * 6 + i % 384 / 64] = plain[i];
  }
  const ScratchFolder folder;
  const std::string name = "mlp.experts.gate_up_proj";
  const auto weights =
      Dequantised(folder, {{name + "_blocks", "U8", {2, 6, 2, 16}, codes},
                           {name + "_scales", "U8", {2, 6, 2}, scales},
                           F32Tensor(name + "_bias", {2, 6}, std::vector<float>(12))});
  ExpectValues(weights, name, {2, 64, 6}, turned);
  EXPECT_EQ(NamesOf(**weights), std::vector<std::string>({name, name + "_bias"}));
  ExpectValues(Dequantised(folder, {{"mlp.mlp1_weight.blocks", "U8", {2, 6, 2, 16}, codes},
                                    {"mlp.mlp1_weight.scales", "U8", {2, 6, 2}, scales}}),
               "mlp.mlp1_weight", {2, 6, 64}, plain);
  EXPECT_EQ(ErrorOf({{name + "_blocks", "U8", {2, 6, 2, 16}, codes},
                     {name + "_scales", "U8", {2, 2, 6}, scales}})
                .problem,
            "blocks and scales do not fit each other");
}

// Each packing, groups in rows (axis 1) and in columns (axis 0) of the codes' matrix.
TEST(Hqq, IsReadInEveryPacking) {
  struct Case {
    unsigned bits;
    unsigned rows;  // in a word
    const char* dtype;
  };
  for (const Case& packing : {Case{8, 1, "U8"}, Case{4, 2, "U8"}, Case{2, 4, "U8"},
                              Case{1, 8, "U8"}, Case{3, 10, "I32"}}) {
    for (const bool axis1 : {true, false}) {
      constexpr size_t kCodeRows = 16;  // of 12 codes: a weight of 24 x 8
      const size_t word_rows = (kCodeRows + packing.rows - 1) / packing.rows;
      std::mt19937_64 random(packing.bits);
      std::vector<uint32_t> words(word_rows * 12);
      std::vector<float> scales;
      std::vector<float> zeros;
      for (size_t g = 0; g < (axis1 ? kCodeRows : 12); ++g) {
        scales.push_back(static_cast<float>(1 + random() % 100) / 512);
        zeros.push_back(static_cast<float>(random() % 1000) / 128);
      }
      std::vector<float> expected;
      for (size_t i = 0; i < kCodeRows * 12; ++i) {
        const auto code = static_cast<uint32_t>(random() % (1u << packing.bits));
        const size_t plane = i / 12 / word_rows;
        words[i / 12 % word_rows * 12 + i % 12] |= code
                                                   << (packing.rows - 1 - plane) * packing.bits;
        const size_t group = axis1 ? i / 12 : i % 12;
        const auto step = static_cast<_Float16>(static_cast<float>(code) - zeros[group]);
        expected.push_back(
            static_cast<float>(static_cast<_Float16>(static_cast<float>(step) * scales[group])));
      }
      const std::string bytes =
          packing.bits == 3 ? BytesOf(words) : std::string(words.begin(), words.end());
      const std::vector<uint64_t> groups =
          axis1 ? std::vector<uint64_t>{kCodeRows, 1} : std::vector<uint64_t>{1, 12};
      std::vector<BuiltTensor> tensors = {{"up.W_q", packing.dtype, {word_rows, 12}, bytes},
                                          {"up.scale", "F16", groups, HalfBytes(scales)},
                                          {"up.zero", "F16", groups, HalfBytes(zeros)},
                                          {"up.shape", "I64", {2}, BytesOf<uint64_t>({24, 8})},
                                          {"up.axis", "I32", {}, BytesOf<uint32_t>({axis1})},
                                          {"up.packing", "U8", {4}, "4bit"}};
      const ScratchFolder folder;
      const auto weights = Dequantised(folder, tensors, {{"quant_method", "hqq"}});
      ExpectValues(weights, "up.weight", {24, 8}, expected);
      EXPECT_EQ((*weights)->tensors().size(), 1u);
      Named(tensors, "up.shape").data = BytesOf<uint64_t>({24, 80});
      EXPECT_EQ(ErrorOf(tensors).problem, "codes, scales and shape do not fit each other");
    }
  }
}

TEST(Bitnet, IsReadAsItsLayersUseTheScale) {
  std::string codes = RandomBytes(2 * 8, 11);
  std::vector<float> divided(8 * 8);
  std::vector<float> multiplied(8 * 8);
  for (size_t i = 0; i < 16; ++i) {
    uint8_t byte = 0;
    for (unsigned plane = 0; plane < 4; ++plane) {
      const auto code = static_cast<uint8_t>(static_cast<uint8_t>(codes[i]) >> (2 * plane) & 3) % 3;
      byte = static_cast<uint8_t>(byte | code << (2 * plane));
      divided[plane * 16 + i] = static_cast<float>(code - 1) / 2.5f;
      multiplied[plane * 16 + i] = static_cast<float>(code - 1) * 2.5f;
    }
    codes[i] = static_cast<char>(byte);
  }
  const std::vector<BuiltTensor> tensors = {{"up.weight", "U8", {2, 8}, codes},
                                            F32Tensor("up.weight_scale", {1}, {2.5f})};
  const ScratchFolder folder;
  ExpectValues(Dequantised(folder, tensors, {{"quant_method", "bitnet"}}), "up.weight", {8, 8},
               divided);
  ExpectValues(
      Dequantised(folder, tensors, {{"quant_method", "bitnet"}, {"linear_class", "autobitlinear"}}),
      "up.weight", {8, 8}, multiplied);
  EXPECT_EQ(ErrorOf(tensors).problem,
            "integers stand where a weight should be, packed in an unknown way");
}

}  // namespace
}  // namespace tensorguard::internal
