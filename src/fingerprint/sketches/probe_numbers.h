// The random numbers of sketches: fixed for ever, reproducible from docs/formats/fingerprint.md.
#ifndef TENSORGUARD_FINGERPRINT_SKETCHES_PROBE_NUMBERS_H_
#define TENSORGUARD_FINGERPRINT_SKETCHES_PROBE_NUMBERS_H_

#include <cstddef>
#include <cstdint>

#include "base/random_bits.h"
#include "numerics/float_matrix.h"

namespace tensorguard::internal {

// X, [size, kSketchSize]: independent normal numbers of variance 1 / kSketchSize, by Box and
// Muller's formula, rounded to bfloat16. So the expected squared norm of W X is that of W.
FloatMatrix ProbeMatrix(uint64_t size);

// One row of S, which adds every output with a sign to one of kSketchSize sums (a count sketch;
// Charikar, Chen, Farach-Colton 2002).
struct OutputBucket {
  size_t bucket = 0;
  float sign = 1;
};

class OutputBuckets {
 public:
  explicit OutputBuckets(uint64_t outputs);

  OutputBucket Of(uint64_t output) const;

 private:
  uint64_t key_;
};

// At most `most` of `count` positions, ascending and by `count` alone: all of them if they are no
// more, else one at a random place in each of `most` equal parts, so that no regular pattern of the
// numbers is met in step.
class FixedSample {
 public:
  FixedSample(uint64_t count, uint64_t most);

  uint64_t size() const { return size_; }
  // REQUIRES: k < size().
  uint64_t Position(uint64_t k) const;
  // The first k whose position is not below `position`; size() if there is none.
  uint64_t FirstNotBelow(uint64_t position) const;

 private:
  uint64_t PartBegin(uint64_t k) const;

  uint64_t count_;
  uint64_t size_;
  uint64_t key_;
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FINGERPRINT_SKETCHES_PROBE_NUMBERS_H_
