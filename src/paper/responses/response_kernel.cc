#include "paper/responses/response_kernel.h"

#include <algorithm>
#include <array>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "paper/responses/response_kernel.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

// Highway compiles the part between BEFORE and AFTER once per instruction set and picks one at run
// time.
HWY_BEFORE_NAMESPACE();
namespace tensorguard::internal {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr size_t kPartialSums = 16;

template <class D>
HWY_INLINE hn::Vec<D> LoadFloat32(D d, const float* numbers) {
  return hn::LoadU(d, numbers);
}

// A bfloat16 is the upper half of a float32.
template <class D>
HWY_INLINE hn::Vec<D> LoadFloat32(D d, const BFloat16* numbers) {
  const hn::RebindToUnsigned<D> d_bits;
  const hn::Rebind<uint16_t, D> d_stored;
  const auto stored = hn::LoadU(d_stored, reinterpret_cast<const uint16_t*>(numbers));
  return hn::BitCast(d, hn::ShiftLeft<16>(hn::PromoteTo(d_bits, stored)));
}

// Partial sums lane..lane+N of two rows times five inputs. Products and sums are separate
// instructions on purpose: a fused one would round differently from processors that lack it.
template <class D, class Number>
HWY_INLINE void SumLanes(D d, const Number* row_a, const Number* row_b, const float* inputs,
                         size_t stride, size_t columns, float* sums_a, float* sums_b) {
  auto a0 = hn::Zero(d), a1 = hn::Zero(d), a2 = hn::Zero(d), a3 = hn::Zero(d), a4 = hn::Zero(d);
  auto b0 = hn::Zero(d), b1 = hn::Zero(d), b2 = hn::Zero(d), b3 = hn::Zero(d), b4 = hn::Zero(d);
  for (size_t c = 0; c < columns; c += kPartialSums) {
    const auto a = LoadFloat32(d, row_a + c);
    const auto b = LoadFloat32(d, row_b + c);
    const auto x0 = hn::LoadU(d, inputs + c);
    const auto x1 = hn::LoadU(d, inputs + stride + c);
    const auto x2 = hn::LoadU(d, inputs + 2 * stride + c);
    const auto x3 = hn::LoadU(d, inputs + 3 * stride + c);
    const auto x4 = hn::LoadU(d, inputs + 4 * stride + c);
    a0 = hn::Add(a0, hn::Mul(a, x0));
    b0 = hn::Add(b0, hn::Mul(b, x0));
    a1 = hn::Add(a1, hn::Mul(a, x1));
    b1 = hn::Add(b1, hn::Mul(b, x1));
    a2 = hn::Add(a2, hn::Mul(a, x2));
    b2 = hn::Add(b2, hn::Mul(b, x2));
    a3 = hn::Add(a3, hn::Mul(a, x3));
    b3 = hn::Add(b3, hn::Mul(b, x3));
    a4 = hn::Add(a4, hn::Mul(a, x4));
    b4 = hn::Add(b4, hn::Mul(b, x4));
  }
  hn::StoreU(a0, d, sums_a);
  hn::StoreU(a1, d, sums_a + kPartialSums);
  hn::StoreU(a2, d, sums_a + 2 * kPartialSums);
  hn::StoreU(a3, d, sums_a + 3 * kPartialSums);
  hn::StoreU(a4, d, sums_a + 4 * kPartialSums);
  hn::StoreU(b0, d, sums_b);
  hn::StoreU(b1, d, sums_b + kPartialSums);
  hn::StoreU(b2, d, sums_b + 2 * kPartialSums);
  hn::StoreU(b3, d, sums_b + 3 * kPartialSums);
  hn::StoreU(b4, d, sums_b + 4 * kPartialSums);
}

// The same for one input.
template <class D, class Number>
HWY_INLINE void SumLanesOfOneInput(D d, const Number* row_a, const Number* row_b,
                                   const float* input, size_t columns, float* sums_a,
                                   float* sums_b) {
  auto a0 = hn::Zero(d), b0 = hn::Zero(d);
  for (size_t c = 0; c < columns; c += kPartialSums) {
    const auto x0 = hn::LoadU(d, input + c);
    a0 = hn::Add(a0, hn::Mul(LoadFloat32(d, row_a + c), x0));
    b0 = hn::Add(b0, hn::Mul(LoadFloat32(d, row_b + c), x0));
  }
  hn::StoreU(a0, d, sums_a);
  hn::StoreU(b0, d, sums_b);
}

// REQUIRES: columns is a multiple of kPartialSums.
template <class Number>
HWY_INLINE void PartialSumsOfTwoRows(const Number* row_a, const Number* row_b, const float* inputs,
                                     size_t stride, bool only_first, size_t columns, float* sums_a,
                                     float* sums_b) {
  const hn::CappedTag<float, kPartialSums> d;
  for (size_t lane = 0; lane < kPartialSums; lane += hn::Lanes(d)) {
    if (only_first) {
      SumLanesOfOneInput(d, row_a + lane, row_b + lane, inputs + lane, columns, sums_a + lane,
                         sums_b + lane);
    } else {
      SumLanes(d, row_a + lane, row_b + lane, inputs + lane, stride, columns, sums_a + lane,
               sums_b + lane);
    }
  }
}

// sums[c] = sum over r of weights[r] * rows[r * stride + c]. Four vectors of columns at a time, so
// that a line of the cache is used up while it is there.
template <class Number>
HWY_INLINE void WeightedColumnSums(const Number* rows, size_t row_count, size_t stride,
                                   size_t columns, const float* weights, float* sums) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  size_t c = 0;
  for (; c + 4 * lanes <= columns; c += 4 * lanes) {
    auto sum0 = hn::Zero(d), sum1 = hn::Zero(d), sum2 = hn::Zero(d), sum3 = hn::Zero(d);
    for (size_t r = 0; r < row_count; ++r) {
      const Number* row = rows + r * stride + c;
      const auto weight = hn::Set(d, weights[r]);
      sum0 = hn::Add(sum0, hn::Mul(weight, LoadFloat32(d, row)));
      sum1 = hn::Add(sum1, hn::Mul(weight, LoadFloat32(d, row + lanes)));
      sum2 = hn::Add(sum2, hn::Mul(weight, LoadFloat32(d, row + 2 * lanes)));
      sum3 = hn::Add(sum3, hn::Mul(weight, LoadFloat32(d, row + 3 * lanes)));
    }
    hn::StoreU(sum0, d, sums + c);
    hn::StoreU(sum1, d, sums + c + lanes);
    hn::StoreU(sum2, d, sums + c + 2 * lanes);
    hn::StoreU(sum3, d, sums + c + 3 * lanes);
  }
  for (; c < columns; ++c) {
    float sum = 0;
    for (size_t r = 0; r < row_count; ++r) sum += weights[r] * ToFloat32(rows[r * stride + c]);
    sums[c] = sum;
  }
}

