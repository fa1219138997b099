// The parts of a model by layer and role, each with its origin: what a map of origins shows.
#ifndef TENSORGUARD_REPORT_ORIGIN_GRID_H_
#define TENSORGUARD_REPORT_ORIGIN_GRID_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "comparison/part_origins.h"
#include "fingerprint/fingerprint.h"

namespace tensorguard::internal {

struct OriginCell {
  Origin origin = Origin::kNotComparable;  // of most of its parameters
  OriginCounts counts = {};
};

struct OriginGrid {
  std::vector<std::string> row_names = {};     // roles of matrices
  std::vector<std::string> column_names = {};  // layers: "3", or "encoder 3"; raw text
  // [row][column]; empty where the layer has no such matrix. All experts of a layer are one cell.
  std::vector<std::vector<std::optional<OriginCell>>> cells = {};
  // Vocabulary tables and matrices of no layer, in the order of the file.
  struct Row {
    std::string name;
    OriginCell cell;
  };
  std::vector<Row> outside = {};
};

OriginGrid GridOf(const Fingerprint& model, const ModelOrigins& origins);

// "the same numbers", "the same weights, changed", ...
std::string_view OriginText(Origin origin);

// "12.5%"; never "0.0%" or "100.0%" for what is neither.
std::string ShareText(double share);

// One letter for a map of text: '=', '~', 'r', '.', '?', '-'.
char OriginLetter(Origin origin);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_REPORT_ORIGIN_GRID_H_
