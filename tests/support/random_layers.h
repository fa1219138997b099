// One layer of a small model in memory, for the tests of mixers and mixtures.
#ifndef TENSORGUARD_TESTS_SUPPORT_RANDOM_LAYERS_H_
#define TENSORGUARD_TESTS_SUPPORT_RANDOM_LAYERS_H_

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "architecture/config_view.h"
#include "network/parts/layer_parts.h"
#include "network/weight.h"
#include "tests/support/random_models.h"

namespace tensorguard::internal {

// Owns what LayerParts point to. `tensors` are those of layer 0.
class TestLayer {
 public:
  TestLayer(const std::map<std::string, TensorValues>& tensors, Json config)
      : model_(ModelOf(tensors, std::move(config))), weights_(SplitWeights(model_).operator*()) {}
  TestLayer(const TestLayer&) = delete;
  TestLayer& operator=(const TestLayer&) = delete;

  LayerParts parts() const {
    std::vector<const Weight*> pointers;
    for (const Weight& weight : weights_) pointers.push_back(&weight);
    return {*model_.weights, std::move(pointers)};
  }
  ConfigView config() const { return ConfigView(model_.config); }

 private:
  Model model_;
  std::vector<Weight> weights_;
};

inline FloatMatrix MatrixOf(const std::vector<std::vector<float>>& rows) {
  FloatMatrix matrix(rows.size(), rows.front().size());
  for (size_t row = 0; row < rows.size(); ++row) {
    std::ranges::copy(rows[row], matrix.Row(row).begin());
  }
  return matrix;
}

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TESTS_SUPPORT_RANDOM_LAYERS_H_
