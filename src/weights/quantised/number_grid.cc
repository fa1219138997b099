#include "weights/quantised/number_grid.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <vector>

#include "base/try.h"
#include "weights/elements/minifloat.h"

namespace tensorguard::internal {
namespace {

static_assert(std::endian::native == std::endian::little, "the stored words are read as they are");

// Words of `tile` of a stored matrix, row by row. A tile of whole rows is read at once.
Result<std::vector<uint32_t>> ReadWords(const WeightSource& stored, size_t tensor,
                                        unsigned word_bits, uint64_t word_columns,
                                        const Tile& tile) {
  const size_t word_bytes = word_bits / 8;
  std::vector<std::byte> bytes(tile.element_count() * word_bytes);
  const bool whole_rows = tile.columns == word_columns;
  const uint64_t reads = whole_rows ? 1 : tile.rows;
  const size_t read_bytes = bytes.size() / std::max<uint64_t>(reads, 1);
  for (uint64_t i = 0; i < reads; ++i) {
    const uint64_t first = (tile.first_row + i) * word_columns + tile.first_column;
    TG_TRY(stored.ReadBytes(tensor, first * word_bytes,
                            std::span(bytes).subspan(i * read_bytes, read_bytes)));
  }
  std::vector<uint32_t> words(tile.element_count());
  if (word_bits == 32) {
    std::memcpy(words.data(), bytes.data(), bytes.size());
  } else {
    std::transform(bytes.begin(), bytes.end(), words.begin(),
                   [](std::byte byte) { return static_cast<uint32_t>(byte); });
  }
  return words;
}

class PlainGrid : public NumberGrid {
 public:
  explicit PlainGrid(const PlainGridLayout& layout) : layout_(layout) {}

  Result<void> Read(const WeightSource& stored, const Tile& tile,
                    const TileOutput& out) const override {
    std::vector<float> row;
    const bool direct = out.column_stride == 1;
    const bool whole_rows =
        direct && tile.columns == layout_.columns && out.row_stride == tile.columns;
    const uint64_t reads = whole_rows ? 1 : tile.rows;
    const size_t count = whole_rows ? tile.element_count() : tile.columns;
    if (!direct) row.resize(count);
    for (uint64_t r = 0; r < reads; ++r) {
      float* to = out.data + r * out.row_stride;
      const auto numbers = direct ? std::span(to, count) : std::span(row);
      const uint64_t first = (tile.first_row + r) * layout_.columns + tile.first_column;
      auto read = stored.ReadFloat32(layout_.tensor, first, numbers);
      if (!read) return read;
      if (layout_.table) {
        for (float& number : numbers) number = (*layout_.table)[static_cast<uint8_t>(number)];
      }
      for (size_t c = 0; !direct && c < count; ++c) to[c * out.column_stride] = row[c];
    }
    return {};
  }

 private:
  PlainGridLayout layout_;
};

class PackedGrid : public NumberGrid {
 public:
  explicit PackedGrid(const PackedGridLayout& layout) : layout_(layout) {}

  Result<void> Read(const WeightSource& stored, const Tile& tile,
                    const TileOutput& out) const override {
    const bool along_rows = layout_.along_rows;
    const auto codes = PlacesOf(along_rows ? tile.first_row : tile.first_column,
                                along_rows ? tile.rows : tile.columns);
    const uint64_t word_count = codes.last_word - codes.first_word + 1;
    const Tile words_tile =
        along_rows ? Tile{codes.first_word, word_count, tile.first_column, tile.columns}
                   : Tile{tile.first_row, tile.rows, codes.first_word, word_count};
    TG_ASSIGN(const auto words, ReadWords(stored, layout_.tensor, layout_.word_bits,
                                          layout_.word_columns, words_tile));
    // Lines are what codes are packed along; consecutive words of one lie `step` apart.
    const uint64_t lines = along_rows ? tile.columns : tile.rows;
    const size_t step = along_rows ? tile.columns : 1;
    const size_t line_step = along_rows ? 1 : word_count;
    const size_t out_step = along_rows ? out.row_stride : out.column_stride;
    const size_t out_line_step = along_rows ? out.column_stride : out.row_stride;
    for (uint64_t line = 0; line < lines; ++line) {
      Unpack(words.data() + line * line_step, step, codes.places, out.data + line * out_line_step,
             out_step);
    }
    return {};
  }

 private:
  struct Place {
    uint32_t word;  // counted from the first that is read
    uint8_t shift;
    bool in_two_words;
  };
  struct Places {
    uint64_t first_word;
    uint64_t last_word;
    std::vector<Place> places;
  };

