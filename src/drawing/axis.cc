#include "drawing/axis.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tensorguard::internal {
namespace {

constexpr double kMargin = 0.08;
constexpr double kTicksWanted = 6;
constexpr double kNarrowestRelativeRange = 1e-9;  // below, ticks would show rounding

// 1, 2 or 5 times a power of ten.
double NiceStep(double range) {
  const double rough = range / kTicksWanted;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= rough) return factor * power;
  }
  return 10 * power;
}

std::string Shown(double value) { return fmt::format("{:.6g}", value); }

}  // namespace

Axis::Axis(double low, double high, bool logarithmic) : logarithmic_(logarithmic) {
  const double magnitude = std::max({std::abs(low), std::abs(high), 1e-300});
  double range = high - low;
  if (!(range > magnitude * kNarrowestRelativeRange)) range = magnitude;
  const double center = low + (high - low) / 2;
  low_ = center - range * (0.5 + kMargin);
  high_ = center + range * (0.5 + kMargin);
}

double Axis::PositionOf(double value) const {
  return ((logarithmic_ ? std::log10(value) : value) - low_) / (high_ - low_);
}

Axis Axis::Linear(double low, double high) {
  Axis axis(low, high, false);
  const double step = NiceStep(axis.high_ - axis.low_);
  const double first = std::ceil(axis.low_ / step);
  const double last = std::floor(axis.high_ / step);
  for (double i = first; i <= last; ++i) {
    axis.ticks_.push_back({axis.PositionOf(i * step), Shown(i * step + 0.0)});
  }
  return axis;
}

Axis Axis::Logarithmic(double low, double high) {
  // Half a decade at least, so that there is a tick.
  const double middle = (std::log10(low) + std::log10(high)) / 2;
  const double reach = std::max(std::log10(high) - std::log10(low), 0.5) / 2;
  Axis axis(middle - reach, middle + reach, true);
  const double decades = axis.high_ - axis.low_;
  const double stride = std::ceil(decades / 8);
  for (double exponent = std::floor(axis.low_); exponent <= axis.high_; exponent += stride) {
    for (const double factor : {1.0, 2.0, 5.0}) {
      if (factor > 1 && decades > 3) break;
      const double value = factor * std::pow(10, exponent);
      const double position = axis.PositionOf(value);
      if (position >= 0 && position <= 1) axis.ticks_.push_back({position, Shown(value)});
    }
  }
  return axis;
}

}  // namespace tensorguard::internal
