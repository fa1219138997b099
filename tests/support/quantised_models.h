// Opens made-up quantised weights, for the tests of this stage.
#ifndef TENSORGUARD_TESTS_SUPPORT_QUANTISED_MODELS_H_
#define TENSORGUARD_TESTS_SUPPORT_QUANTISED_MODELS_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/safetensors_builder.h"
#include "tests/support/scratch_folder.h"
#include "weights/files/stored_weights.h"
#include "weights/quantised/quantised_weights.h"

namespace tensorguard::internal {

using DequantisedWeights = Result<std::shared_ptr<const WeightSource>>;

// `tensors` in a file of `folder`, dequantised as `settings` (what config.json says) wants it.
inline DequantisedWeights Dequantised(const ScratchFolder& folder,
                                      const std::vector<BuiltTensor>& tensors,
                                      const Json& settings = Json()) {
  auto stored = OpenStoredWeights(folder.Write("model.safetensors", BuildSafetensors(tensors)));
  if (!stored) return std::move(stored).error();
  const Json config = settings.is_null() ? Json::object() : Json{{"quantization_config", settings}};
  const auto quantisation = ReadQuantisationConfig(config, folder.path());
  if (!quantisation) return quantisation.error();
  return DequantiseWeights(*std::move(stored), *quantisation);
}

// The error that opening them gives; empty, and the test fails, if they are read.
inline Error ErrorOf(const std::vector<BuiltTensor>& tensors, const Json& settings = Json()) {
  const ScratchFolder folder;
  auto weights = Dequantised(folder, tensors, settings);
  EXPECT_FALSE(weights);
  return weights ? Error{.problem = ""} : std::move(weights).error();
}

inline std::vector<std::string> NamesOf(const WeightSource& weights) {
  std::vector<std::string> names;
  for (const TensorInfo& tensor : weights.tensors()) names.push_back(tensor.name);
  return names;
}

// Holds tensor `name` against `expected`, bit for bit: whole, and in pieces from anywhere.
inline void ExpectValues(const DequantisedWeights& weights, const std::string& name,
                         const std::vector<uint64_t>& shape, const std::vector<float>& expected) {
  ASSERT_TRUE(weights) << DescribeError(weights.error());
  const auto& tensors = (*weights)->tensors();
  const auto found = std::find_if(tensors.begin(), tensors.end(),
                                  [&](const TensorInfo& tensor) { return tensor.name == name; });
  ASSERT_NE(found, tensors.end()) << name;
  const auto index = static_cast<size_t>(found - tensors.begin());
  EXPECT_EQ(found->shape, shape);
  ASSERT_EQ(found->element_count, expected.size());
  std::vector<float> values(expected.size());
  auto read = (*weights)->ReadFloat32(index, 0, values);
  ASSERT_TRUE(read) << DescribeError(read.error());
  EXPECT_EQ(values, expected);
  std::mt19937_64 random(7);
  for (int i = 0; i < 40; ++i) {
    const size_t first = random() % expected.size();
    std::vector<float> piece(1 + random() % (expected.size() - first));
    ASSERT_TRUE((*weights)->ReadFloat32(index, first, piece));
    const auto begin = expected.begin() + static_cast<ptrdiff_t>(first);
    ASSERT_TRUE(std::equal(piece.begin(), piece.end(), begin)) << first << " " << piece.size();
  }
}

inline std::vector<BuiltTensor> Joined(std::vector<BuiltTensor> tensors,
                                       const std::vector<BuiltTensor>& more) {
  tensors.insert(tensors.end(), more.begin(), more.end());
  return tensors;
}

// Without the tensor `name`.
inline std::vector<BuiltTensor> Without(std::vector<BuiltTensor> tensors, const std::string& name) {
  std::erase_if(tensors, [&](const BuiltTensor& tensor) { return tensor.name == name; });
  return tensors;
}

inline BuiltTensor& Named(std::vector<BuiltTensor>& tensors, const std::string& name) {
  return *std::find_if(tensors.begin(), tensors.end(),
                       [&](const BuiltTensor& tensor) { return tensor.name == name; });
}

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TESTS_SUPPORT_QUANTISED_MODELS_H_
