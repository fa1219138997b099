// The state space in the middle of a Mamba mixer: what its channels carry from token to token.
#ifndef TENSORGUARD_NETWORK_RECURRENT_SELECTIVE_SCAN_H_
#define TENSORGUARD_NETWORK_RECURRENT_SELECTIVE_SCAN_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "network/parts/named_module.h"
#include "numerics/float_matrix.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// Per channel its state's decay rates, -exp(A_log), and the share of its input that skips the
// state.
struct StateSpace {
  uint64_t channels = 0;
  uint64_t state_size = 0;
  std::vector<float> rates = {};  // [channels, state_size]
  std::vector<float> skip = {};   // [channels]
};

// From "A_log" and "D", as many channels as "out_proj" has inputs. Errors: those of
// NamedModule::Require and ReadVector; kBadFile, naming the tensor, where the numbers do not come
// out.
Result<StateSpace> ReadStateSpace(const NamedModule& module);

// What each token writes into the states and reads from them, [n, state_size] each.
struct StateAccess {
  const FloatMatrix& in;   // B
  const FloatMatrix& out;  // C
};

// y of one channel over the sequence of rows [begin, begin + length), from the empty state.
// `inputs` [n, channels] hold u and become y, `steps` the same shape the lengths of the steps.
void ScanChannel(const StateSpace& space, size_t channel, const FloatMatrix& steps,
                 const StateAccess& access, size_t begin, size_t length, FloatMatrix& inputs);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_RECURRENT_SELECTIVE_SCAN_H_
