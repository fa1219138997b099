// GPTQ, AWQ, compressed-tensors and MLX: codes with scales and zero points.
#include <gtest/gtest.h>

#include "tests/support/quantised_builder.h"
#include "tests/support/quantised_models.h"

namespace tensorguard::internal {
namespace {

const Json kGptq = {{"quant_method", "gptq"}, {"sym", false}};

class GptqBits : public ::testing::TestWithParam<unsigned> {};

TEST_P(GptqBits, AreReadWithGroupsInAnyOrder) {
  for (const bool act_order : {false, true}) {
    for (const bool version2 : {false, true}) {
      const auto matrix = MakeQuantisedMatrix(96, 160, GetParam(), 32, 5, act_order);
      Json settings = kGptq;
      settings["bits"] = GetParam();
      settings["group_size"] = 32;
      settings["checkpoint_format"] = version2 ? "gptq_v2" : "gptq";
      const ScratchFolder folder;
      const auto weights = Dequantised(folder, GptqTensors("up", matrix, version2), settings);
      ExpectValues(weights, "up.weight", {96, 160}, ShiftedValues(matrix));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, GptqBits, ::testing::Values(2u, 3u, 4u, 8u));

TEST(Gptq, IsReadWithoutConfigAndWithoutGroupIndexes) {
  const auto matrix = MakeQuantisedMatrix(32, 128, 4, 64, 6);
  const ScratchFolder folder;
  const auto weights = Dequantised(folder, GptqTensors("up", matrix, false, false));
  ExpectValues(weights, "up.weight", {32, 128}, ShiftedValues(matrix));
  EXPECT_EQ((*weights)->tensors()[0].quantisation, "GPTQ 4 bit, groups of 64");
  EXPECT_EQ((*weights)->tensors()[0].dtype, DType::kF16);
  EXPECT_EQ((*weights)->tensors()[0].stored_bytes, 32u * 128 / 2 + 2 * 32 / 2 + 2 * 32 * 2);
}

TEST(Gptq, TakesIndexesOfZerosAloneForGroupsInOrder) {
  const auto matrix = MakeQuantisedMatrix(32, 64, 4, 32, 6);
  auto tensors = GptqTensors("up", matrix, false);
  Named(tensors, "up.g_idx").data.assign(64 * 4, '\0');
  const ScratchFolder folder;
  ExpectValues(Dequantised(folder, tensors), "up.weight", {32, 64}, ShiftedValues(matrix));
}

TEST(Gptq, RefusesAGroupThatDoesNotExist) {
  const auto matrix = MakeQuantisedMatrix(32, 64, 4, 32, 6);
  auto tensors = GptqTensors("up", matrix, false);
  Named(tensors, "up.g_idx").data[8] = 2;
  const ScratchFolder folder;
  const auto weights = Dequantised(folder, tensors);
  ASSERT_TRUE(weights);
  std::vector<float> values(32 * 64);
  const auto read = (*weights)->ReadFloat32(0, 0, values);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().problem, "column belongs to a group that does not exist");
  EXPECT_EQ(read.error().found, "group 2 of column 2");
}

// Symmetric codes have their zero point in the middle, whatever is not stated.
TEST(Gptq, TellsTheVersionOfSymmetricCodesFromTheirZeroPoints) {
  auto matrix = MakeQuantisedMatrix(32, 64, 4, 32, 6);
  std::fill(matrix.zeros.begin(), matrix.zeros.end(), 8);
  for (const bool version2 : {false, true}) {
    const ScratchFolder folder;
    const auto weights = Dequantised(folder, GptqTensors("up", matrix, version2),
                                     {{"quant_method", "gptq"}, {"sym", true}});
    ExpectValues(weights, "up.weight", {32, 64}, ShiftedValues(matrix));
  }
  const Error error =
      ErrorOf(GptqTensors("up", matrix, true),
              {{"quant_method", "gptq"}, {"sym", true}, {"checkpoint_format", "gptq"}});
  EXPECT_EQ(error.problem, "zero points are not those of symmetric codes");
}

TEST(Gptq, LeavesOutBiasesOfZeros) {
  const auto matrix = MakeQuantisedMatrix(32, 64, 4, 32, 6);
  std::vector<BuiltTensor> tensors;
  for (const std::string module : {"h.0.q", "h.1.q", "h.0.up", "h.1.up"}) {
    tensors = Joined(tensors, GptqTensors(module, matrix, false));
    std::vector<float> bias(32);
    if (module == "h.1.q") bias[3] = 1;
    tensors.push_back({module + ".bias", "F16", {32}, HalfBytes(bias)});
  }
  const ScratchFolder folder;
  const auto weights = Dequantised(folder, tensors);
  ASSERT_TRUE(weights);
  EXPECT_EQ(NamesOf(**weights),
            std::vector<std::string>({"h.0.q.bias", "h.0.q.weight", "h.0.up.weight", "h.1.q.bias",
                                      "h.1.q.weight", "h.1.up.weight"}));
}

TEST(Gptq, RefusesContradictions) {
  const auto matrix = MakeQuantisedMatrix(32, 64, 4, 32, 6);
  const auto tensors = GptqTensors("up", matrix, false);
  const char* disagree = "config and tensors disagree about the quantisation";
  EXPECT_EQ(ErrorOf(tensors, {{"quant_method", "gptq"}, {"bits", 8}}).problem, disagree);
  EXPECT_EQ(ErrorOf(tensors, {{"quant_method", "gptq"}, {"group_size", 128}}).problem, disagree);
  EXPECT_EQ(ErrorOf(tensors, {{"quant_method", "awq"}, {"version", "gemm"}}).problem, disagree);
  EXPECT_EQ(ErrorOf(Without(tensors, "up.scales")).expected, "up.scales");
  EXPECT_EQ(ErrorOf(Without(tensors, "up.qzeros"), {{"bits", 4}, {"quant_method", "gptq"}}).found,
            "no zero points");
  auto changed = tensors;
  Named(changed, "up.scales").dtype = "I16";
  EXPECT_EQ(ErrorOf(changed).problem, "a quantised weight's tensor has another type");
  changed = tensors;
  Named(changed, "up.g_idx") = {"up.g_idx", "I32", {63}, std::string(63 * 4, '\0')};
  EXPECT_EQ(ErrorOf(changed).problem, "there is not one group for each input");
  changed = tensors;
  Named(changed, "up.qzeros") = {"up.qzeros", "I32", {2, 3}, std::string(24, '\0')};
  EXPECT_EQ(ErrorOf(changed).problem,
            "shapes of codes, zero points and scales do not fit each other");
  EXPECT_EQ(ErrorOf(Joined(tensors, {F32Tensor("up.weight", {1}, {1})})).problem,
            "weight is stored twice, quantised and as it is");
  EXPECT_EQ(ErrorOf(Joined(tensors, {F32Tensor("up.channel_factors", {1}, {1})})).problem,
            "quantised layer has a tensor whose meaning is not known");
}

TEST(Awq, IsReadInTheOrderOfItsKernel) {
  const auto matrix = MakeQuantisedMatrix(96, 256, 4, 64, 8);
  for (const Json& settings :
       {Json(), Json{{"quant_method", "awq"}, {"bits", 4}, {"group_size", 64}},
        Json{{"quant_method", "auto-round"}, {"packing_format", "auto_round:auto_awq"}}}) {
    const ScratchFolder folder;
    ExpectValues(Dequantised(folder, AwqTensors("up", matrix), settings), "up.weight", {96, 256},
                 ShiftedValues(matrix));
  }
  EXPECT_EQ(ErrorOf(AwqTensors("up", matrix), {{"quant_method", "gptq"}}).problem,
            "config and tensors disagree about the quantisation");
  EXPECT_EQ(ErrorOf(AwqTensors("up", matrix), {{"quant_method", "awq"}, {"version", "gemv_fast"}})
                .problem,
            "AWQ weights packed for this kernel are not read");
}

// [outputs, inputs / 8] and padded groups: 3 of which there is room for 8.
TEST(Awq, IsReadAsGemvPacksIt) {
  const auto matrix = MakeQuantisedMatrix(16, 96, 4, 32, 8);
  const auto mlx = MlxTensors("up", matrix, matrix.scales);
  std::vector<uint32_t> zeros(16);
  std::vector<float> scales(16 * 8);
  for (size_t r = 0; r < 16; ++r) {
    for (size_t g = 0; g < 3; ++g) {
      zeros[r] |= matrix.zeros[r * 3 + g] << (4 * g);
      scales[r * 8 + g] = matrix.scales[r * 3 + g];
    }
  }
  const std::vector<BuiltTensor> tensors = {{"up.qweight", "I32", {16, 12}, mlx[0].data},
                                            {"up.qzeros", "I32", {16, 1}, BytesOf(zeros)},
                                            {"up.scales", "F16", {16, 8}, HalfBytes(scales)}};
  const ScratchFolder folder;
  ExpectValues(Dequantised(folder, tensors,
                           {{"quant_method", "awq"}, {"version", "gemv"}, {"group_size", 32}}),
               "up.weight", {16, 96}, ShiftedValues(matrix));
}

class CompressedBits : public ::testing::TestWithParam<unsigned> {};

TEST_P(CompressedBits, AreReadSymmetricAsymmetricAndReordered) {
  // Rows that do not fill their last word.
  auto matrix = MakeQuantisedMatrix(20, 70, GetParam(), 10, 9, true);
  const Json settings = {{"config_groups", {{"g", {{"weights", {{"num_bits", GetParam()}}}}}}}};
  {
    const ScratchFolder folder;
    ExpectValues(Dequantised(folder, CompressedTensors("up", matrix, true, true), settings),
                 "up.weight", {20, 70}, ShiftedValues(matrix));
  }
  matrix = MakeQuantisedMatrix(20, 70, GetParam(), 10, 9);
  std::fill(matrix.zeros.begin(), matrix.zeros.end(), 1u << (GetParam() - 1));
  const ScratchFolder folder;
  const auto weights = Dequantised(folder, CompressedTensors("up", matrix, false), settings);
  ExpectValues(weights, "up.weight", {20, 70}, ShiftedValues(matrix));
  EXPECT_EQ((*weights)->tensors().size(), 1u);
}

INSTANTIATE_TEST_SUITE_P(All, CompressedBits, ::testing::Values(2u, 3u, 4u, 5u, 6u, 8u));

TEST(CompressedTensorsFormat, RefusesContradictions) {
  const auto matrix = MakeQuantisedMatrix(20, 64, 4, 32, 9);
  const auto tensors = CompressedTensors("up", matrix, true);
  const Json eight = {{"config_groups", {{"g", {{"weights", {{"num_bits", 8}}}}}}}};
  EXPECT_EQ(ErrorOf(tensors, eight).problem, "packed codes do not fit the weight's shape");
  EXPECT_EQ(ErrorOf(Without(tensors, "up.weight_shape")).expected, "up.weight_shape");
  auto changed = tensors;
  Named(changed, "up.weight_shape").data = BytesOf<uint64_t>({20, ~uint64_t{0}});
  EXPECT_EQ(ErrorOf(changed).problem, "tensor holds a negative size");
  Named(changed, "up.weight_shape").data = BytesOf<uint64_t>({20, uint64_t{1} << 62});
  EXPECT_EQ(ErrorOf(changed).problem, "packed codes do not fit the weight's shape");
  changed = tensors;
  Named(changed, "up.weight_zero_point").shape = {1, 6};
  EXPECT_EQ(ErrorOf(changed).problem, "zero points do not fit the scales");
}

class MlxBits : public ::testing::TestWithParam<unsigned> {};

TEST_P(MlxBits, AreReadWithConfigAndWithout) {
  const auto matrix = MakeQuantisedMatrix(64, 192, GetParam(), 64, 10);
  std::vector<float> biases;
  for (const float scale : matrix.scales) biases.push_back(-3 * scale);
  std::vector<float> expected;
  for (uint64_t r = 0; r < 64; ++r) {
    for (uint64_t c = 0; c < 192; ++c) {
      const float value =
          static_cast<float>(matrix.Code(r, c)) * matrix.Scale(r, c) + biases[r * 3 + c / 64];
      expected.push_back(static_cast<float>(static_cast<_Float16>(value)));
    }
  }
  const auto norm = F32Tensor("norm.weight", {192}, std::vector<float>(192, 1));
  const auto tensors = Joined(MlxTensors("up", matrix, biases), {norm});
  for (const Json& settings :
       {Json(), Json{{"group_size", 64}, {"bits", GetParam()}},
        Json{
            {"group_size", 32}, {"bits", 2}, {"up", {{"group_size", 64}, {"bits", GetParam()}}}}}) {
    const ScratchFolder folder;
    ExpectValues(Dequantised(folder, tensors, settings), "up.weight", {64, 192}, expected);
  }
  EXPECT_EQ(ErrorOf(tensors, {{"group_size", 32}, {"bits", 2}}).problem,
            "config and tensors disagree about the quantisation");
  EXPECT_EQ(ErrorOf(MlxTensors("up", matrix, biases)).problem,
            "bits and groups cannot be told from the shapes");
}

INSTANTIATE_TEST_SUITE_P(All, MlxBits, ::testing::Values(2u, 3u, 4u, 5u, 6u, 8u));

}  // namespace
}  // namespace tensorguard::internal
