// The attention of a stack's layers over one sequence.
#ifndef TENSORGUARD_NETWORK_SEQUENCE_SEQUENCE_ATTENTION_H_
#define TENSORGUARD_NETWORK_SEQUENCE_SEQUENCE_ATTENTION_H_

#include <cstdint>
#include <map>
#include <optional>
#include <span>

#include "network/attention/relative_positions.h"
#include "network/forward.h"
#include "network/stack.h"
#include "network/streams/extra_rows.h"
#include "numerics/float_matrix.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// Keeps what layers lend each other; one for each run of a stack.
class SequenceAttention {
 public:
  // `encoded`: what the encoder made; null where there is none. All must outlive the run.
  SequenceAttention(const Stack& stack, const FloatMatrix* encoded, const ForwardOptions& options)
      : stack_(stack), encoded_(encoded), options_(options) {}

  // The tokens, and the rows beside them.
  void Begin(std::span<const uint32_t> ids, const RowLayout& layout) {
    ids_ = ids;
    layout_ = layout;
  }

  // What the layer's own attention adds, without the norm on its output. Errors: those of
  // LinearMap::Apply and FullRule; kUnsupported for what is not known of sequences.
  Result<FloatMatrix> Run(const Layer& layer, const FloatMatrix& rows);
  // The same of queries that stand elsewhere than the keys that they see (Funnel).
  Result<FloatMatrix> RunApart(const Layer& layer, const FloatMatrix& rows,
                               const FloatMatrix& key_rows, const RelativePlaces& places);
  // REQUIRES: there is an encoder and the layer reads it.
  Result<FloatMatrix> RunCross(const Layer& layer, const FloatMatrix& rows);
  // The rule of an attention in this run.
  Result<AttentionRule> RuleOf(const AttentionLayer& attention) const;

 private:
  Result<void> AddBias(const Layer& layer, const FloatMatrix& rows, AttentionRule& rule) const;
  Result<void> AddScores(const AttentionLayer& attention, const AttentionRows& projected,
                         const std::optional<RelativePlaces>& places, AttentionRule& rule) const;
  Result<void> AppendEncoded(const Layer& layer, AttentionRows& projected,
                             AttentionRule& rule) const;
  Result<FloatMatrix> Attended(const Layer& layer, const FloatMatrix& rows, AttentionRule rule,
                               AttentionRows projected) const;

  const Stack& stack_;
  const FloatMatrix* encoded_;
  const ForwardOptions& options_;
  std::span<const uint32_t> ids_;
  RowLayout layout_;
  std::map<uint32_t, AttentionRows> lent_;  // by layer, for layers without keys of their own
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_SEQUENCE_SEQUENCE_ATTENTION_H_
