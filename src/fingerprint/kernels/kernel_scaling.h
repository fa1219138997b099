// The arithmetic of normalising one kernel: the hot loops of a comparison.
#ifndef TENSORGUARD_FINGERPRINT_KERNELS_KERNEL_SCALING_H_
#define TENSORGUARD_FINGERPRINT_KERNELS_KERNEL_SCALING_H_

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "numerics/float_matrix.h"

namespace tensorguard::internal {

// The part of a stored kernel (or Gram) that some anchors span, in float64, rows padded with zeros
// so that loops need no rest. All sums keep eight interleaved lanes that are added in a fixed
// order, without fused multiply-add: the same bits on every processor.
class AnchorBlock {
 public:
  static constexpr size_t kLanes = 8;

  // `anchors` must outlive the block. REQUIRES: anchors ascending.
  explicit AnchorBlock(std::span<const size_t> anchors);

  size_t anchors() const { return anchors_.size(); }
  std::span<const double> values() const { return values_; }  // [anchors, stride()]
  std::span<double> values() { return values_; }
  size_t stride() const { return stride_; }

  // Takes the block from `stored` [n, n] and double-centres it.
  // REQUIRES: anchors below stored.rows().
  void Centre(const FloatMatrix& stored);
  // Centre, then takes out what orthonormal `directions` explain, each [anchors, stride()] and
  // centred itself. The norm before and after. REQUIRES: as for Centre.
  struct Norms {
    double before = 0;
    double after = 0;
  };
  Norms CentreAndFree(const FloatMatrix& stored, std::span<const std::vector<double>> directions);
  // Twice scales rows and then columns to unit norm, those of zeros aside, and writes the block at
  // norm 1 to `unit` [anchors * anchors]. The norm of what was written, rounding included.
  double WriteScaled(std::span<float> unit);

 private:
  void Gather(const FloatMatrix& stored);
  void ClearPadding();

  std::span<const size_t> anchors_;
  size_t stride_;
  std::vector<double> values_;
  std::vector<double> row_scales_;
  std::vector<double> column_scales_;
};

// `unit` minus its projection on total - (the sum of `excluded`), at norm 1, to `own`; `unit`
// itself where that sum is nothing, or nothing would be left. The norm of what was written,
// rounding included. All of one length; `scratch` of two such lengths. `own` may be `unit`.
inline constexpr double kNothingLeft = 1e-4;  // of a norm; below it is rounding
double WriteWithoutCommon(std::span<const float> unit, std::span<const double> total,
                          std::span<const std::span<const float>> excluded,
                          std::span<double> scratch, std::span<float> own);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FINGERPRINT_KERNELS_KERNEL_SCALING_H_
