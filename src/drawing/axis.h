// An axis: which values a plot shows and where its ticks are.
#ifndef TENSORGUARD_DRAWING_AXIS_H_
#define TENSORGUARD_DRAWING_AXIS_H_

#include <string>
#include <vector>

namespace tensorguard::internal {

struct Tick {
  double position = 0;  // 0 at the axis's low end, 1 at its high end
  std::string label;
};

class Axis {
 public:
  // From `low` to `high` and a margin of 8% on both sides. REQUIRES: finite, low <= high.
  static Axis Linear(double low, double high);
  // Decades and their parts. REQUIRES: finite, 0 < low <= high.
  static Axis Logarithmic(double low, double high);

  double PositionOf(double value) const;  // as Tick::position
  const std::vector<Tick>& ticks() const { return ticks_; }

 private:
  Axis(double low, double high, bool logarithmic);

  double low_;  // of the logarithm, if logarithmic
  double high_;
  bool logarithmic_;
  std::vector<Tick> ticks_;
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_DRAWING_AXIS_H_
