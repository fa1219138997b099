// Rows that run through a stack beside those of the tokens.
#ifndef TENSORGUARD_NETWORK_STREAMS_EXTRA_ROWS_H_
#define TENSORGUARD_NETWORK_STREAMS_EXTRA_ROWS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "network/parts/embedding.h"
#include "network/parts/layer_context.h"
#include "network/parts/layer_parts.h"
#include "network/weight.h"
#include "numerics/float_matrix.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

enum class ExtraRowsKind {
  kPrompt,   // before the tokens: CPM-Ant's learned prompt, a segment of its own
  kGlobal,   // before the tokens: all see them and they see all, tokens else only their own block
             // (Phang et al. 2022, "PEGASUS-X")
  kStreams,  // behind the tokens, one for each of them and stream: what predicts the first, second,
             // ... token to come (Qi et al. 2020, "ProphetNet")
};

// Points into a network: valid as long as that lives.
struct ExtraRows {
  ExtraRowsKind kind = ExtraRowsKind::kPrompt;
  const Weight* table = nullptr;
  uint64_t first = 0;                // row of the table
  uint64_t count = 0;                // rows; of kStreams streams
  const Weight* segments = nullptr;  // of kPrompt: rows for the prompt, ..., the tokens

  bool Holds(const Weight& weight) const { return &weight == table || &weight == segments; }
  bool before() const { return kind != ExtraRowsKind::kStreams; }
};

// Which rows of a run stand for what: `before`, then the tokens, then the streams.
struct RowLayout {
  size_t before = 0;
  size_t tokens = 0;
  size_t streams = 0;

  size_t all() const { return before + tokens * (1 + streams); }
};

// Of the weights outside layers; empty where there are none. Errors: kBadFile, naming the tensor,
// where config.json and the table contradict each other.
Result<std::optional<ExtraRows>> FindExtraRows(const StackContext& context, const LayerParts& outer,
                                               const Embedding& embedding);

RowLayout LayoutOf(const std::optional<ExtraRows>& extra, size_t tokens);

// The rows of the tokens `ids` as the embedding has them, with the extra rows. Errors: those of
// ReadWeight; kUnsupported for more positions than there are.
Result<FloatMatrix> AddExtraRows(const ExtraRows& extra, const Embedding& embedding,
                                 std::span<const uint32_t> ids, const FloatMatrix& tokens);

// Rows [first, first + count).
FloatMatrix RowsOf(const FloatMatrix& rows, size_t first, size_t count);

// The segment of each row of a prompt and its tokens: the table's row that is added to it.
uint64_t SegmentOfPrompt();
uint64_t SegmentOfToken(uint32_t id);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_STREAMS_EXTRA_ROWS_H_
