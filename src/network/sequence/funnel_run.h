// A sequence that gets shorter from block to block and is stretched again at the end (Dai et al.
// 2020, "Funnel-Transformer").
#ifndef TENSORGUARD_NETWORK_SEQUENCE_FUNNEL_RUN_H_
#define TENSORGUARD_NETWORK_SEQUENCE_FUNNEL_RUN_H_

#include <cstdint>
#include <span>

#include "network/forward.h"
#include "network/network_parts.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// Without logits. REQUIRES: an encoder and a decoder. Errors: those of ApplyWeight; kUnsupported
// where config.json and the stored layers do not agree on the blocks.
Result<ForwardResult> RunFunnel(const NetworkParts& parts, std::span<const uint32_t> ids,
                                const ForwardOptions& options);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_SEQUENCE_FUNNEL_RUN_H_
