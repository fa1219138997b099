#include "safetensors/tensor_layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tensorguard::internal {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr uint64_t kHuge = uint64_t{1} << 63;

TensorEntry F32Entry(std::vector<uint64_t> shape, std::vector<uint64_t> strides) {
  return {.name = "w", .shape = std::move(shape), .strides = std::move(strides)};
}

std::string Problem(TensorEntry entry, const StorageRange& storage, uint64_t first_element) {
  const auto placed = PlaceTensor(entry, storage, first_element);
  return placed ? "no error" : DescribeError(placed.error());
}

TEST(TensorLayout, RowMajorNeedsNoStrides) {
  for (const auto& strides : std::vector<std::vector<uint64_t>>{{}, {12, 4, 99, 1}}) {
    TensorEntry entry = F32Entry({2, 3, 1, 4}, strides);
    ASSERT_TRUE(PlaceTensor(entry, {100, 200}, 1));
    EXPECT_THAT(entry.strides, IsEmpty());
    EXPECT_EQ(entry.element_count, 24u);
    EXPECT_EQ(entry.data_begin_bytes, 104u);
    EXPECT_EQ(entry.data_end_bytes, 200u);
  }
}

TEST(TensorLayout, ViewsEndWithTheirFurthestElement) {
  TensorEntry transposed = F32Entry({2, 3}, {1, 2});
  ASSERT_TRUE(PlaceTensor(transposed, {0, 24}, 0));
  EXPECT_THAT(transposed.strides, ElementsAre(1, 2));
  EXPECT_EQ(transposed.data_end_bytes, 24u);
  TensorEntry expanded = F32Entry({1000, 3}, {0, 1});
  ASSERT_TRUE(PlaceTensor(expanded, {0, 24}, 3));
  EXPECT_EQ(expanded.element_count, 3000u);
  EXPECT_EQ(expanded.data_begin_bytes, 12u);
  EXPECT_EQ(expanded.data_end_bytes, 24u);
  TensorEntry scalar = F32Entry({}, {});
  ASSERT_TRUE(PlaceTensor(scalar, {0, 4}, 0));
  EXPECT_EQ(scalar.element_count, 1u);
  TensorEntry empty = F32Entry({0, 5}, {kHuge, kHuge});
  ASSERT_TRUE(PlaceTensor(empty, {8, 8}, 0));
  EXPECT_EQ(empty.data_end_bytes, 8u);
}

TEST(TensorLayout, NothingReachesPastTheStorage) {
  const std::string expected =
      "tensor reaches past the end of its storage\n"
      "  found:    shape [2, 3], strides [1, 2], from element 1 on\n"
      "  expected: at most 24 bytes, as 6 elements of F32";
  EXPECT_EQ(Problem(F32Entry({2, 3}, {1, 2}), {0, 24}, 1), expected);
  for (const uint64_t first : {uint64_t{0}, uint64_t{7}, kHuge, ~uint64_t{0}}) {
    EXPECT_THAT(Problem(F32Entry({7}, {}), {0, 24}, first),
                testing::StartsWith("tensor reaches past the end of its storage"));
  }
  // Products and sums that do not fit in 64 bits, or would come out small.
  for (const auto& strides : std::vector<std::vector<uint64_t>>{
           {kHuge, 1}, {~uint64_t{0}, ~uint64_t{0}}, {kHuge - 1, kHuge - 1}, {1u << 31, 1}}) {
    EXPECT_THAT(Problem(F32Entry({3, 2}, strides), {0, 24}, 0),
                testing::StartsWith("tensor reaches past the end of its storage"));
  }
  EXPECT_THAT(Problem(F32Entry({kHuge / 2}, {}), {0, 24}, 0),
              testing::StartsWith("tensor reaches past the end of its storage"));
  EXPECT_THAT(Problem(F32Entry({0}, {}), {0, 24}, 7),
              testing::StartsWith("tensor reaches past the end of its storage"));
}

TEST(TensorLayout, NonsenseIsRefused) {
  EXPECT_EQ(Problem(F32Entry({2, 3}, {1}), {0, 24}, 0),
            "shape and strides have different lengths\n  found:    [2, 3] and [1]");
  EXPECT_EQ(Problem(F32Entry({kHuge, 2}, {}), {0, 24}, 0),
            "shape is too large to address\n  found:    shape [9223372036854775808, 2]");
  EXPECT_EQ(Problem(F32Entry(std::vector<uint64_t>(65, 1), {}), {0, 24}, 0),
            "tensor has too many dimensions\n  found:    65\n  expected: at most 64");
  TensorEntry packed = {.name = "w", .dtype = DType::kF4, .shape = {2, 2}, .strides = {1, 2}};
  const auto placed = PlaceTensor(packed, {0, 24}, 0);
  ASSERT_FALSE(placed);
  EXPECT_EQ(placed.error().kind, ErrorKind::kUnsupported);
}

TEST(TensorLayout, ColumnMajor) {
  EXPECT_THAT(ColumnMajorStrides(std::vector<uint64_t>{2, 3, 4}), ElementsAre(1, 2, 6));
  EXPECT_THAT(ColumnMajorStrides({}), IsEmpty());
}

}  // namespace
}  // namespace tensorguard::internal
