// That the linear algebra of this build may be called from several threads at once: Debian's serial
// OpenBLAS may not, and gives wrong numbers then.
#include <gtest/gtest.h>

#include <armadillo>
#include <vector>

#include "base/parallel.h"

namespace tensorguard::internal {
namespace {

constexpr size_t kMatrices = 6;
constexpr size_t kRepeats = 200;

arma::mat Numbers(size_t index) {
  const size_t size = 60 + 3 * index;
  arma::mat numbers(size, size);
  for (size_t i = 0; i < numbers.n_elem; ++i) {
    numbers[i] = static_cast<double>((i * 7 + index) % 13) - 6;
  }
  return numbers;
}

struct Answers {
  arma::mat product;
  arma::vec eigenvalues;
};

Answers Compute(const arma::mat& numbers) {
  Answers answers;
  answers.product = numbers * numbers.t();
  answers.eigenvalues = arma::eig_sym(answers.product);
  return answers;
}

TEST(LinearAlgebra, GivesTheSameFromSeveralThreadsAtOnce) {
  UseOneLibraryThread();
  std::vector<Answers> alone(kMatrices);
  for (size_t i = 0; i < kMatrices; ++i) alone[i] = Compute(Numbers(i));
  std::vector<size_t> wrong(kMatrices);
  ASSERT_TRUE(ParallelFor(kMatrices, kMatrices, [&](size_t i) -> Result<void> {
    const arma::mat numbers = Numbers(i);
    for (size_t repeat = 0; repeat < kRepeats; ++repeat) {
      const Answers answers = Compute(numbers);
      const bool same =
          arma::approx_equal(answers.product, alone[i].product, "absdiff", 0.0) &&
          arma::approx_equal(answers.eigenvalues, alone[i].eigenvalues, "absdiff", 0.0);
      if (!same) ++wrong[i];
    }
    return {};
  }));
  EXPECT_EQ(wrong, std::vector<size_t>(kMatrices, 0));
}

}  // namespace
}  // namespace tensorguard::internal
