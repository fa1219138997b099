// Python's pickle as inert data: what it describes is never made, and no function of it ever runs.
#ifndef TENSORGUARD_FORMATS_TORCH_PICKLE_H_
#define TENSORGUARD_FORMATS_TORCH_PICKLE_H_

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "formats/byte_cursor.h"
#include "formats/torch/pickle_globals.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

inline constexpr uint64_t kPickleLimitBytes = 64ull << 20;
inline constexpr size_t kPickleMostValues = 1 << 21;

enum class PickleKind {
  kNone,
  kBool,
  kInteger,
  kOtherNumber,  // a fraction, or an integer beyond 64 bits: nothing here needs its value
  kText,         // UTF-8
  kBytes,        // their content is not kept
  kList,
  kTuple,
  kDict,        // items: key, value, key, value ...
  kGlobal,      // a name from the list of pickle_globals.h
  kCall,        // a name and what it is called with: items[0] is the tuple of arguments
  kPersistent,  // items[0] says what lies outside of the pickle
  kOpaque,      // sets, and objects that nothing is read from; items: all that was put into them
};

using PickleRef = uint32_t;  // into Pickle::values

struct PickleValue {
  PickleKind kind = PickleKind::kNone;
  int64_t integer = 0;                   // of kInteger and kBool
  const PickleGlobal* global = nullptr;  // of kGlobal and kCall; of kOpaque where it has a class
  std::string text = {};
  std::vector<PickleRef> items = {};
};

// Values refer to each other as the pickle says: shared, and perhaps in circles. Whoever walks them
// bounds depth and number of steps.
struct Pickle {
  std::deque<PickleValue> values;
  PickleRef root = 0;
  uint64_t bytes = 0;  // that it was read from

  const PickleValue& operator[](PickleRef ref) const { return values[ref]; }
};

// Reads one pickle (protocols 0 to 5) up to and with its STOP. Memory is bounded by
// kPickleMostValues and a small multiple of its length. What Python makes of the same bytes is what
// is read, or there is an error: calls happen when they are read, so later changes of what they
// were given do not reach them. Errors: kUnsupported, naming it, for a global that is not on the
// list ("posix.system"), an opcode that no tensor needs, and more than the limits; kBadFile for
// anything else that Python would not read either. With the byte.
Result<Pickle> ReadPickle(ByteCursor& cursor);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FORMATS_TORCH_PICKLE_H_
