// What config.json and the table tell of a layer's attention besides its matrices.
#ifndef TENSORGUARD_NETWORK_ATTENTION_ATTENTION_RULE_H_
#define TENSORGUARD_NETWORK_ATTENTION_ATTENTION_RULE_H_

#include <cstdint>

#include "network/attention/attention.h"
#include "network/parts/layer_context.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// Scale, mask, softcap, rotation and slopes of one layer. Errors: those of ReadRotary; kBadFile for
// numbers of config.json that make no sense.
Result<AttentionRule> ReadAttentionRule(const StackContext& context, const AttentionShape& shape,
                                        uint32_t layer, bool cross_attention);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_ATTENTION_ATTENTION_RULE_H_
