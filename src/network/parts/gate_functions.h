// Element-wise pieces that gated and recurrent mixers share.
#ifndef TENSORGUARD_NETWORK_PARTS_GATE_FUNCTIONS_H_
#define TENSORGUARD_NETWORK_PARTS_GATE_FUNCTIONS_H_

#include <cmath>
#include <cstddef>

#include "network/parts/activation.h"
#include "numerics/float_matrix.h"

namespace tensorguard::internal {

// log(1 + e^x), without overflow.
inline float Softplus(float x) { return x > 20 ? x : std::log1p(std::exp(x)); }

inline float Sigmoid(float x) { return 1 / (1 + std::exp(-x)); }

// values * activation(gates), element by element. REQUIRES: the same shape.
inline void MultiplyByGates(Activation activation, FloatMatrix gates, FloatMatrix& values) {
  Activate(activation, gates.values());
  for (size_t i = 0; i < values.values().size(); ++i) values.values()[i] *= gates.values()[i];
}

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_PARTS_GATE_FUNCTIONS_H_
