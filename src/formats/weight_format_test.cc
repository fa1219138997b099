#include "formats/weight_format.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

namespace tensorguard::internal {
namespace {

TEST(WeightFormat, KnowsOtherFormatsByName) {
  EXPECT_EQ(OtherWeightFormatOfName("flax_model.msgpack"), "Flax");
  EXPECT_EQ(OtherWeightFormatOfName("tf_model.h5"), "Keras HDF5");
}

TEST(WeightFormat, KnowsWhoseSuffixItIs) {
  for (const char* name : {"pytorch_model.bin", "consolidated.00.pth", "a/last.ckpt", "model.pt"}) {
    ASSERT_NE(FormatOfWeightName(name), nullptr) << name;
    EXPECT_EQ(FormatOfWeightName(name)->format, kTorchFormat);
    EXPECT_TRUE(IsWeightName(*FormatOfWeightName(name), "pytorch_model.bin"));
  }
  EXPECT_EQ(FormatOfWeightName("weights.npz")->format, kNumpyFormat);
  EXPECT_EQ(FormatOfWeightName("config.json"), nullptr);
}

TEST(WeightFormat, StateOfATrainingIsNoModel) {
  for (const char* name : {"training_args.bin", "optimizer.pt", "optimizer_1.bin", "scheduler.pt",
                           "rng_state_0.pth", "scaler.pt"}) {
    EXPECT_FALSE(IsWeightName(*FormatOfWeightName(name), name)) << name;
  }
}

TEST(WeightFormat, SafetensorsAndSettingsAreNoOtherWeights) {
  for (const char* name : {"model.safetensors", "model-q4_k_m.gguf", "config.json",
                           "training_args.bin", "optimizer.pt", "tokenizer.model", "bin", ""}) {
    EXPECT_FALSE(OtherWeightFormatOfName(name)) << name;
  }
}

TEST(WeightFormat, KnowsOtherFormatsByTheirFirstBytes) {
  EXPECT_EQ(OtherWeightFormatOfBytes("\x89HDF\r\n\x1a\n"), "HDF5");
  EXPECT_FALSE(OtherWeightFormatOfBytes(""));
}

TEST(WeightFormat, NoLengthOfASafetensorsHeaderIsTakenForAnotherFormat) {
  for (uint64_t length = 0; length <= 100'000'000; length += length < 70'000 ? 1 : 997) {
    std::string start(8, '\0');
    for (unsigned i = 0; i < 8; ++i) start[i] = static_cast<char>(length >> (8 * i) & 0xFF);
    ASSERT_FALSE(OtherWeightFormatOfBytes(start)) << length;
  }
}

}  // namespace
}  // namespace tensorguard::internal
