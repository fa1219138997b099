#include "comparison/alignment/kernel_similarity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "tests/support/toy_fingerprints.h"

namespace tensorguard::internal {
namespace {

using ::testing::ElementsAre;

std::vector<size_t> AllAnchors() {
  std::vector<size_t> anchors(kToyAnchors);
  std::iota(anchors.begin(), anchors.end(), 0);
  return anchors;
}

using Table = std::vector<std::vector<double>>;

double Dot(const Table& a, const Table& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    for (size_t j = 0; j < a[i].size(); ++j) sum += a[i][j] * b[i][j];
  }
  return sum;
}

void Subtract(double factor, const Table& from, Table& table) {
  for (size_t i = 0; i < table.size(); ++i) {
    for (size_t j = 0; j < table.size(); ++j) table[i][j] -= factor * from[i][j];
  }
}

Table PlainCentred(const FloatMatrix& stored, const std::vector<size_t>& anchors) {
  const size_t n = anchors.size();
  Table table(n, std::vector<double>(n));
  std::vector<double> row_mean(n);
  std::vector<double> column_mean(n);
  double mean = 0;
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j < n; ++j) {
      table[i][j] = stored.Row(anchors[i])[anchors[j]];
      row_mean[i] += table[i][j] / static_cast<double>(n);
      column_mean[j] += table[i][j] / static_cast<double>(n);
      mean += table[i][j] / static_cast<double>(n * n);
    }
  }
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j < n; ++j) table[i][j] += mean - row_mean[i] - column_mean[j];
  }
  return table;
}

Table Transposed(const Table& table) {
  Table turned = table;
  for (size_t i = 0; i < table.size(); ++i) {
    for (size_t j = 0; j < table.size(); ++j) turned[i][j] = table[j][i];
  }
  return turned;
}

void ScaleRows(Table& table) {
  for (auto& row : table) {
    double squares = 0;
    for (const double value : row) squares += value * value;
    for (double& value : row) value /= std::sqrt(squares);
  }
}

// Normalises one kernel by plain loops; least squares by repeated projection on the Grams in turn,
// which tends to the projection on all of them.
Table PlainKernel(const Fingerprint& model, const FloatMatrix& stored,
                  const std::vector<size_t>& anchors) {
  const Table cross = PlainCentred(model.cross_gram, anchors);
  const std::array<Table, 4> grams = {PlainCentred(model.input_gram, anchors),
                                      PlainCentred(model.output_gram, anchors), cross,
                                      Transposed(cross)};
  Table kernel = PlainCentred(stored, anchors);
  for (int round = 0; round < 200; ++round) {
    for (const Table& gram : grams) Subtract(Dot(kernel, gram) / Dot(gram, gram), gram, kernel);
  }
  for (int pass = 0; pass < 4; ++pass) {
    ScaleRows(kernel);
    kernel = Transposed(kernel);
  }
  return kernel;
}

// The mean of the others taken out, as NormaliseKernels does for layers that are no copies.
std::vector<Table> PlainQueryKeys(const Fingerprint& model, const std::vector<size_t>& anchors) {
  std::vector<Table> kernels;
  for (const LayerResponse& layer : model.layers) {
    kernels.push_back(PlainKernel(model, layer.query_key, anchors));
  }
  std::vector<Table> own = kernels;
  for (size_t i = 0; i < kernels.size(); ++i) {
    Table others(anchors.size(), std::vector<double>(anchors.size()));
    for (size_t j = 0; j < kernels.size(); ++j) {
      if (j != i) Subtract(-1 / std::sqrt(Dot(kernels[j], kernels[j])), kernels[j], others);
    }
    Subtract(Dot(kernels[i], others) / Dot(others, others), others, own[i]);
  }
  return own;
}

TEST(LayerSimilarity, AgreesWithPlainLoops) {
  const auto a = FingerprintOf(RandomToyModel(1, 3));
  const auto b = FingerprintOf(Noised(RandomToyModel(1, 2), 0.5, 9));
  std::vector<size_t> anchors(30);
  for (size_t i = 0; i < anchors.size(); ++i) anchors[i] = i + i / 2;
  const LayerSimilarity similarity(NormaliseKernels(a, anchors), NormaliseKernels(b, anchors));
  const auto plain_a = PlainQueryKeys(a, anchors);
  const auto plain_b = PlainQueryKeys(b, anchors);
  for (size_t i = 0; i < 3; ++i) {
    for (size_t j = 0; j < 2; ++j) {
      const double expected = Dot(plain_a[i], plain_b[j]) /
                              std::sqrt(Dot(plain_a[i], plain_a[i]) * Dot(plain_b[j], plain_b[j]));
      EXPECT_NEAR(*similarity.Cosine(ResponseKind::kQueryKey, i, j), expected, 1e-5) << i << j;
    }
  }
}

