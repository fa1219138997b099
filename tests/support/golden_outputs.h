// What a model's own library computed, and how far from it something lies; for tests.
#ifndef TENSORGUARD_TESTS_SUPPORT_GOLDEN_OUTPUTS_H_
#define TENSORGUARD_TESTS_SUPPORT_GOLDEN_OUTPUTS_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "weights/files/stored_weights.h"

namespace tensorguard::internal {

struct Golden {
  std::vector<uint32_t> input_ids;
  std::vector<uint32_t> decoder_ids;
  std::vector<std::vector<float>> hidden;
  std::vector<float> logits;
};

inline std::vector<float> ReadTensor(const WeightSource& source, size_t index) {
  std::vector<float> values(source.tensors()[index].element_count);
  EXPECT_TRUE(source.ReadFloat32(index, 0, values));
  return values;
}

inline Golden ReadGolden(const std::filesystem::path& file) {
  Golden golden;
  const auto source = OpenStoredWeights(file);
  EXPECT_TRUE(source) << DescribeError(source.error());
  if (!source) return golden;
  golden.hidden.resize(64);
  size_t count = 0;
  for (size_t i = 0; i < (*source)->tensors().size(); ++i) {
    const std::string& name = (*source)->tensors()[i].name;
    const std::vector<float> values = ReadTensor(**source, i);
    if (name == "input_ids") golden.input_ids.assign(values.begin(), values.end());
    if (name == "decoder_input_ids") golden.decoder_ids.assign(values.begin(), values.end());
    if (name == "logits") golden.logits = values;
    if (!name.starts_with("hidden.")) continue;
    golden.hidden.at(std::stoul(name.substr(7))) = values;
    ++count;
  }
  golden.hidden.resize(count);
  return golden;
}

// The largest difference, relative to the largest expected magnitude.
inline double Difference(std::span<const float> found, const std::vector<float>& expected) {
  EXPECT_EQ(found.size(), expected.size());
  if (found.size() != expected.size()) return 1;
  double largest = 0;
  double difference = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    largest = std::max<double>(largest, std::abs(expected[i]));
    difference = std::max<double>(difference, std::abs(found[i] - expected[i]));
    if (!std::isfinite(found[i])) return HUGE_VAL;
  }
  return difference / largest;
}

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TESTS_SUPPORT_GOLDEN_OUTPUTS_H_
