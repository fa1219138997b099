// The weights of one layer, found by what they do or by their names.
#ifndef TENSORGUARD_NETWORK_PARTS_LAYER_PARTS_H_
#define TENSORGUARD_NETWORK_PARTS_LAYER_PARTS_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "network/parts/linear_map.h"
#include "network/weight.h"
#include "roles/role.h"
#include "weights/weight_source.h"

namespace tensorguard::internal {

// Which of the parts of one role is meant.
struct PartFilter {
  bool cross_attention = false;
  bool shared_expert = false;
  std::optional<uint32_t> expert = {};
};

// Points into a network: valid as long as that lives.
class LayerParts {
 public:
  LayerParts(const WeightSource& source, std::vector<const Weight*> weights)
      : source_(&source), weights_(std::move(weights)) {}

  const WeightSource& source() const { return *source_; }
  // In the order of SplitWeights.
  std::span<const Weight* const> weights() const { return weights_; }
  const std::string& NameOf(const Weight& weight) const {
    return source_->tensors()[weight.tensor_index].name;
  }

  // The first matrix (or its bias) of this role; null if there is none.
  const Weight* Find(Role role, const PartFilter& filter = {}) const;
  const Weight* FindBias(Role role, const PartFilter& filter = {}) const;
  std::optional<LinearMap> FindMap(Role role, const PartFilter& filter = {}) const;

  // The weight whose tensor's name ends in these words, letters of either case, whole words between
  // '.': "A_log", "in_proj.weight", "mixer.norm.weight"; null if there is none.
  const Weight* Named(std::string_view ending) const;
  // The map whose matrix is "MODULE.weight" (or "MODULE") and whose bias "MODULE.bias".
  std::optional<LinearMap> NamedMap(std::string_view module) const;

 private:
  const WeightSource* source_;
  std::vector<const Weight*> weights_;
};

// True if `name` ends in `ending`, letters of either case, at the start of a word between '.'.
bool EndsInWords(std::string_view name, std::string_view ending);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_PARTS_LAYER_PARTS_H_
