#include "roles/role.h"

namespace tensorguard::internal {

std::string_view RoleName(Role role) {
  switch (role) {
    case Role::kEmbedding:
      return "embedding";
    case Role::kEmbeddingProjection:
      return "embedding_projection";
    case Role::kPositionEmbedding:
      return "position_embedding";
    case Role::kOutputHead:
      return "output_head";
    case Role::kQuery:
      return "query";
    case Role::kKey:
      return "key";
    case Role::kValue:
      return "value";
    case Role::kQueryKeyValue:
      return "query_key_value";
    case Role::kKeyValue:
      return "key_value";
    case Role::kOutputProjection:
      return "output_projection";
    case Role::kAttentionGate:
      return "attention_gate";
    case Role::kQueryDown:
      return "query_down";
    case Role::kQueryUp:
      return "query_up";
    case Role::kKeyValueDown:
      return "key_value_down";
    case Role::kKeyValueUp:
      return "key_value_up";
    case Role::kGate:
      return "gate";
    case Role::kUp:
      return "up";
    case Role::kDown:
      return "down";
    case Role::kGateUp:
      return "gate_up";
    case Role::kRouter:
      return "router";
    case Role::kNorm:
      return "norm";
    case Role::kMixer:
      return "mixer";
    case Role::kGain:
      return "gain";
    case Role::kScale:
      return "scale";
    case Role::kTaskHead:
      return "task_head";
    case Role::kModality:
      return "modality";
    case Role::kAdapter:
      return "adapter";
    case Role::kBuffer:
      return "buffer";
    case Role::kOther:
      return "other";
  }
  return "other";
}

std::string_view ShownRoleName(const TensorRole& role) {
  return role.is_bias && role.role != Role::kNorm ? "bias" : RoleName(role.role);
}

std::string_view PackingName(Packing packing) {
  switch (packing) {
    case Packing::kNone:
      return "none";
    case Packing::kConcatenated:
      return "concatenated";
    case Packing::kConcatenatedUpFirst:
      return "concatenated_up_first";
    case Packing::kInterleavedHeads:
      return "interleaved_heads";
    case Packing::kInterleavedGroups:
      return "interleaved_groups";
    case Packing::kInterleavedRows:
      return "interleaved_rows";
    case Packing::kInterleavedGate:
      return "interleaved_gate";
    case Packing::kConcatenatedGateFirst:
      return "concatenated_gate_first";
    case Packing::kQuartersQueryValueKey:
      return "quarters_query_value_key";
  }
  return "none";
}

}  // namespace tensorguard::internal
