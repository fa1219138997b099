// OLoRA, PiSSA: low-rank matrices that began as a part of the base, which lost that part.
#ifndef TENSORGUARD_WEIGHTS_ADAPTERS_KINDS_BASE_START_H_
#define TENSORGUARD_WEIGHTS_ADAPTERS_KINDS_BASE_START_H_

#include <memory>

#include "weights/adapters/adapter_config.h"
#include "weights/adapters/tensor_edit.h"

namespace tensorguard::internal {

// OLoRA (Büyükakyüz 2024): W + D - s Q Q^T W, with s the scaling of D and Q the first columns of
// the QR decomposition of W, as many as D has ranks. PiSSA (Meng et al. 2024): W + D - U U^T W,
// with U the leading left singular vectors. As PEFT does when it loads such an adapter. What is
// taken away is found in passes over the tensor at the first read and kept; for PiSSA that holds a
// square matrix of the smaller side and takes time in its third power. REQUIRES: start is not
// kBeside.
std::unique_ptr<const TensorEdit> AddAndTakeStart(LowRankMatrix delta, LoraStart start);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_ADAPTERS_KINDS_BASE_START_H_
