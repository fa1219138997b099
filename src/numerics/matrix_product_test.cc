#include "numerics/matrix_product.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace tensorguard::internal {
namespace {

std::vector<float> RandomNumbers(size_t count, uint32_t seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  std::vector<float> numbers(count);
  for (float& number : numbers) number = normal(generator);
  return numbers;
}

std::vector<BFloat16> Rounded(std::span<const float> numbers) {
  std::vector<BFloat16> rounded;
  for (const float number : numbers) rounded.push_back(RoundToBFloat16(number));
  return rounded;
}

std::vector<float> Widened(std::span<const BFloat16> numbers) {
  std::vector<float> wide;
  for (const BFloat16 number : numbers) wide.push_back(ToFloat32(number));
  return wide;
}

struct Operands {
  ProductShape shape;
  std::vector<float> left;
  std::vector<float> right;
};

Operands RandomOperands(const ProductShape& shape) {
  return {shape, RandomNumbers(shape.rows * shape.inner, 1),
          RandomNumbers(shape.inner * shape.columns, 2)};
}

// The bound of the header, for numbers of about unit size.
double Tolerance(const ProductShape& shape) {
  return 1e-6 * static_cast<double>(shape.inner) + 1e-6;
}

class Product : public ::testing::TestWithParam<std::tuple<ProductShape, RightSide>> {};

template <typename Number>
void ExpectPlainProduct(std::span<const Number> left, std::span<const Number> right,
                        const Operands& wide, RightSide side) {
  const ProductShape& shape = wide.shape;
  const uint64_t stride = shape.columns + 3;
  std::vector<float> dense(shape.rows * shape.columns, -1);
  std::vector<float> apart(shape.rows * stride, -1);
  std::vector<float> expected(shape.rows * shape.columns);
  ASSERT_TRUE(Multiply(left, right, side, shape, {dense.data(), shape.columns}));
  ASSERT_TRUE(Multiply(left, right, side, shape, {apart.data(), stride}));
  MultiplyPlainly(wide.left, wide.right, side, shape, {expected.data(), shape.columns});
  for (uint64_t row = 0; row < shape.rows; ++row) {
    for (uint64_t column = 0; column < stride; ++column) {
      const float value = apart[row * stride + column];
      if (column >= shape.columns) {
        EXPECT_EQ(value, -1);  // between the rows, not ours
        continue;
      }
      EXPECT_NEAR(value, expected[row * shape.columns + column], Tolerance(shape));
      EXPECT_EQ(value, dense[row * shape.columns + column]);
    }
  }
}

TEST_P(Product, IsThePlainOne) {
  const auto& [shape, side] = GetParam();
  const Operands operands = RandomOperands(shape);
  ExpectPlainProduct<float>(operands.left, operands.right, operands, side);
  const auto left = Rounded(operands.left);
  const auto right = Rounded(operands.right);
  const Operands rounded = {shape, Widened(left), Widened(right)};
  ExpectPlainProduct<BFloat16>(left, right, rounded, side);
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, Product,
    ::testing::Combine(::testing::Values(ProductShape{1, 1, 1}, ProductShape{3, 5, 7},
                                         ProductShape{128, 128, 2048}, ProductShape{1, 300, 17},
                                         ProductShape{300, 1, 33}, ProductShape{2, 2, 20000},
                                         ProductShape{17, 31, 1}, ProductShape{128, 100, 1000},
                                         ProductShape{4, 6, 0}, ProductShape{0, 5, 3}),
                       ::testing::Values(RightSide::kTransposed, RightSide::kAsIs)),
    [](const auto& test) {
      const ProductShape& shape = std::get<0>(test.param);
      const bool transposed = std::get<1>(test.param) == RightSide::kTransposed;
      return std::to_string(shape.rows) + "x" + std::to_string(shape.columns) + "x" +
             std::to_string(shape.inner) + (transposed ? "Transposed" : "AsIs");
    });

TEST(Multiply, GivesTheSameBitsInEveryThread) {
  const Operands operands = RandomOperands({.rows = 64, .columns = 96, .inner = 500});
  const auto left = Rounded(operands.left);
  const auto right = Rounded(operands.right);
  std::vector<std::vector<float>> products(4, std::vector<float>(64 * 96));
  {
    std::vector<std::jthread> threads;
    for (auto& product : products) {
      threads.emplace_back([&] {
        EXPECT_TRUE(Multiply(left, right, RightSide::kTransposed, operands.shape,
                             {product.data(), operands.shape.columns}));
      });
    }
  }
  for (const auto& product : products) EXPECT_EQ(product, products.front());
}

}  // namespace
}  // namespace tensorguard::internal
