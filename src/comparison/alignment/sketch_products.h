// Cosine and change of two sketches.
#ifndef TENSORGUARD_COMPARISON_ALIGNMENT_SKETCH_PRODUCTS_H_
#define TENSORGUARD_COMPARISON_ALIGNMENT_SKETCH_PRODUCTS_H_

#include <cstdint>
#include <span>

namespace tensorguard::internal {

struct SketchProducts {
  double aa = 0;
  double bb = 0;
  double ab = 0;
};

// REQUIRES: equal lengths.
SketchProducts ProductsOf(std::span<const float> a, std::span<const float> b);

// 1 where both are zero, 0 where one is.
double CosineOf(const SketchProducts& products);

// ||b - a|| over the geometric mean of the norms; 0 where both are zero, 1 where one is: all of the
// other is change then.
double RelativeChangeOf(const SketchProducts& products);

// Standard deviation of the cosine of the sketches of two independent random matrices. Each side of
// length n keeps 32 n / (n + 32) of its dimensions in 32 random projections (their squared mean
// singular value squared over the mean fourth power, Marchenko and Pastur 1967).
double IndependentDeviation(uint64_t rows, uint64_t columns);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_COMPARISON_ALIGNMENT_SKETCH_PRODUCTS_H_
