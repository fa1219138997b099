// An unrelated network's units put in the order of another's.
#ifndef TENSORGUARD_BENCH_INDEPENDENCE_ORDERS_H_
#define TENSORGUARD_BENCH_INDEPENDENCE_ORDERS_H_

#include <cstdint>

#include "independence_networks.h"

namespace tensorguard::internal {

enum class Ordering { kNone, kNeighbours, kAll };

// Of every layer of `tensors`, towards those of `target`: neighbours exchanged where that brings
// them nearer, or the best of all orders.
void OrderUnitsAs(const NetworkMaker::Tensors& target, uint64_t layers, Ordering ordering,
                  NetworkMaker::Tensors* tensors);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_BENCH_INDEPENDENCE_ORDERS_H_
