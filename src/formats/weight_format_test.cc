#include "formats/weight_format.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

namespace tensorguard {
namespace {

TEST(WeightFormat, KnowsOtherFormatsByName) {
  EXPECT_EQ(OtherWeightFormatOfName("pytorch_model.bin"), "PyTorch");
  EXPECT_EQ(OtherWeightFormatOfName("weights.npz"), "NumPy");
  EXPECT_EQ(OtherWeightFormatOfName("consolidated.00.pth"), "PyTorch");
  EXPECT_EQ(OtherWeightFormatOfName("tf_model.h5"), "Keras HDF5");
}

TEST(WeightFormat, SafetensorsAndSettingsAreNoOtherWeights) {
  for (const char* name : {"model.safetensors", "model-q4_k_m.gguf", "config.json",
                           "training_args.bin", "optimizer.pt", "tokenizer.model", "bin", ""}) {
    EXPECT_FALSE(OtherWeightFormatOfName(name)) << name;
  }
}

TEST(WeightFormat, KnowsOtherFormatsByTheirFirstBytes) {
  using namespace std::string_view_literals;
  EXPECT_EQ(OtherWeightFormatOfBytes("PK\x03\x04\0\0\x08\x08"sv),
            "a zip file, as PyTorch and NumPy write");
  EXPECT_EQ(OtherWeightFormatOfBytes("\x93NUMPY\x01\0"sv), "NumPy");
  EXPECT_EQ(OtherWeightFormatOfBytes("\x80\x02\x8A\x0A\x6C\xFC\x9C\x46"sv),
            "PyTorch, in its form before 2020");
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
}  // namespace tensorguard
