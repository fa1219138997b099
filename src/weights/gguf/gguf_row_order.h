// Where llama.cpp's converter put the rows of queries, keys and values.
#ifndef TENSORGUARD_WEIGHTS_GGUF_GGUF_ROW_ORDER_H_
#define TENSORGUARD_WEIGHTS_GGUF_GGUF_ROW_ORDER_H_

#include <cstdint>
#include <optional>

#include "tensorguard/result.h"
#include "weights/gguf/gguf_architectures.h"

namespace tensorguard::internal {

// As the metadata has them.
struct GgufHeads {
  std::optional<uint64_t> queries;
  std::optional<uint64_t> keys;  // key-value heads
};

class GgufRowOrder {
 public:
  // Rows as they were.
  GgufRowOrder() = default;

  // The order that `change` made of a tensor's `rows`. Errors: kBadFile, without file and tensor,
  // where the heads do not fit the rows.
  static Result<GgufRowOrder> Of(GgufChange change, uint64_t rows, const GgufHeads& heads);

  bool in_order() const { return kind_ == Kind::kInOrder; }

  // The stored row that was row `row`. REQUIRES: row is below the number of rows.
  uint64_t StoredRow(uint64_t row) const;

 private:
  enum class Kind {
    kInOrder,
    kTurned,  // in each head, row 2 j + p was row j + p head_rows / 2
    kFused    // all queries, all keys, all values: were the same group by group
  };

  Kind kind_ = Kind::kInOrder;
  uint64_t head_rows_ = 0;  // of one head
  // Of a fused tensor: groups, and queries in each.
  uint64_t groups_ = 0;
  uint64_t group_queries_ = 0;
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_GGUF_GGUF_ROW_ORDER_H_