TEST(NormaliseKernels, DoesNotSeeTheBasis) {
  const auto base = RandomToyModel(1);
  const auto a = NormaliseKernels(FingerprintOf(base), AllAnchors());
  const auto b = NormaliseKernels(FingerprintOf(Rotated(base, 2)), AllAnchors());
  const LayerSimilarity similarity(a, b);
  for (size_t layer = 0; layer < 4; ++layer) {
    for (const ResponseKind kind : kResponseKinds) {
      EXPECT_NEAR(*similarity.Cosine(kind, layer, layer), 1, 1e-5);
    }
    EXPECT_LT(*similarity.Mean(layer, (layer + 1) % 4), 0.1);
  }
}

TEST(NormaliseKernels, DoesNotSeeWhatTheTokensMean) {
  // All layers of two separate models also answer E E^T, the meaning of shared embeddings.
  const auto embedding = RandomToyModel(3).embedding;
  ToyModel first = RandomToyModel(1);
  ToyModel second = RandomToyModel(2);
  for (ToyModel* model : {&first, &second}) {
    model->embedding = embedding;
    for (ToyLayer& layer : model->layers) {
      layer.query = layer.key = arma::eye(64, 64) + 0.05 * layer.query;
    }
  }
  const LayerSimilarity similarity(NormaliseKernels(FingerprintOf(first), AllAnchors()),
                                   NormaliseKernels(FingerprintOf(second), AllAnchors()));
  EXPECT_LT(std::abs(*similarity.Cosine(ResponseKind::kQueryKey, 0, 0)), 0.2);
}

TEST(NormaliseKernels, TakesOutWhatAllLayersAnswer) {
  // Each layer: its own part and one that all layers of both models have.
  ToyModel first = RandomToyModel(1, 5);
  ToyModel second = RandomToyModel(2, 5);
  const auto common = RandomToyModel(3, 1);
  for (ToyModel* model : {&first, &second}) {
    model->embedding = common.embedding;
    for (ToyLayer& layer : model->layers) {
      layer.query = 8 * common.layers[0].query + layer.query;
      layer.key = common.layers[0].key;
    }
  }
  const LayerSimilarity similarity(NormaliseKernels(FingerprintOf(first), AllAnchors()),
                                   NormaliseKernels(FingerprintOf(second), AllAnchors()));
  // Nearly copies: they count as copies of each other and keep what they have in common.
  EXPECT_GT(*similarity.Cosine(ResponseKind::kQueryKey, 1, 1), 0.9);
  for (ToyModel* model : {&first, &second}) {
    for (ToyLayer& layer : model->layers) layer.query -= 6.5 * common.layers[0].query;
  }
  const LayerSimilarity freed(NormaliseKernels(FingerprintOf(first), AllAnchors()),
                              NormaliseKernels(FingerprintOf(second), AllAnchors()));
  EXPECT_LT(*freed.Cosine(ResponseKind::kQueryKey, 1, 1), 0.3);
}

TEST(NormaliseKernels, KeepsLayersThatAreCopiesOfEachOther) {
  ToyModel shared = RandomToyModel(1, 1);  // one layer's weights for all, as in ALBERT
  shared.layers.resize(4, shared.layers[0]);
  const auto model = FingerprintOf(shared);
  const auto other = FingerprintOf(Noised(shared, 0.02, 2));
  const LayerSimilarity similarity(NormaliseKernels(model, AllAnchors()),
                                   NormaliseKernels(other, AllAnchors()));
  EXPECT_GT(*similarity.Mean(0, 0), 0.95);
  EXPECT_GT(*similarity.Mean(0, 3), 0.95);
}

TEST(NormaliseKernels, LeavesOutWhatIsNotThere) {
  auto model = FingerprintOf(RandomToyModel(1, 3));
  model.layers[0].query_key = {};
  model.layers[1] = {.index = 1};
  for (float& value : model.layers[2].feed_forward.values()) value = 0;
  const auto layers = NormaliseKernels(model, AllAnchors());
  ASSERT_EQ(layers.size(), 2u);
  EXPECT_EQ(layers[1].layer, 2u);
  const LayerSimilarity similarity(layers, layers);
  EXPECT_THAT(similarity.layer_of_row(), ElementsAre(0u, 2u));
  EXPECT_EQ(similarity.Cosine(ResponseKind::kQueryKey, 0, 1), std::nullopt);
  EXPECT_EQ(similarity.Cosine(ResponseKind::kFeedForward, 0, 1), std::nullopt);
  EXPECT_NEAR(*similarity.Mean(0, 0), 1, 1e-9);
}

}  // namespace
}  // namespace tensorguard::internal
