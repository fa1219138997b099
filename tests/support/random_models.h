// Small models in memory for the tests of this stage.
#ifndef TENSORGUARD_TESTS_SUPPORT_RANDOM_MODELS_H_
#define TENSORGUARD_TESTS_SUPPORT_RANDOM_MODELS_H_

#include <map>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "architecture/architecture.h"
#include "model/model.h"
#include "tests/support/memory_weights.h"

namespace tensorguard::internal {

// Every element's value is its index: what is read tells where it was stored.
inline TensorValues Counted(std::vector<uint64_t> shape) {
  TensorValues tensor = {.shape = std::move(shape), .values = {}};
  tensor.values.resize(ElementCount(tensor.shape).value());
  std::iota(tensor.values.begin(), tensor.values.end(), 0.0f);
  return tensor;
}

inline Model ModelOf(const std::map<std::string, TensorValues>& tensors, Json config = {}) {
  Model model;
  model.name = "test";
  model.weights = std::make_shared<MemoryWeights>(WeightsOf(tensors));
  model.architecture = Understand(config, model.weights->tensors());
  model.config = std::move(config);
  return model;
}

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TESTS_SUPPORT_RANDOM_MODELS_H_
