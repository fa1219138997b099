#include "weights/quantised/unused_biases.h"

#include <algorithm>
#include <map>
#include <string>

#include "base/try.h"

namespace tensorguard::internal {
namespace {

constexpr uint64_t kMostBiasElements = 1 << 20;

// "h.12.attn.bias" as "h.#.attn.bias".
std::string WithoutNumbers(const std::string& name) {
  std::string pattern;
  for (const char c : name) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit) pattern += c;
    if (digit && !pattern.ends_with('#')) pattern += '#';
  }
  return pattern;
}

Result<bool> IsZero(const WeightSource& stored, size_t tensor) {
  const TensorInfo& info = stored.tensors()[tensor];
  if (info.element_count > kMostBiasElements) return false;
  std::vector<float> numbers(info.element_count);
  TG_TRY(stored.ReadFloat32(tensor, 0, numbers));
  return std::all_of(numbers.begin(), numbers.end(), [](float number) { return number == 0; });
}

}  // namespace

Result<std::set<size_t>> FindUnusedBiases(const WeightSource& stored,
                                          const std::vector<QuantisedTensor>& tensors) {
  const StoredTensors by_name(stored);
  std::map<std::string, std::vector<size_t>> biases;
  for (const QuantisedTensor& tensor : tensors) {
    const auto module = WithoutEnding(tensor.info.name, ".weight");
    if (!module || !tensor.info.quantisation.starts_with("GPTQ")) continue;
    if (const auto bias = by_name.Find(*module + ".bias")) {
      biases[WithoutNumbers(*module)].push_back(*bias);
    }
  }
  std::set<size_t> unused;
  for (const auto& [pattern, indices] : biases) {
    bool zero = true;
    for (size_t i = 0; zero && i < indices.size(); ++i) {
      TG_ASSIGN(auto found, IsZero(stored, indices[i]));
      zero = found;
    }
    if (zero) unused.insert(indices.begin(), indices.end());
  }
  return unused;
}

}  // namespace tensorguard::internal
