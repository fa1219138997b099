// OLoRA: low-rank matrices that began as a part of the base, which lost that part.
#ifndef TENSORGUARD_WEIGHTS_ADAPTERS_KINDS_BASE_START_H_
#define TENSORGUARD_WEIGHTS_ADAPTERS_KINDS_BASE_START_H_

#include <memory>

#include "weights/adapters/tensor_edit.h"

namespace tensorguard::internal {

// W + D - s Q Q^T W, with s the scaling of D and Q the first columns of the QR decomposition of W,
// as many as D has ranks (Büyükakyüz 2024, and what PEFT does when it loads such an adapter). Q and
// Q^T W are found in two passes over the tensor at the first read and kept.
std::unique_ptr<const TensorEdit> AddAndTakeStart(LowRankMatrix delta);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_ADAPTERS_KINDS_BASE_START_H_
