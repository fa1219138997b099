// Whether two numbers can be the same one, stored in two types.
#ifndef TENSORGUARD_INDEPENDENCE_NUMBERS_STORED_ROUNDING_H_
#define TENSORGUARD_INDEPENDENCE_NUMBERS_STORED_ROUNDING_H_

#include "weights/weight_source.h"

namespace tensorguard::internal {

// How a tensor's numbers were rounded when they were stored.
enum class StoredType {
  kFloat32,  // and what is wider: read as float32
  kBFloat16,
  kFloat16,
  kCodes,  // small types, integers, a quantiser's codes: only equal numbers are the same
};

StoredType StoredTypeOf(const TensorInfo& tensor);

enum class NumberRelation {
  kSame,
  kRounded,    // not the same, but some real number, stored in each type, gives both
  kDifferent,  // by more than rounding; or in one type, where rounding makes no difference
};

// To nearest, ties either way: the numbers that a type rounds to `a` reach to half of the way to
// its neighbours. A number that its type cannot hold (of an adapter that was added to a weight) was
// not stored in that type, and counts as float32. REQUIRES: finite numbers.
NumberRelation RelateNumbers(float a, StoredType type_a, float b, StoredType type_b);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_INDEPENDENCE_NUMBERS_STORED_ROUNDING_H_