  Place PlaceOf(uint64_t code, uint64_t first_word) const {
    uint64_t word = 0;
    uint64_t shift = 0;
    if (layout_.codes_per_word == 0) {
      word = code * layout_.bits / layout_.word_bits;
      shift = code * layout_.bits % layout_.word_bits;
    } else {
      const uint64_t in_word = code % layout_.codes_per_word;
      word = code / layout_.codes_per_word;
      shift = (layout_.codes_per_word == 8 ? layout_.places[in_word] : in_word) * layout_.bits;
    }
    return {static_cast<uint32_t>(word - first_word), static_cast<uint8_t>(shift),
            shift + layout_.bits > layout_.word_bits};
  }

  Places PlacesOf(uint64_t first_code, uint64_t count) const {
    const uint64_t first_word = PlaceOf(first_code, 0).word;
    const Place last = PlaceOf(first_code + count - 1, 0);
    Places places = {first_word, last.word + (last.in_two_words ? 1u : 0u), {}};
    places.places.reserve(count);
    for (uint64_t i = 0; i < count; ++i) {
      places.places.push_back(PlaceOf(first_code + i, first_word));
    }
    return places;
  }

  void Unpack(const uint32_t* words, size_t step, std::span<const Place> places, float* out,
              size_t out_step) const {
    const uint64_t mask = (1u << layout_.bits) - 1;
    for (size_t i = 0; i < places.size(); ++i) {
      const Place place = places[i];
      uint64_t word = words[place.word * step];
      if (place.in_two_words) {
        word |= static_cast<uint64_t>(words[(place.word + 1) * step]) << layout_.word_bits;
      }
      out[i * out_step] = layout_.table[word >> place.shift & mask];
    }
  }

  PackedGridLayout layout_;
};

class PlaneGrid : public NumberGrid {
 public:
  explicit PlaneGrid(const PlaneGridLayout& layout) : layout_(layout) {}

  Result<void> Read(const WeightSource& stored, const Tile& tile,
                    const TileOutput& out) const override {
    const uint32_t mask = (1u << layout_.bits) - 1;
    for (uint64_t done = 0; done < tile.rows;) {
      const uint64_t row = tile.first_row + done;
      const uint64_t plane = row / layout_.word_rows;
      const uint64_t word_row = row % layout_.word_rows;
      const uint64_t rows = std::min(layout_.word_rows - word_row, tile.rows - done);
      TG_ASSIGN(const auto words,
                ReadWords(stored, layout_.tensor, layout_.word_bits, layout_.word_columns,
                          {word_row, rows, tile.first_column, tile.columns}));
      const uint64_t place = layout_.first_plane_lowest ? plane : layout_.planes - 1 - plane;
      const uint64_t shift = place * layout_.bits;
      for (uint64_t r = 0; r < rows; ++r) {
        float* to = out.data + (done + r) * out.row_stride;
        for (uint64_t c = 0; c < tile.columns; ++c) {
          const uint32_t code = words[r * tile.columns + c] >> shift & mask;
          to[c * out.column_stride] = layout_.table[code];
        }
      }
      done += rows;
    }
    return {};
  }

 private:
  PlaneGridLayout layout_;
};

}  // namespace

CodeTable IntegerTable(int offset) {
  return TableOfCodes(
      8, [offset](uint32_t code) { return static_cast<float>(static_cast<int>(code) + offset); });
}

CodeTable TableOfCodes(unsigned bits, const std::function<float(uint32_t code)>& value_of) {
  CodeTable table = {};
  for (uint32_t code = 0; code < (1u << bits); ++code) table[code] = value_of(code);
  return table;
}

const CodeTable& Fp4Table() {
  static const CodeTable table =
      TableOfCodes(4, [](uint32_t code) { return MinifloatValue(kF4E2M1, code); });
  return table;
}

const CodeTable& Fp8Table() {
  static const CodeTable table =
      TableOfCodes(8, [](uint32_t code) { return MinifloatValue(kF8E4M3, code); });
  return table;
}

const CodeTable& ExponentTable() {
  static const CodeTable table = TableOfCodes(8, E8M0Value);
  return table;
}

std::shared_ptr<const NumberGrid> MakePlainGrid(const PlainGridLayout& layout) {
  return std::make_shared<PlainGrid>(layout);
}

std::shared_ptr<const NumberGrid> MakePackedGrid(const PackedGridLayout& layout) {
  return std::make_shared<PackedGrid>(layout);
}

std::shared_ptr<const NumberGrid> MakePlaneGrid(const PlaneGridLayout& layout) {
  return std::make_shared<PlaneGrid>(layout);
}

}  // namespace tensorguard::internal
