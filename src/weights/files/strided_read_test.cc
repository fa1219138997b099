#include "weights/files/strided_read.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <string>

#include "safetensors/tensor_layout.h"
#include "tests/support/scratch_folder.h"

namespace tensorguard::internal {
namespace {

constexpr uint64_t kBegin = 5;  // bytes before the tensor: nothing is aligned

uint64_t Product(const std::vector<uint64_t>& shape) {
  return std::accumulate(shape.begin(), shape.end(), uint64_t{1}, std::multiplies<>());
}

// A file of noise.
class Noise : public ScratchFolder {
 public:
  explicit Noise(size_t bytes) {
    std::mt19937 random(5);
    std::string noise(bytes, '\0');
    for (char& byte : noise) byte = static_cast<char>(random());
    auto opened = File::Open(Write("noise", noise));
    EXPECT_TRUE(opened);
    file = *opened;
  }

  std::shared_ptr<const File> file;
};

// Windows of every kind equal what the reference reads.
void ExpectAgreement(const File& file, const StridedTensor& tensor) {
  const uint64_t elements = Product(tensor.shape);
  std::vector<std::byte> whole(elements * tensor.element_bytes);
  ASSERT_TRUE(ReadStridedReference(file, tensor, 0, whole));
  std::mt19937_64 random(elements);
  for (int i = 0; i < 40; ++i) {
    const uint64_t first = i == 0 ? 0 : random() % elements;
    const uint64_t count = i == 0 ? elements : random() % (elements - first + 1);
    std::vector<std::byte> out(count * tensor.element_bytes);
    const auto read = ReadStrided(file, tensor, first, out);
    ASSERT_TRUE(read) << DescribeError(read.error());
    const auto begin = whole.begin() + static_cast<ptrdiff_t>(first * tensor.element_bytes);
    ASSERT_TRUE(std::equal(out.begin(), out.end(), begin))
        << "from " << first << ", " << count << " of " << elements;
  }
}

TEST(StridedRead, AgreesWithTheReference) {
  const Noise noise(1 << 20);
  struct Case {
    std::vector<uint64_t> shape;
    std::vector<uint64_t> strides;
  };
  const std::vector<Case> cases = {
      {{}, {}},
      {{7}, {3}},
      {{7}, {0}},
      {{20}, {3000}},                  // gaps beyond a page
      {{30, 40}, {1, 30}},             // transposed
      {{90, 300}, {1, 350}},           // transposed slice
      {{30, 40}, {64, 1}},             // columns cut off
      {{30, 40}, {128, 2}},            // every second column
      {{12, 40}, {5000, 1}},           // rows far apart
      {{40, 12}, {1, 5000}},           // columns far apart
      {{300, 1, 200}, {0, 77, 1}},     // expanded
      {{5, 6, 7}, {1, 5, 30}},         // Fortran order
      {{8, 3, 5, 4}, {60, 1, 12, 3}},  // channels last
      {{2, 3, 4, 5}, {20, 40, 5, 1}},  // two dimensions exchanged
      {{50, 100}, {1, 1}},             // overlapping windows
      {{3, 2, 9000}, {1, 9000, 3}},    // longer than what is read at a time
      {{4, 1, 1, 6}, {1, 999999, 888888, 4}},
  };
  for (const unsigned bytes : {1u, 2u, 4u, 8u}) {
    for (const Case& layout : cases) {
      SCOPED_TRACE(testing::PrintToString(layout.shape) + testing::PrintToString(layout.strides));
      if (bytes == 8 && layout.shape.size() == 2 && layout.strides[1] == 5000) continue;
      ExpectAgreement(*noise.file, {kBegin, bytes, layout.shape, layout.strides});
    }
  }
}

TEST(StridedRead, AnyStrides) {
  const Noise noise(1 << 18);
  std::mt19937 random(8);
  for (int i = 0; i < 300; ++i) {
    StridedTensor tensor = {.begin_bytes = kBegin, .element_bytes = 1u << random() % 4};
    for (size_t axes = random() % 5; axes > 0; --axes) {
      tensor.shape.push_back(1 + random() % 7);
      tensor.strides.push_back(random() % (1u << random() % 11));
    }
    SCOPED_TRACE(testing::PrintToString(tensor.shape) + testing::PrintToString(tensor.strides));
    ExpectAgreement(*noise.file, tensor);
  }
}

// As PlaceTensor counts, the last element is the last that the file holds.
TEST(StridedRead, TheLastByteIsReadAndNoneAfterIt) {
  const Noise noise(kBegin + 4 * (30 * 40));
  ExpectAgreement(*noise.file, {kBegin, 4, {30, 40}, {1, 30}});
  std::vector<std::byte> out(4);
  const auto read = ReadStrided(*noise.file, {kBegin + 1, 4, {30, 40}, {1, 30}}, 30 * 40 - 1, out);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().problem, "file ends while being read");
}

}  // namespace
}  // namespace tensorguard::internal
