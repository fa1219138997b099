// Finds a base's tensors by the names that an adapter uses for them.
#ifndef TENSORGUARD_WEIGHTS_ADAPTERS_BASE_NAMES_H_
#define TENSORGUARD_WEIGHTS_ADAPTERS_BASE_NAMES_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tensorguard/result.h"
#include "weights/weight_source.h"

namespace tensorguard::internal {

// An adapter was trained on the model's class, whose wrappers ("model.", "transformer.") the base's
// file may have in part, not at all, or in another order. A name is found if it is there as it is;
// else if exactly one tensor of the base differs from it only in leading components.
class BaseNames {
 public:
  explicit BaseNames(const std::vector<TensorInfo>& tensors);

  // Index in `tensors`; empty if there is none. Errors: kMismatch if several fit equally well.
  Result<std::optional<size_t>> Find(std::string_view name) const;

 private:
  using Indices = std::vector<size_t>;

  const std::vector<TensorInfo>& tensors_;
  std::map<std::string, size_t> exact_;
  std::map<std::string, Indices> shortened_;  // with leading components removed
  std::map<std::string, Indices> cores_;      // with all leading wrapper words removed
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_ADAPTERS_BASE_NAMES_H_
