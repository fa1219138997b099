// Matrices of small numbers (codes, scales, zero points) as quantisers store them.
#ifndef TENSORGUARD_WEIGHTS_QUANTISED_NUMBER_GRID_H_
#define TENSORGUARD_WEIGHTS_QUANTISED_NUMBER_GRID_H_

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "tensorguard/result.h"
#include "weights/weight_source.h"

namespace tensorguard::internal {

// Part of a matrix.
struct Tile {
  uint64_t first_row = 0;
  uint64_t rows = 0;
  uint64_t first_column = 0;
  uint64_t columns = 0;

  uint64_t element_count() const { return rows * columns; }
};

// Where the numbers of a tile go: number (r, c) to data[r * row_stride + c * column_stride].
struct TileOutput {
  float* data;
  size_t row_stride;
  size_t column_stride;
};

// What each stored integer of up to 8 bits means.
using CodeTable = std::array<float, 256>;

// The code itself plus `offset`.
CodeTable IntegerTable(int offset = 0);
// Values of `value_of` for the codes of `bits` bits.
CodeTable TableOfCodes(unsigned bits, const std::function<float(uint32_t code)>& value_of);
// OCP FP4 (E2M1), E4M3 and E8M0 (an exponent alone).
const CodeTable& Fp4Table();
const CodeTable& Fp8Table();
const CodeTable& ExponentTable();

// A matrix that is read in tiles. Const methods may be called from any thread.
class NumberGrid {
 public:
  virtual ~NumberGrid() = default;

  // REQUIRES: the tile lies inside the matrix. Errors: those of the source.
  virtual Result<void> Read(const WeightSource& stored, const Tile& tile,
                            const TileOutput& out) const = 0;
};

// Numbers one by one, of any real type. A table gives the meaning of bytes.
struct PlainGridLayout {
  size_t tensor = 0;
  uint64_t columns = 0;  // of a stored row
  std::optional<CodeTable> table = {};
};
std::shared_ptr<const NumberGrid> MakePlainGrid(const PlainGridLayout& layout);

// Codes packed in words along rows or columns of the matrix, the first in the lowest bits.
struct PackedGridLayout {
  size_t tensor = 0;
  uint64_t word_columns = 0;  // words of a stored row
  unsigned word_bits = 32;    // 8 or 32
  unsigned bits = 4;          // of a code, at most 8
  // 0: a stream without gaps, in which a code may lie in two words.
  unsigned codes_per_word = 0;
  // Which code of its word, counted from the lowest bits, holds each of eight.
  std::array<uint8_t, 8> places = {0, 1, 2, 3, 4, 5, 6, 7};
  bool along_rows = false;  // a word holds codes of one column, else of one row
  CodeTable table = {};
};
std::shared_ptr<const NumberGrid> MakePackedGrid(const PackedGridLayout& layout);

// Codes of row r in word row r % word_rows: words hold rows that lie far apart.
struct PlaneGridLayout {
  size_t tensor = 0;
  uint64_t word_rows = 0;
  uint64_t word_columns = 0;
  unsigned word_bits = 8;
  unsigned bits = 4;
  unsigned planes = 2;             // codes in a word
  bool first_plane_lowest = true;  // else the first rows are in the highest bits that are used
  CodeTable table = {};
};
std::shared_ptr<const NumberGrid> MakePlaneGrid(const PlaneGridLayout& layout);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_QUANTISED_NUMBER_GRID_H_