// What run-time dispatch can name.
void PartialSumsOfFloat32(const float* row_a, const float* row_b, const float* inputs,
                          size_t stride, bool only_first, size_t columns, float* sums_a,
                          float* sums_b) {
  PartialSumsOfTwoRows(row_a, row_b, inputs, stride, only_first, columns, sums_a, sums_b);
}

void PartialSumsOfBFloat16(const BFloat16* row_a, const BFloat16* row_b, const float* inputs,
                           size_t stride, bool only_first, size_t columns, float* sums_a,
                           float* sums_b) {
  PartialSumsOfTwoRows(row_a, row_b, inputs, stride, only_first, columns, sums_a, sums_b);
}

void ColumnSumsOfFloat32(const float* rows, size_t row_count, size_t stride, size_t columns,
                         const float* weights, float* sums) {
  WeightedColumnSums(rows, row_count, stride, columns, weights, sums);
}

void ColumnSumsOfBFloat16(const BFloat16* rows, size_t row_count, size_t stride, size_t columns,
                          const float* weights, float* sums) {
  WeightedColumnSums(rows, row_count, stride, columns, weights, sums);
}

}  // namespace HWY_NAMESPACE
}  // namespace tensorguard::internal
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tensorguard::internal {
namespace {

HWY_EXPORT(PartialSumsOfFloat32);
HWY_EXPORT(PartialSumsOfBFloat16);
HWY_EXPORT(ColumnSumsOfFloat32);
HWY_EXPORT(ColumnSumsOfBFloat16);

constexpr size_t kPartialSums = 16;
constexpr size_t kChunkColumns = 1024;  // a row's chunk and five inputs' fit the first-level cache

constexpr size_t kMostSummedRows = 64;  // in float32 before they are added in float64

struct PartialSums {
  alignas(64) float of_input[kNoiseCount][kPartialSums];
};

// Adds the partial sums in one fixed order: a tree, whose levels the compiler can vectorise.
void AddTo(Responses& responses, const PartialSums& partial, size_t input_count) {
  for (size_t k = 0; k < input_count; ++k) {
    std::array<double, kPartialSums> sums;
    for (size_t lane = 0; lane < kPartialSums; ++lane) sums[lane] = partial.of_input[k][lane];
    for (size_t half = kPartialSums / 2; half > 0; half /= 2) {
      for (size_t lane = 0; lane < half; ++lane) sums[lane] += sums[lane + half];
    }
    responses[k] += sums[0];
  }
}

template <class Number>
void PartialSumsOfTwoRowsPlain(const Number* row_a, const Number* row_b, const float* inputs,
                               size_t stride, bool only_first, size_t columns, float* sums_a,
                               float* sums_b) {
  for (size_t k = 0; k < (only_first ? 1 : kNoiseCount); ++k) {
    for (size_t lane = 0; lane < kPartialSums; ++lane) {
      float a = 0;
      float b = 0;
      for (size_t c = lane; c < columns; c += kPartialSums) {
        a += ToFloat32(row_a[c]) * inputs[k * stride + c];
        b += ToFloat32(row_b[c]) * inputs[k * stride + c];
      }
      sums_a[k * kPartialSums + lane] = a;
      sums_b[k * kPartialSums + lane] = b;
    }
  }
}

void PartialSumsOfTwoRowsFast(const float* row_a, const float* row_b, const float* inputs,
                              size_t stride, bool only_first, size_t columns, float* sums_a,
                              float* sums_b) {
  HWY_DYNAMIC_DISPATCH(PartialSumsOfFloat32)
  (row_a, row_b, inputs, stride, only_first, columns, sums_a, sums_b);
}

void PartialSumsOfTwoRowsFast(const BFloat16* row_a, const BFloat16* row_b, const float* inputs,
                              size_t stride, bool only_first, size_t columns, float* sums_a,
                              float* sums_b) {
  HWY_DYNAMIC_DISPATCH(PartialSumsOfBFloat16)
  (row_a, row_b, inputs, stride, only_first, columns, sums_a, sums_b);
}

void ColumnSums(const float* rows, size_t row_count, size_t stride, size_t columns,
                const float* weights, float* sums) {
  HWY_DYNAMIC_DISPATCH(ColumnSumsOfFloat32)(rows, row_count, stride, columns, weights, sums);
}

void ColumnSums(const BFloat16* rows, size_t row_count, size_t stride, size_t columns,
                const float* weights, float* sums) {
  HWY_DYNAMIC_DISPATCH(ColumnSumsOfBFloat16)(rows, row_count, stride, columns, weights, sums);
}

template <class Number>
using PartialSumsFunction = void (*)(const Number*, const Number*, const float*, size_t, bool,
                                     size_t, float*, float*);

// Rows two by two, in chunks of columns. A chunk that is no whole number of steps is copied to
// where it can be padded with zeros; the inputs' padding is zero anyway.
template <class Number>
void AddResponsesWith(PartialSumsFunction<Number> partial_sums, const Number* rows,
                      size_t row_count, size_t columns, const InputBlock& inputs,
                      size_t first_column, Responses* responses) {
  alignas(64) Number padded_a[kChunkColumns];
  alignas(64) Number padded_b[kChunkColumns];
  PartialSums sums_a;
  PartialSums sums_b;
  const bool only_first = inputs.count() == 1;
  const size_t summed_inputs = only_first ? 1 : kNoiseCount;
  for (size_t begin = 0; begin < columns; begin += kChunkColumns) {
    const size_t count = std::min(kChunkColumns, columns - begin);
    const size_t padded_count = (count + kPartialSums - 1) / kPartialSums * kPartialSums;
    for (size_t r = 0; r < row_count; r += 2) {
      const bool has_second = r + 1 < row_count;
      const Number* a = rows + r * columns + begin;
      const Number* b = has_second ? a + columns : a;
      if (padded_count != count) {
        std::memcpy(padded_a, a, count * sizeof(Number));
        std::memcpy(padded_b, b, count * sizeof(Number));
        std::fill(padded_a + count, padded_a + padded_count, Number{});
        std::fill(padded_b + count, padded_b + padded_count, Number{});
        a = padded_a;
        b = padded_b;
      }
      partial_sums(a, b, inputs.at(first_column + begin), inputs.stride(), only_first, padded_count,
                   sums_a.of_input[0], sums_b.of_input[0]);
      AddTo(responses[r], sums_a, summed_inputs);
      if (has_second) AddTo(responses[r + 1], sums_b, summed_inputs);
    }
  }
}

}  // namespace

InputBlock::InputBlock(size_t width, std::span<const std::vector<float>> inputs)
    : width_(width),
      count_(inputs.size()),
      stride_((width + kPartialSums - 1) / kPartialSums * kPartialSums),
      values_(kNoiseCount * stride_) {
  for (size_t k = 0; k < inputs.size(); ++k) {
    std::copy(inputs[k].begin(), inputs[k].end(),
              values_.begin() + static_cast<std::ptrdiff_t>(k * stride_));
  }
}

template <class Number>
void AddResponses(const Number* rows, size_t row_count, size_t columns, const InputBlock& inputs,
                  size_t first_column, Responses* responses) {
  AddResponsesWith<Number>(&PartialSumsOfTwoRowsFast, rows, row_count, columns, inputs,
                           first_column, responses);
}

template <class Number>
void AddResponsesReference(const Number* rows, size_t row_count, size_t columns,
                           const InputBlock& inputs, size_t first_column, Responses* responses) {
  AddResponsesWith<Number>(&PartialSumsOfTwoRowsPlain<Number>, rows, row_count, columns, inputs,
                           first_column, responses);
}

template <class Number>
void AddWeightedRows(const Number* rows, size_t row_count, size_t columns, const float* weights,
                     double* sums) {
  float chunk[kChunkColumns];
  for (size_t row = 0; row < row_count; row += kMostSummedRows) {
    const size_t rows_now = std::min(kMostSummedRows, row_count - row);
    for (size_t begin = 0; begin < columns; begin += kChunkColumns) {
      const size_t columns_now = std::min(kChunkColumns, columns - begin);
      ColumnSums(rows + row * columns + begin, rows_now, columns, columns_now, weights + row,
                 chunk);
      for (size_t c = 0; c < columns_now; ++c) sums[begin + c] += static_cast<double>(chunk[c]);
    }
  }
}

template <class Number>
void AddWeightedRowsReference(const Number* rows, size_t row_count, size_t columns,
                              const float* weights, double* sums) {
  for (size_t row = 0; row < row_count; row += kMostSummedRows) {
    const size_t last_row = std::min(row_count, row + kMostSummedRows);
    for (size_t c = 0; c < columns; ++c) {
      float sum = 0;
      for (size_t r = row; r < last_row; ++r) sum += weights[r] * ToFloat32(rows[r * columns + c]);
      sums[c] += static_cast<double>(sum);
    }
  }
}

#define TENSORGUARD_FOR_NUMBERS_OF(Number)                                                      \
  template void AddResponses(const Number*, size_t, size_t, const InputBlock&, size_t,          \
                             Responses*);                                                       \
  template void AddResponsesReference(const Number*, size_t, size_t, const InputBlock&, size_t, \
                                      Responses*);                                              \
  template void AddWeightedRows(const Number*, size_t, size_t, const float*, double*);          \
  template void AddWeightedRowsReference(const Number*, size_t, size_t, const float*, double*);
TENSORGUARD_FOR_NUMBERS_OF(float)
TENSORGUARD_FOR_NUMBERS_OF(BFloat16)
#undef TENSORGUARD_FOR_NUMBERS_OF

}  // namespace tensorguard::internal
#endif  // HWY_ONCE
