// Softmax attention over one sequence, from queries, keys and values on.
#ifndef TENSORGUARD_NETWORK_ATTENTION_ATTENTION_H_
#define TENSORGUARD_NETWORK_ATTENTION_ATTENTION_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "network/attention/rotary.h"
#include "numerics/float_matrix.h"

namespace tensorguard::internal {

// Heads side by side: head h has columns [h * size, (h + 1) * size).
struct AttentionRows {
  FloatMatrix queries;  // [n, heads * head_size]
  FloatMatrix keys;     // [m, key_heads * head_size]; m: n, or the encoder's length
  FloatMatrix values;   // [m, key_heads * value_size]
};

struct AttentionShape {
  uint64_t heads = 1;
  uint64_t key_heads = 1;  // divides heads; head h reads key head h / (heads / key_heads)
  uint64_t head_size = 0;
  uint64_t value_size = 0;
};

// What the scores are besides scale * q . k.
struct AttentionRule {
  float scale = 1;
  bool causal = true;
  std::optional<uint64_t> window = {};  // keys further back (or ahead) than window - 1 are not seen
  std::optional<uint64_t> window_ahead = {};  // the same ahead, where it differs
  std::optional<uint64_t> chunk = {};         // only keys of the query's own chunk of this length
  std::optional<float> softcap = {};          // c tanh(score / c)
  std::optional<Rotary> rotary = {};
  std::vector<float> slopes = {};  // ALiBi, per head; empty: none
  FloatMatrix bias = {};           // [heads * n, m] added to the scores; empty: none
  // YOSO: a key counts by how likely as many random planes leave it on the query's side, and what
  // the heads give has unit length; in place of all above but the scale's masks.
  std::optional<uint64_t> hash_bits = {};
  std::vector<float> sinks = {};  // per head, a score that only takes probability; empty: none
};

// Whether the query at one position sees the key at another, the bias apart.
bool Sees(const AttentionRule& rule, size_t query, size_t key);

// Each key next to the queries that it is compared with: [n, heads * head_size].
FloatMatrix RepeatHeads(const FloatMatrix& keys, const AttentionShape& shape);

// to += rows. REQUIRES: the same shape.
void Add(const FloatMatrix& rows, FloatMatrix& to);

// Every head of rows [n, heads * size] to unit length.
void ScaleToUnitLength(size_t size, FloatMatrix& rows);

// Turns every head of rows [n, heads * head_size] as its position wants it.
void RotateHeads(const Rotary& rotary, uint64_t head_size, FloatMatrix& rows);

// [n, heads * value_size], before the output projection. REQUIRES: shapes as above.
FloatMatrix Attend(AttentionRows rows, const AttentionShape& shape, const AttentionRule& rule);

// The same where every row is a sequence of its own: its value, less what the sink takes. Without
// sinks queries and keys may be left out.
FloatMatrix AttendAlone(const AttentionRows& rows, const AttentionShape& shape,
                        const AttentionRule& rule);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_ATTENTION_ATTENTION_H_
