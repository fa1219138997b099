#include "comparison/alignment/table_rows.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "comparison/alignment/sketch_products.h"

namespace tensorguard::internal {
namespace {

// Rows that are held against their counterparts together: their projections give a cosine with an
// error of 1 / sqrt(kRowsTogether * kRowProjections), 0.09.
constexpr size_t kRowsTogether = 64;
// Five errors.
constexpr double kRowsAlike = 0.45;

// Equal digests at one place or anywhere. A row of a sample of a larger table may lie outside the
// other's sample; tables of one size are sampled at the same places.
std::vector<bool> SameRows(const RowSample& rows, const RowSample& others) {
  std::vector<uint32_t> known(others.digests.begin(), others.digests.end());
  std::sort(known.begin(), known.end());
  std::vector<bool> same(rows.digests.size());
  for (size_t i = 0; i < same.size(); ++i) {
    same[i] = std::binary_search(known.begin(), known.end(), rows.digests[i]);
  }
  return same;
}

// What all rows share says nothing about which is which.
FloatMatrix Centred(FloatMatrix projections) {
  for (size_t column = 0; column < projections.columns(); ++column) {
    double sum = 0;
    for (size_t row = 0; row < projections.rows(); ++row) sum += projections.Row(row)[column];
    const auto mean = static_cast<float>(sum / static_cast<double>(projections.rows()));
    for (size_t row = 0; row < projections.rows(); ++row) projections.Row(row)[column] -= mean;
  }
  return projections;
}

// Of the rows that are not the same, those in groups that are alike.
size_t AlikeRows(const RowSample& rows, const RowSample& others, const std::vector<bool>& same) {
  const FloatMatrix projections = Centred(rows.projections);
  const FloatMatrix other_projections = Centred(others.projections);
  const size_t count = std::min(projections.rows(), other_projections.rows());
  std::vector<float> in_a;
  std::vector<float> in_b;
  size_t alike = 0;
  size_t grouped = 0;
  const auto close = [&] {
    if (grouped > 0 && CosineOf(ProductsOf(in_a, in_b)) >= kRowsAlike) alike += grouped;
    in_a.clear();
    in_b.clear();
    grouped = 0;
  };
  for (size_t i = 0; i < count; ++i) {
    if (same[i]) continue;
    const auto row = projections.Row(i);
    const auto other = other_projections.Row(i);
    in_a.insert(in_a.end(), row.begin(), row.end());
    in_b.insert(in_b.end(), other.begin(), other.end());
    if (++grouped == kRowsTogether) close();
  }
  // A handful of rows gives no cosine to rely on.
  if (grouped >= kRowsTogether / 4) close();
  return alike;
}

}  // namespace

bool IsVocabularyTable(const WeightSummary& weight) {
  const Role role = weight.role.role;
  return !weight.is_vector && (role == Role::kEmbedding || role == Role::kOutputHead);
}

std::optional<RowShares> CompareRows(const WeightSummary& table, const WeightSummary& other) {
  const RowSample& rows = table.row_sample;
  const RowSample& others = other.row_sample;
  if (rows.digests.empty() || others.digests.empty()) return std::nullopt;
  if (table.columns != other.columns) return std::nullopt;
  const std::vector<bool> same = SameRows(rows, others);
  const auto count = static_cast<double>(same.size());
  RowShares shares;
  shares.same = static_cast<double>(std::count(same.begin(), same.end(), true)) / count;
  // Places mean the same where sampling was the same: all rows, or tables of one size.
  const bool same_places = table.rows == other.rows || (rows.digests.size() == table.rows &&
                                                        others.digests.size() == other.rows);
  if (same_places) shares.changed = static_cast<double>(AlikeRows(rows, others, same)) / count;
  shares.nothing = std::max(0.0, 1 - shares.same - shares.changed);
  return shares;
}

}  // namespace tensorguard::internal
