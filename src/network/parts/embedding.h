// From token ids to what enters the first layer of a stack.
#ifndef TENSORGUARD_NETWORK_PARTS_EMBEDDING_H_
#define TENSORGUARD_NETWORK_PARTS_EMBEDDING_H_

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "network/parts/layer_context.h"
#include "network/parts/layer_parts.h"
#include "network/parts/linear_map.h"
#include "network/parts/norm.h"
#include "numerics/float_matrix.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// The first row of a table.
struct ConstantRow {
  const Weight* table = nullptr;
  float times = 1;
};

// The row of one token that is not the table's.
struct RowApart {
  uint32_t id = 0;
  const Weight* row = nullptr;
};

// row * scale, token type 0 and position added, norm, projection.
//
// Points into a network: valid as long as that lives. Const methods may be called from any thread.
struct Embedding {
  const WeightSource* source = nullptr;
  // [vocabulary, width]; null where a stack reads images or sound.
  const Weight* table = nullptr;
  uint64_t stream_width = 0;  // without a table: of what enters the first layer
  float scale = 1;
  // Rows that are added to every token: of token type 0, of the place of a token without one on the
  // page (LayoutLM), as often as it says.
  std::vector<ConstantRow> constants = {};
  std::optional<RowApart> apart = {};
  // A position's row is one of each of these side by side, the last counting fastest (Reformer).
  std::vector<const Weight*> axes = {};
  const Weight* positions = nullptr;        // null: none, or the scheme stores none
  uint64_t position_offset = 0;             // rows of the table before position 0
  std::optional<uint64_t> padding_id = {};  // a token that takes no position, where that counts
  std::optional<Norm> norm = {};
  std::optional<LinearMap> projection = {};
  bool trigrams = false;       // a token enters between the next and the one before (MobileBERT)
  bool project_first = false;  // before the positions are added
  bool norm_first = false;     // likewise, where there is no projection

  uint64_t vocabulary_size() const { return table == nullptr ? 0 : table->rows; }
  uint64_t hidden_size() const {
    if (table == nullptr) return stream_width;
    return projection ? projection->outputs() : table->columns;
  }

  // [n, hidden], without positions. REQUIRES: ids below vocabulary_size(). Errors: those of
  // ReadWeight and LinearMap::Apply.
  Result<FloatMatrix> Rows(std::span<const uint32_t> ids) const;

  // The same with the positions of one sequence, by the stored table or by the scheme's own.
  // Errors: also kUnsupported for more positions than the table has.
  // `rounded`: the scheme's own rounded to bfloat16.
  Result<FloatMatrix> Sequence(std::span<const uint32_t> ids, PositionScheme scheme,
                               bool rounded = false) const;

 private:
  Result<FloatMatrix> WithoutNorm(std::span<const uint32_t> ids, bool in_sequence) const;
  Result<FloatMatrix> AxialPositions(size_t count) const;
  Result<FloatMatrix> Positions(std::span<const uint32_t> ids, PositionScheme scheme, size_t width,
                                bool rounded) const;
  Result<FloatMatrix> Finish(FloatMatrix rows) const;
};

// Of `outer`, the weights that lie in no layer: of the stack, or of the whole model. Where none of
// them is a token embedding, only the norm in front of the layers is read, and the width of the
// stream is the one that most matrices of `layers` read. Errors: kBadFile where parts contradict
// each other.
Result<Embedding> ReadEmbedding(const StackContext& context, const LayerParts& outer,
                                std::span<const Weight* const> layers);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_PARTS_EMBEDDING_H_
