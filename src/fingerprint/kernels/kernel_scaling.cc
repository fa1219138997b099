#include "fingerprint/kernels/kernel_scaling.h"

#include <algorithm>
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fingerprint/kernels/kernel_scaling.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

// Highway compiles this part once per instruction set and picks one at run time. The loops are
// plain: the compiler keeps the lanes in registers of whatever width there is. Pointers go to
// tables of `count` (or `rows` times `stride`) numbers; counts and strides are whole lanes.
HWY_BEFORE_NAMESPACE();
namespace tensorguard::internal {
namespace HWY_NAMESPACE {

constexpr size_t kLanes = 8;

HWY_INLINE double SumOf(const double* lanes) {
  return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) +
         ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

HWY_INLINE double Dot(const double* HWY_RESTRICT a, const double* HWY_RESTRICT b, size_t count) {
  double lanes[kLanes] = {};
  for (size_t i = 0; i < count; i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) lanes[lane] += a[i + lane] * b[i + lane];
  }
  return SumOf(lanes);
}

double DotImpl(const double* a, const double* b, size_t count) { return Dot(a, b, count); }

// Adds the rows to `column_sums` and writes their sums.
void SumsImpl(const double* HWY_RESTRICT block, size_t rows, size_t stride,
              double* HWY_RESTRICT row_sums, double* HWY_RESTRICT column_sums) {
  for (size_t row = 0; row < rows; ++row, block += stride) {
    double lanes[kLanes] = {};
    for (size_t i = 0; i < stride; i += kLanes) {
      for (size_t lane = 0; lane < kLanes; ++lane) lanes[lane] += block[i + lane];
    }
    for (size_t i = 0; i < stride; ++i) column_sums[i] += block[i];
    row_sums[row] = SumOf(lanes);
  }
}

void SubtractColumnsImpl(double* HWY_RESTRICT block, size_t rows, size_t stride,
                         const double* HWY_RESTRICT row_means,
                         const double* HWY_RESTRICT column_means) {
  for (size_t row = 0; row < rows; ++row, block += stride) {
    const double mean = row_means[row];
    for (size_t i = 0; i < stride; ++i) block[i] -= mean + column_means[i];
  }
}

void AddScaledImpl(double factor, const double* HWY_RESTRICT from, double* HWY_RESTRICT to,
                   size_t count) {
  for (size_t i = 0; i < count; ++i) to[i] += factor * from[i];
}

// One turn of rows, then columns: scales so that the rows of the block, already scaled by both,
// have norm 1, then the columns.
void ScaleOnceImpl(const double* HWY_RESTRICT block, size_t rows, size_t stride,
                   double* HWY_RESTRICT row_scales, double* HWY_RESTRICT column_scales,
                   double* HWY_RESTRICT squares) {
  for (size_t i = 0; i < stride; ++i) squares[i] = 0;
  for (size_t row = 0; row < rows; ++row, block += stride) {
    double lanes[kLanes] = {};
    for (size_t i = 0; i < stride; i += kLanes) {
      for (size_t lane = 0; lane < kLanes; ++lane) {
        const double value = block[i + lane] * column_scales[i + lane];
        lanes[lane] += value * value;
      }
    }
    const double norm = std::sqrt(SumOf(lanes));
    if (norm > 0) row_scales[row] = 1 / norm;
    const double scale = row_scales[row];
    for (size_t i = 0; i < stride; ++i) {
      const double value = block[i] * scale;
      squares[i] += value * value;
    }
  }
  for (size_t i = 0; i < stride; ++i) {
    if (squares[i] > 0) column_scales[i] = 1 / std::sqrt(squares[i]);
  }
}

// The scaled block times `factor`, without the padding; rounds `block` to what was written.
void WriteScaledImpl(double* HWY_RESTRICT block, size_t rows, size_t columns, size_t stride,
                     double factor, const double* HWY_RESTRICT row_scales,
                     const double* HWY_RESTRICT column_scales, float* HWY_RESTRICT unit) {
  for (size_t row = 0; row < rows; ++row, block += stride, unit += columns) {
    const double scale = row_scales[row] * factor;
    for (size_t i = 0; i < columns; ++i) {
      unit[i] = static_cast<float>(block[i] * scale * column_scales[i]);
      block[i] = unit[i];
    }
  }
}

// What every float of `from` is taken from.
void SubtractFloatsImpl(const float* HWY_RESTRICT from, double* HWY_RESTRICT to, size_t count) {
  for (size_t i = 0; i < count; ++i) to[i] -= from[i];
}

// `to` = unit + factor * others.
void CombineImpl(const float* HWY_RESTRICT unit, double factor, const double* HWY_RESTRICT others,
                 double* HWY_RESTRICT to, size_t count) {
  for (size_t i = 0; i < count; ++i) to[i] = unit[i] + factor * others[i];
}

// `own` = factor * values; rounds `values` to what was written.
void RoundImpl(double factor, double* HWY_RESTRICT values, float* HWY_RESTRICT own, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    own[i] = static_cast<float>(factor * values[i]);
    values[i] = own[i];
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace tensorguard::internal
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tensorguard::internal {
namespace {

HWY_EXPORT(DotImpl);
HWY_EXPORT(SumsImpl);
HWY_EXPORT(SubtractColumnsImpl);
HWY_EXPORT(AddScaledImpl);
HWY_EXPORT(ScaleOnceImpl);
HWY_EXPORT(WriteScaledImpl);
HWY_EXPORT(SubtractFloatsImpl);
HWY_EXPORT(CombineImpl);
HWY_EXPORT(RoundImpl);

// Of any length: the last lanes alone.
double Product(std::span<const double> a, std::span<const double> b) {
  const size_t whole = a.size() - a.size() % AnchorBlock::kLanes;
  double sum = HWY_DYNAMIC_DISPATCH(DotImpl)(a.data(), b.data(), whole);
  for (size_t i = whole; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

size_t WholeLanes(size_t count) {
  constexpr size_t kLanes = AnchorBlock::kLanes;
  return (count + kLanes - 1) / kLanes * kLanes;
}

}  // namespace

AnchorBlock::AnchorBlock(std::span<const size_t> anchors)
    : anchors_(anchors),
      stride_(WholeLanes(anchors.size())),
      values_(anchors.size() * stride_),
      row_scales_(anchors.size()),
      column_scales_(stride_) {}

void AnchorBlock::Gather(const FloatMatrix& stored) {
  const bool all = anchors_.size() == stored.rows();  // they ascend
  double* values = values_.data();
  for (const size_t anchor : anchors_) {
    const float* row = stored.Row(anchor).data();
    if (all) {
      std::copy_n(row, anchors_.size(), values);
    } else {
      for (size_t i = 0; i < anchors_.size(); ++i) values[i] = row[anchors_[i]];
    }
    values += stride_;
  }
}

void AnchorBlock::ClearPadding() {
  const size_t count = anchors_.size();
  for (size_t row = 0; row < count; ++row) {
    std::fill_n(&values_[row * stride_ + count], stride_ - count, 0.0);
  }
}

void AnchorBlock::Centre(const FloatMatrix& stored) {
  Gather(stored);
  const auto count = static_cast<double>(anchors_.size());
  std::fill(column_scales_.begin(), column_scales_.end(), 0.0);
  ClearPadding();
  HWY_DYNAMIC_DISPATCH(SumsImpl)
  (values_.data(), anchors_.size(), stride_, row_scales_.data(), column_scales_.data());
  double mean = 0;
  for (double& sum : row_scales_) mean += (sum /= count);
  mean /= count;
  for (double& sum : column_scales_) sum = sum / count - mean;
  HWY_DYNAMIC_DISPATCH(SubtractColumnsImpl)
  (values_.data(), anchors_.size(), stride_, row_scales_.data(), column_scales_.data());
  ClearPadding();
}

AnchorBlock::Norms AnchorBlock::CentreAndFree(const FloatMatrix& stored,
                                              std::span<const std::vector<double>> directions) {
  Centre(stored);
  Norms norms = {.before = std::sqrt(Product(values_, values_))};
  std::vector<double> shares;
  for (const auto& direction : directions) shares.push_back(Product(values_, direction));
  for (size_t i = 0; i < directions.size(); ++i) {
    HWY_DYNAMIC_DISPATCH(AddScaledImpl)
    (-shares[i], directions[i].data(), values_.data(), values_.size());
  }
  norms.after = std::sqrt(Product(values_, values_));
  return norms;
}

double AnchorBlock::WriteScaled(std::span<float> unit) {
  std::vector<double> squares(stride_);
  std::fill(row_scales_.begin(), row_scales_.end(), 1.0);
  std::fill(column_scales_.begin(), column_scales_.end(), 1.0);
  for (int pass = 0; pass < 2; ++pass) {
    HWY_DYNAMIC_DISPATCH(ScaleOnceImpl)
    (values_.data(), anchors_.size(), stride_, row_scales_.data(), column_scales_.data(),
     squares.data());
  }
  // The columns have norm 1 now, but for those of zeros.
  const auto filled = std::count_if(squares.begin(), squares.end(), [](double x) { return x > 0; });
  const double factor = filled > 0 ? 1 / std::sqrt(static_cast<double>(filled)) : 1;
  HWY_DYNAMIC_DISPATCH(WriteScaledImpl)
  (values_.data(), anchors_.size(), anchors_.size(), stride_, factor, row_scales_.data(),
   column_scales_.data(), unit.data());
  return std::sqrt(Product(values_, values_));
}

double WriteWithoutCommon(std::span<const float> unit, std::span<const double> total,
                          std::span<const std::span<const float>> excluded,
                          std::span<double> scratch, std::span<float> own) {
  const size_t count = unit.size();
  const std::span<double> others = scratch.first(count);
  const std::span<double> rest = scratch.subspan(count, count);
  std::copy(total.begin(), total.end(), others.begin());
  for (const auto& each : excluded) {
    HWY_DYNAMIC_DISPATCH(SubtractFloatsImpl)(each.data(), others.data(), count);
  }
  HWY_DYNAMIC_DISPATCH(CombineImpl)(unit.data(), 0, others.data(), rest.data(), count);
  const double energy = Product(others, others);
  if (energy > kNothingLeft * kNothingLeft) {
    const double share = Product(rest, others) / energy;
    HWY_DYNAMIC_DISPATCH(CombineImpl)(unit.data(), -share, others.data(), rest.data(), count);
  }
  double norm = std::sqrt(Product(rest, rest));
  if (!(norm > kNothingLeft)) {
    HWY_DYNAMIC_DISPATCH(CombineImpl)(unit.data(), 0, others.data(), rest.data(), count);
    norm = 1;
  }
  HWY_DYNAMIC_DISPATCH(RoundImpl)(1 / norm, rest.data(), own.data(), count);
  return std::sqrt(Product(rest, rest));
}

}  // namespace tensorguard::internal
#endif  // HWY_ONCE
