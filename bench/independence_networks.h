// Random networks for the calibration of the deep test: independent, and as alike as independent
// trainings make them.
#ifndef TENSORGUARD_BENCH_INDEPENDENCE_NETWORKS_H_
#define TENSORGUARD_BENCH_INDEPENDENCE_NETWORKS_H_

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "network/network.h"
#include "tests/support/memory_weights.h"

namespace tensorguard::internal {

inline constexpr uint64_t kRandomVocabulary = 300;

struct RandomShape {
  uint64_t layers = 0;
  uint64_t hidden = 0;
  uint64_t units = 0;
  bool gated = false;
};

RandomShape DrawShape(uint64_t seed);

// What makes it hard to tell that two networks are independent.
enum class Likeness {
  kTrained,       // token meanings, and one unit in fifty that reads and writes the same in both
  kManyFeatures,  // one unit in twelve
  kOneBasis,      // the same embeddings, and features of one unit in fifty in the same coordinates
  kSorted,        // units in the order of their lengths, with which the share of a mean row drifts
  kOutliers,      // three coordinates of both, thirty times the others
  kTies,          // weights of three values, and one unit in four the copy of its neighbour
};
struct LikenessName {
  Likeness likeness;
  const char* name;
};
inline constexpr std::array kLikenesses = {
    LikenessName{Likeness::kTrained, "meanings and features in common"},
    LikenessName{Likeness::kManyFeatures, "more features in common"},
    LikenessName{Likeness::kOneBasis, "the same embeddings"},
    LikenessName{Likeness::kSorted, "units sorted by length"},
    LikenessName{Likeness::kOutliers, "the same outlier coordinates"},
    LikenessName{Likeness::kTies, "three values, units twice"}};

// Draws the weights of one random network. What independent networks have in common is drawn from
// the same seed for all: the topics of the tokens, and features of these topics that some hidden
// units grow in each of them.
class NetworkMaker {
 public:
  NetworkMaker(const RandomShape& shape, uint64_t seed, Likeness likeness = Likeness::kTrained);

  using Tensors = std::map<std::string, TensorValues>;

  std::shared_ptr<const Network> Make();

  // What Make makes of a gated shape, and how it is built.
  Tensors MakeTensors() { return LlamaTensors(); }
  std::shared_ptr<const Network> BuildGated(const Tensors& tensors) const {
    return Build(tensors, "llama");
  }

 private:
  std::vector<float> Normal(uint64_t count);
  TensorValues Matrix(uint64_t rows, uint64_t columns);
  TensorValues Vector(uint64_t width, float mean);
  std::vector<float> InOwnBasis(uint64_t shared_seed) const;
  TensorValues Embedding(uint64_t table);
  TensorValues UnitRows(const std::vector<uint32_t>& feature_of_unit, uint64_t part,
                        const std::vector<float>& lengths);
  std::vector<uint32_t> FeatureOrder();
  std::vector<float> UnitLengths();
  Tensors LlamaTensors();
  Tensors Gpt2Tensors();
  std::shared_ptr<const Network> Build(const Tensors& tensors, const std::string& type) const;

  RandomShape shape_;
  Likeness likeness_;
  std::mt19937_64 generator_;
  std::vector<float> topic_map_;  // topics x hidden
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_BENCH_INDEPENDENCE_NETWORKS_H_
