#include "fingerprint/kernels/row_dots.h"

#include <algorithm>
#include <array>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fingerprint/kernels/row_dots.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

// Highway compiles this part once per instruction set and picks one at run time.
HWY_BEFORE_NAMESPACE();
namespace tensorguard::internal {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr size_t kTile = 4;

// Adds kTile rows of `a` times kTile rows of `b`, wherever they lie, over
// `length` numbers. Rows of one side may be the same ones.
void AddTileImpl(const float* const* a, const float* const* b, size_t length, double* sums) {
  const hn::ScalableTag<double> d;
  const hn::Rebind<float, decltype(d)> d_float;
  const size_t lanes = hn::Lanes(d);
  const size_t whole = length - length % lanes;
  for (size_t i = 0; i < kTile; i += 2) {
    auto sum00 = hn::Zero(d), sum01 = sum00, sum02 = sum00, sum03 = sum00;
    auto sum10 = sum00, sum11 = sum00, sum12 = sum00, sum13 = sum00;
    for (size_t k = 0; k < whole; k += lanes) {
      const auto a0 = hn::PromoteTo(d, hn::LoadU(d_float, a[i] + k));
      const auto a1 = hn::PromoteTo(d, hn::LoadU(d_float, a[i + 1] + k));
      const auto b0 = hn::PromoteTo(d, hn::LoadU(d_float, b[0] + k));
      const auto b1 = hn::PromoteTo(d, hn::LoadU(d_float, b[1] + k));
      const auto b2 = hn::PromoteTo(d, hn::LoadU(d_float, b[2] + k));
      const auto b3 = hn::PromoteTo(d, hn::LoadU(d_float, b[3] + k));
      sum00 = hn::MulAdd(a0, b0, sum00);
      sum01 = hn::MulAdd(a0, b1, sum01);
      sum02 = hn::MulAdd(a0, b2, sum02);
      sum03 = hn::MulAdd(a0, b3, sum03);
      sum10 = hn::MulAdd(a1, b0, sum10);
      sum11 = hn::MulAdd(a1, b1, sum11);
      sum12 = hn::MulAdd(a1, b2, sum12);
      sum13 = hn::MulAdd(a1, b3, sum13);
    }
    double* out = sums + i * kTile;
    const auto add = [&](size_t at, auto sum) { out[at] += hn::GetLane(hn::SumOfLanes(d, sum)); };
    add(0, sum00);
    add(1, sum01);
    add(2, sum02);
    add(3, sum03);
    add(4, sum10);
    add(5, sum11);
    add(6, sum12);
    add(7, sum13);
  }
  for (size_t k = whole; k < length; ++k) {
    for (size_t i = 0; i < kTile; ++i) {
      for (size_t j = 0; j < kTile; ++j) sums[i * kTile + j] += double{a[i][k]} * b[j][k];
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace tensorguard::internal
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tensorguard::internal {
namespace {

HWY_EXPORT(AddTileImpl);
constexpr size_t kTileRows = 4;

// Two sides of 32 rows of this many numbers stay in the cache of one core.
constexpr size_t kPieceLength = 2048;

// Four rows from `first` on, at `begin`; beyond the last row the last one again.
std::array<const float*, kTileRows> TileOf(const FloatMatrix& rows, size_t first, size_t begin) {
  std::array<const float*, kTileRows> tile;
  for (size_t i = 0; i < kTileRows; ++i) {
    tile[i] = rows.Row(std::min(first + i, rows.rows() - 1)).data() + begin;
  }
  return tile;
}

}  // namespace

std::vector<double> RowDots(const FloatMatrix& a, const FloatMatrix& b) {
  std::vector<double> dots(a.rows() * b.rows());
  const size_t length = a.columns();
  for (size_t begin = 0; begin < length; begin += kPieceLength) {
    const size_t piece = std::min(kPieceLength, length - begin);
    for (size_t row = 0; row < a.rows(); row += kTileRows) {
      const auto rows = TileOf(a, row, begin);
      for (size_t column = 0; column < b.rows(); column += kTileRows) {
        const auto columns = TileOf(b, column, begin);
        std::array<double, kTileRows* kTileRows> sums = {};
        HWY_DYNAMIC_DISPATCH(AddTileImpl)(rows.data(), columns.data(), piece, sums.data());
        for (size_t i = row; i < std::min(row + kTileRows, a.rows()); ++i) {
          for (size_t j = column; j < std::min(column + kTileRows, b.rows()); ++j) {
            dots[i * b.rows() + j] += sums[(i - row) * kTileRows + (j - column)];
          }
        }
      }
    }
  }
  return dots;
}

bool NearerThan(std::span<const float> a, std::span<const float> b, double squared_distance) {
  constexpr size_t kBetweenLooks = 256;
  constexpr size_t kLanes = 4;
  double distance = 0;
  for (size_t begin = 0; begin < a.size(); begin += kBetweenLooks) {
    const size_t end = std::min(begin + kBetweenLooks, a.size());
    std::array<double, kLanes> sums = {};
    size_t i = begin;
    for (; i + kLanes <= end; i += kLanes) {
      for (size_t lane = 0; lane < kLanes; ++lane) {
        const double apart = double{a[i + lane]} - b[i + lane];
        sums[lane] += apart * apart;
      }
    }
    for (; i < end; ++i) sums[0] += (double{a[i]} - b[i]) * (double{a[i]} - b[i]);
    distance += (sums[0] + sums[1]) + (sums[2] + sums[3]);
    if (!(distance < squared_distance)) return false;
  }
  return true;
}

}  // namespace tensorguard::internal
#endif  // HWY_ONCE
