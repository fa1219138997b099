// Which values of a pickle lead to tensors, and that no dictionary of it is two.
#ifndef TENSORGUARD_FORMATS_TORCH_PICKLE_HOLDERS_H_
#define TENSORGUARD_FORMATS_TORCH_PICKLE_HOLDERS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "formats/torch/pickle.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

inline constexpr size_t kTorchLongestKeyBytes = 4096;

// Found once for all values, in time linear in the pickle.
class PickleHolders {
 public:
  explicit PickleHolders(const Pickle& pickle);

  // Whether the value is a tensor or a storage, or one lies in it, however deep.
  bool HoldsTensor(PickleRef ref) const { return (found_[ref] & kTensor) != 0; }
  // The same of anything that may be numbers: also NumPy's arrays.
  bool HoldsNumbers(PickleRef ref) const { return found_[ref] != 0; }

  // Items of all values together.
  size_t items() const { return items_; }

 private:
  static constexpr uint8_t kTensor = 1;
  static constexpr uint8_t kArray = 2;

  std::vector<uint8_t> found_;  // by value
  size_t items_ = 0;
};

// Of the dictionaries that hold numbers: Python keeps the last of equal keys, and finds 1, 1.0 and True
// equal. Errors: kBadFile for one with a key twice or with keys that may be equal; also for a key that
// is too long.
Result<void> CheckPickleKeys(const Pickle& pickle, const PickleHolders& holders);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FORMATS_TORCH_PICKLE_HOLDERS_H_
