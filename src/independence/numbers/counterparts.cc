#include "independence/numbers/counterparts.h"

namespace tensorguard::internal {

std::map<WeightPlace, const Weight*> WeightsByPlace(const Network& network) {
  std::map<WeightPlace, const Weight*> places;
  std::map<WeightPlace, size_t> seen;
  for (const Weight& weight : network.weights()) {
    const TensorRole& role = weight.role;
    WeightPlace place{role.stack,           role.layer,       role.role,
                      role.is_bias,         weight.is_vector, role.shared_expert,
                      role.cross_attention, role.expert,      0};
    std::get<size_t>(place) = seen[place]++;
    places.emplace(place, &weight);
  }
  return places;
}

bool SameMatrixShape(const Weight& a, const Weight& b) {
  return a.rows == b.rows && a.columns == b.columns;
}

}  // namespace tensorguard::internal
