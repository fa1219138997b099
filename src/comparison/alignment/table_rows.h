// Which rows of a vocabulary table are another table's.
#ifndef TENSORGUARD_COMPARISON_ALIGNMENT_TABLE_ROWS_H_
#define TENSORGUARD_COMPARISON_ALIGNMENT_TABLE_ROWS_H_

#include <cstddef>
#include <optional>

#include "fingerprint/fingerprint.h"

namespace tensorguard::internal {

// A table of a row for each token: the embedding, or the output head.
bool IsVocabularyTable(const WeightSummary& weight);

// Shares of a table's rows; they sum to one.
struct RowShares {
  double same = 0;     // equal numbers, at any place of the other table
  double changed = 0;  // at the same place, alike beyond chance
  double nothing = 0;
};

// Of the rows of `table`, from the samples of both. Empty where one has no sample, or the rows have
// different lengths.
std::optional<RowShares> CompareRows(const WeightSummary& table, const WeightSummary& other);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_COMPARISON_ALIGNMENT_TABLE_ROWS_H_
