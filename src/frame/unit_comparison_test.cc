#include "frame/unit_comparison.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace tensorguard::internal {
namespace {

constexpr size_t kAxes = 12;
constexpr size_t kUnits = 60;

struct Side {
  arma::mat gates, ups, downs;
};

struct Layer {
  Side units;
  std::vector<arma::mat> forms;
};

class Drawing {
 public:
  explicit Drawing(uint32_t seed) : generator_(seed) {}

  arma::mat Normals(size_t rows, size_t columns) {
    arma::mat values(rows, columns);
    values.imbue([&] { return normal_(generator_); });
    return values;
  }
  arma::mat Rotation(double size) {
    arma::mat q;
    arma::mat r;
    arma::qr(q, r, arma::mat(arma::eye(kAxes, kAxes) + size * Normals(kAxes, kAxes)));
    return q * arma::diagmat(arma::sign(r.diag()));
  }

 private:
  std::mt19937 generator_;
  std::normal_distribution<double> normal_;
};

// Forms follow from the units and from four heads' worth of random numbers.
Layer RandomLayer(Drawing& draw) {
  Layer layer;
  layer.units = {draw.Normals(kUnits, kAxes), draw.Normals(kUnits, kAxes),
                 draw.Normals(kUnits, kAxes)};
  for (int kind = 0; kind < 2; ++kind) layer.forms.push_back(draw.Normals(kAxes, kAxes));
  return layer;
}

FloatMatrix Rows(const arma::mat& rows, bool each) {
  FloatMatrix matrix(rows.n_rows, rows.n_cols);
  const double all = std::sqrt(arma::accu(rows % rows));
  for (size_t i = 0; i < rows.n_rows; ++i) {
    const double norm = each ? arma::norm(rows.row(i)) : all;
    for (size_t j = 0; j < rows.n_cols; ++j) {
      matrix.Row(i)[j] = static_cast<float>(rows(i, j) / norm);
    }
  }
  return matrix;
}

FrameForms Written(const std::vector<Layer>& layers, const arma::mat& map, bool gated = true) {
  FrameForms forms = {.axes = kAxes, .layers = {}, .unit_axes = kAxes};
  for (const Layer& layer : layers) {
    const Side& units = layer.units;
    LayerForms written = {.index = static_cast<uint32_t>(forms.layers.size())};
    const auto turned = [&](const arma::mat& form) { return Rows(map * form * map.t(), false); };
    written.forms = {turned(layer.forms[0]), turned(layer.forms[1]),
                     turned(units.downs.t() * units.ups), turned(units.gates.t() * units.gates)};
    written.units = {.gates = gated ? Rows(units.gates * map.t(), true) : FloatMatrix(),
                     .ups = Rows(units.ups * map.t(), true),
                     .downs = Rows(units.downs * map.t(), true)};
    forms.layers.push_back(std::move(written));
  }
  return forms;
}

// Another order, other signs of up and down, and a change of every number.
Layer Trained(const Layer& layer, double change, Drawing& draw) {
  const arma::uvec order = arma::sort_index(draw.Normals(kUnits, 1));
  const arma::vec signs = arma::sign(draw.Normals(kUnits, 1));
  const auto moved = [&](const arma::mat& rows) {
    return arma::mat(rows.rows(order) + change * draw.Normals(kUnits, kAxes));
  };
  Layer trained = {
      .units = {moved(layer.units.gates), moved(layer.units.ups), moved(layer.units.downs)},
      .forms = layer.forms};
  trained.units.ups.each_col() %= signs;
  trained.units.downs.each_col() %= signs;
  for (arma::mat& form : trained.forms) form += change * draw.Normals(kAxes, kAxes);
  return trained;
}

std::vector<Layer> RandomLayers(size_t count, Drawing& draw) {
  std::vector<Layer> layers;
  for (size_t i = 0; i < count; ++i) layers.push_back(RandomLayer(draw));
  return layers;
}

UnitComparison Compared(const FrameForms& a, const FrameForms& b) {
  const auto found = CompareFrames(a, b);
  EXPECT_TRUE(found && found->units);
  return found && found->units ? *found->units : UnitComparison{};
}

TEST(UnitAgreement, IsOneOfTheSameUnitsAndNoneOfOthers) {
  Drawing draw(1);
  const auto layers = RandomLayers(2, draw);
  const arma::mat as_is = arma::eye(kAxes, kAxes);
  const FrameForms forms = Written(layers, as_is);
  EXPECT_NEAR(*UnitAgreement(forms.layers[0].units, forms.layers[0].units, as_is), 1, 1e-5);
  EXPECT_LT(std::abs(*UnitAgreement(forms.layers[0].units, forms.layers[1].units, as_is)), 0.1);
}

TEST(UnitAgreement, NeedsUnitsOfOneKindAndEnoughOfThem) {
  Drawing draw(2);
  const auto layers = RandomLayers(1, draw);
  const arma::mat as_is = arma::eye(kAxes, kAxes);
  const FrameUnits gated = Written(layers, as_is).layers[0].units;
  const FrameUnits plain = Written(layers, as_is, false).layers[0].units;
  EXPECT_FALSE(UnitAgreement(gated, plain, as_is));
  EXPECT_FALSE(UnitAgreement(gated, {}, as_is));
  EXPECT_NEAR(*UnitAgreement(plain, plain, as_is), 1, 1e-5);
}

TEST(CompareUnits, FindsTrainedUnitsInAnotherBasis) {
  for (const size_t depth : {2, 3, 8}) {
    Drawing draw(3);
    const auto layers = RandomLayers(depth, draw);
    std::vector<Layer> copy;
    for (const Layer& layer : layers) copy.push_back(Trained(layer, 0.3, draw));
    const auto found =
        Compared(Written(layers, arma::eye(kAxes, kAxes)), Written(copy, draw.Rotation(0.05)));
    EXPECT_GT(found.score, 0.6) << depth;
    EXPECT_GT(found.best, 0.6) << depth;
    ASSERT_EQ(found.of_a.size(), depth);
    for (const FrameMatch& match : found.of_a) EXPECT_EQ(match.layer_a, match.layer_b);
  }
}

// Forms of one layer do not fit a map; tokens do.
TEST(CompareUnits, FindsOneLayerByTokens) {
  Drawing draw(7);
  const auto layers = RandomLayers(1, draw);
  const std::vector<Layer> copy = {Trained(layers[0], 0.3, draw)};
  const arma::mat map = draw.Rotation(3);
  FrameForms a = Written(layers, arma::eye(kAxes, kAxes));
  FrameForms b = Written(copy, map);
  const arma::mat tokens = draw.Normals(40, kAxes);
  a.token_inputs = Rows(tokens, true);
  b.token_inputs = Rows((tokens + 0.2 * draw.Normals(40, kAxes)) * map.t(), true);
  CommonTokens common;
  for (size_t i = 0; i < 40; ++i) {
    common.in_a.push_back(i);
    common.in_b.push_back(i);
  }
  const auto found = CompareFrames(a, b, common);
  ASSERT_TRUE(found && found->units);
  EXPECT_GT(found->units->score, 0.6);
}

TEST(CompareUnits, FindsTheLayersThatWereNotMadeAnew) {
  Drawing draw(4);
  const auto layers = RandomLayers(4, draw);
  std::vector<Layer> copy;
  for (size_t i = 0; i < layers.size(); ++i) {
    copy.push_back(i % 2 == 1 ? RandomLayer(draw) : Trained(layers[i], 0.3, draw));
  }
  const auto found =
      Compared(Written(layers, arma::eye(kAxes, kAxes)), Written(copy, draw.Rotation(0.05)));
  ASSERT_EQ(found.of_a.size(), 4u);
  for (const FrameMatch& match : found.of_a) {
    EXPECT_EQ(match.cosine > 0.5, match.layer_a % 2 == 0) << match.cosine;
  }
}

TEST(CompareUnits, FindsLayersInAnotherOrder) {
  Drawing draw(5);
  const auto layers = RandomLayers(6, draw);
  std::vector<Layer> copy;
  for (const Layer& layer : layers) copy.push_back(Trained(layer, 0.1, draw));
  std::reverse(copy.begin(), copy.end());
  copy.erase(copy.begin() + 2);
  const auto found =
      Compared(Written(layers, arma::eye(kAxes, kAxes)), Written(copy, draw.Rotation(0.02)));
  EXPECT_GT(found.score, 0.6);
}

TEST(CompareUnits, HoldsStrangersApart) {
  double most = 0;
  for (uint32_t seed = 10; seed < 40; ++seed) {
    Drawing draw(seed);
    const auto one = RandomLayers(1 + seed % 6, draw);
    const auto other = RandomLayers(1 + seed % 5, draw);
    most = std::max(most, Compared(Written(one, arma::eye(kAxes, kAxes)),
                                   Written(other, arma::eye(kAxes, kAxes)))
                              .best);
  }
  EXPECT_LT(most, 0.12);
}

TEST(CompareUnits, SaysTheSameBothWaysRound) {
  Drawing draw(6);
  const auto layers = RandomLayers(3, draw);
  std::vector<Layer> copy;
  for (const Layer& layer : layers) copy.push_back(Trained(layer, 0.2, draw));
  copy.push_back(RandomLayer(draw));
  const FrameForms a = Written(layers, arma::eye(kAxes, kAxes));
  const FrameForms b = Written(copy, draw.Rotation(0.05));
  const auto there = Compared(a, b);
  const auto back = Compared(b, a);
  EXPECT_EQ(there.score, back.score);
  EXPECT_EQ(there.best, back.best);
  EXPECT_EQ(there.of_a.size(), back.of_b.size());
}

}  // namespace
}  // namespace tensorguard::internal
