// Which weight of one network stands in the place of which of another.
#ifndef TENSORGUARD_INDEPENDENCE_NUMBERS_COUNTERPARTS_H_
#define TENSORGUARD_INDEPENDENCE_NUMBERS_COUNTERPARTS_H_

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <tuple>

#include "network/network.h"

namespace tensorguard::internal {

// What a weight is and where, whatever its tensor is called: stack, layer, role, whether it is a
// bias, a vector, of a shared expert, of cross-attention, and which expert. The last number tells
// those apart of which all the rest is equal.
using WeightPlace = std::tuple<std::string, std::optional<uint32_t>, Role, bool, bool, bool, bool,
                               std::optional<uint32_t>, size_t>;

// All weights; they live as long as the network.
std::map<WeightPlace, const Weight*> WeightsByPlace(const Network& network);

bool SameMatrixShape(const Weight& a, const Weight& b);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_INDEPENDENCE_NUMBERS_COUNTERPARTS_H_
