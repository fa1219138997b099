// The beginning of a random order, as PyTorch's generator for the processor draws it.
#ifndef TENSORGUARD_WEIGHTS_ADAPTERS_KINDS_DRAWN_PLACES_H_
#define TENSORGUARD_WEIGHTS_ADAPTERS_KINDS_DRAWN_PLACES_H_

#include <cstdint>
#include <vector>

namespace tensorguard::internal {

// The largest number of places of which PyTorch draws an order by 32 bits each.
inline constexpr uint64_t kMostDrawnPlaces = 0xffff'ffff / 20 - 1;

// The first `count` numbers of torch.randperm(places) after manual_seed(seed). Memory grows with
// `count` alone. REQUIRES: count <= places <= kMostDrawnPlaces.
std::vector<uint64_t> DrawPlaces(uint64_t places, uint64_t count, uint64_t seed);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_ADAPTERS_KINDS_DRAWN_PLACES_H_
