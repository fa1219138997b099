// The mixer of xLSTM (Beck et al. 2024): a matrix per head, with exponential gates.
#ifndef TENSORGUARD_NETWORK_RECURRENT_MATRIX_LSTM_H_
#define TENSORGUARD_NETWORK_RECURRENT_MATRIX_LSTM_H_

#include <cstddef>

#include "architecture/config_view.h"
#include "network/parts/layer_parts.h"
#include "numerics/float_matrix.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// A MixerFunction and its check (network/recurrent/recurrent_mixer.h).
Result<FloatMatrix> RunMatrixLstm(const LayerParts& layer, const ConfigView& config,
                                  const FloatMatrix& rows, size_t sequence_length);
Result<void> CheckMatrixLstm(const LayerParts& layer, const ConfigView& config);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_RECURRENT_MATRIX_LSTM_H_
