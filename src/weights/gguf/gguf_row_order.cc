#include "weights/gguf/gguf_row_order.h"

#include <fmt/format.h>

#include <string>
#include <utility>

namespace tensorguard::internal {
namespace {

// More than any model has, so that sums of heads cannot overflow.
constexpr uint64_t kMostHeads = 1 << 20;

Error HeadsDoNotFit(uint64_t rows, std::optional<uint64_t> heads, std::string expected) {
  return Error{.problem = "number of heads does not fit the tensor's rows",
               .found = heads ? fmt::format("{} rows for {} heads", rows, *heads)
                              : "no number of heads in the metadata",
               .expected = std::move(expected)};
}

bool AreHeads(std::optional<uint64_t> heads) { return heads && *heads != 0 && *heads < kMostHeads; }

}  // namespace

Result<GgufRowOrder> GgufRowOrder::Of(GgufChange change, uint64_t rows, const GgufHeads& heads) {
  GgufRowOrder order;
  if (change == GgufChange::kQueryRows || change == GgufChange::kKeyRows) {
    const auto count = change == GgufChange::kKeyRows ? heads.keys : heads.queries;
    if (!AreHeads(count) || rows == 0 || rows % (2 * *count) != 0) {
      return HeadsDoNotFit(rows, count, "an even number of rows for each head");
    }
    order.kind_ = Kind::kTurned;
    order.head_rows_ = rows / *count;
  }
  if (change == GgufChange::kFusedHeads || change == GgufChange::kFusedGroups) {
    const auto groups = change == GgufChange::kFusedHeads ? heads.queries : heads.keys;
    const bool known = AreHeads(heads.queries) && AreHeads(groups);
    const uint64_t all = known ? *heads.queries + 2 * *groups : 0;
    if (!known || *heads.queries % *groups != 0 || rows == 0 || rows % all != 0) {
      return HeadsDoNotFit(rows, heads.queries, "rows of each head, its key and its value");
    }
    order.kind_ = Kind::kFused;
    order.head_rows_ = rows / all;
    order.groups_ = *groups;
    order.group_queries_ = *heads.queries / *groups;
  }
  return order;
}

uint64_t GgufRowOrder::StoredRow(uint64_t row) const {
  if (kind_ == Kind::kInOrder) return row;
  const uint64_t in_head = row % head_rows_;
  if (kind_ == Kind::kTurned) {
    const uint64_t half = head_rows_ / 2;
    return row - in_head + 2 * (in_head % half) + in_head / half;
  }
  const uint64_t head = row / head_rows_;
  const uint64_t group = head / (group_queries_ + 2);
  const uint64_t part = head % (group_queries_ + 2);
  const uint64_t queries = groups_ * group_queries_;
  uint64_t stored = group * group_queries_ + part;
  if (part >= group_queries_) stored = queries + (part - group_queries_) * groups_ + group;
  return stored * head_rows_ + in_head;
}

}  // namespace tensorguard::internal
