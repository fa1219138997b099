// The short convolution over time in front of a recurrent mixer.
#ifndef TENSORGUARD_NETWORK_RECURRENT_CAUSAL_CONVOLUTION_H_
#define TENSORGUARD_NETWORK_RECURRENT_CAUSAL_CONVOLUTION_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "network/parts/named_module.h"
#include "numerics/float_matrix.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// Each channel by itself: out[t] = bias + sum over j of taps[j] in[t - (width - 1) + j], zero
// before the sequence begins (Gu and Dao 2023, "Mamba", section 3.4).
struct CausalConvolution {
  uint64_t channels = 0;
  uint64_t width = 0;
  std::vector<float> taps = {};  // [channels, width]
  std::vector<float> bias = {};  // [channels]; empty: none

  // Columns [first, first + channels) of `rows`, in place; sequences of `sequence_length` rows lie
  // one after the other. REQUIRES: the columns are there; sequence_length divides rows.rows().
  void Apply(FloatMatrix& rows, size_t first, size_t sequence_length) const;
};

// "MEMBER.weight" [channels, 1, width] with "MEMBER.bias". Errors: those of NamedModule::Require
// and ReadWeight; kBadFile, naming the tensor, where it has not `channels` channels.
Result<CausalConvolution> ReadCausalConvolution(const NamedModule& module, std::string_view member,
                                                uint64_t channels);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_RECURRENT_CAUSAL_CONVOLUTION_H_
