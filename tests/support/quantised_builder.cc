#include "tests/support/quantised_builder.h"

#include <algorithm>
#include <random>

namespace tensorguard::internal {
namespace {

// Codes in a row of `words` 32-bit words, of which `put` gives each a first bit.
class Words {
 public:
  explicit Words(uint64_t count) : words_(count) {}

  void Put(uint64_t first_bit, unsigned bits, uint32_t code) {
    for (unsigned bit = 0; bit < bits; ++bit) {
      const uint64_t place = first_bit + bit;
      words_.at(place / 32) |= (code >> bit & 1u) << (place % 32);
    }
  }

  const std::vector<uint32_t>& words() const { return words_; }

 private:
  std::vector<uint32_t> words_;
};

BuiltTensor Half(std::string name, std::vector<uint64_t> shape, const std::vector<float>& numbers) {
  return {std::move(name), "F16", std::move(shape), HalfBytes(numbers)};
}

BuiltTensor Integers(std::string name, const char* dtype, std::vector<uint64_t> shape,
                     const std::vector<uint32_t>& numbers) {
  return {std::move(name), dtype, std::move(shape), BytesOf(numbers)};
}

template <typename T>
std::vector<T> Transposed(const std::vector<T>& matrix, uint64_t rows, uint64_t columns) {
  std::vector<T> turned(matrix.size());
  for (uint64_t r = 0; r < rows; ++r) {
    for (uint64_t c = 0; c < columns; ++c) turned[c * rows + r] = matrix[r * columns + c];
  }
  return turned;
}

// Rows of codes one after the other, each a stream of bits that fills whole words.
std::vector<uint32_t> Streams(const std::vector<uint32_t>& codes, uint64_t rows, uint64_t columns,
                              unsigned bits) {
  Words words(rows * columns * bits / 32);
  for (uint64_t i = 0; i < rows * columns; ++i) words.Put(i * bits, bits, codes[i]);
  return words.words();
}

// floor(32 / bits) codes of a row in a word.
std::vector<uint32_t> WholeWords(const std::vector<uint32_t>& codes, uint64_t rows,
                                 uint64_t columns, unsigned bits) {
  const uint64_t each = 32 / bits;
  const uint64_t row_words = (columns + each - 1) / each;
  Words words(rows * row_words);
  for (uint64_t r = 0; r < rows; ++r) {
    for (uint64_t c = 0; c < columns; ++c) {
      words.Put((r * row_words + c / each) * 32 + c % each * bits, bits, codes[r * columns + c]);
    }
  }
  return words.words();
}

// The numbers of outputs in the order in which AWQ puts them into a word.
std::vector<uint32_t> AwqOrder(const std::vector<uint32_t>& codes) {
  constexpr uint64_t kOrder[] = {0, 2, 4, 6, 1, 3, 5, 7};
  std::vector<uint32_t> ordered(codes.size());
  for (uint64_t i = 0; i < codes.size(); ++i) ordered[i] = codes[i - i % 8 + kOrder[i % 8]];
  return ordered;
}

}  // namespace

QuantisedMatrix MakeQuantisedMatrix(uint64_t rows, uint64_t columns, unsigned bits, uint64_t group,
                                    uint64_t seed, bool act_order) {
  std::mt19937_64 random(seed);
  QuantisedMatrix matrix = {.rows = rows, .columns = columns, .bits = bits, .group = group};
  for (uint64_t i = 0; i < rows * columns; ++i) {
    matrix.codes.push_back(static_cast<uint32_t>(random() % (1u << bits)));
  }
  for (uint64_t i = 0; i < rows * matrix.groups(); ++i) {
    matrix.zeros.push_back(static_cast<uint32_t>(random() % (1u << bits)));
    matrix.scales.push_back(static_cast<float>(1 + random() % 63) / 1024);
  }
  for (uint64_t c = 0; c < columns; ++c) {
    matrix.group_of.push_back(static_cast<uint32_t>(c / group));
  }
  if (act_order) std::shuffle(matrix.group_of.begin(), matrix.group_of.end(), random);
  return matrix;
}

std::vector<float> ShiftedValues(const QuantisedMatrix& matrix) {
  std::vector<float> values;
  for (uint64_t r = 0; r < matrix.rows; ++r) {
    for (uint64_t c = 0; c < matrix.columns; ++c) {
      const int steps = static_cast<int>(matrix.Code(r, c)) - static_cast<int>(matrix.Zero(r, c));
      values.push_back(static_cast<float>(
          static_cast<_Float16>(static_cast<float>(steps) * matrix.Scale(r, c))));
    }
  }
  return values;
}

std::vector<BuiltTensor> GptqTensors(const std::string& module, const QuantisedMatrix& matrix,
                                     bool version2, bool with_groups) {
  const uint64_t groups = matrix.groups();
  const auto zeros = Transposed(matrix.zeros, matrix.rows, groups);
  std::vector<uint32_t> stored = zeros;
  for (uint32_t& zero : stored) {
    if (!version2) zero = (zero + (1u << matrix.bits) - 1) % (1u << matrix.bits);
  }
  const uint64_t code_words = matrix.columns * matrix.bits / 32;
  const auto codes = Streams(matrix.codes, matrix.rows, matrix.columns, matrix.bits);
  std::vector<BuiltTensor> tensors = {
      Integers(module + ".qweight", "I32", {code_words, matrix.rows},
               Transposed(codes, matrix.rows, code_words)),
      Integers(module + ".qzeros", "I32", {groups, matrix.rows * matrix.bits / 32},
               Streams(stored, groups, matrix.rows, matrix.bits)),
      Half(module + ".scales", {groups, matrix.rows},
           Transposed(matrix.scales, matrix.rows, groups))};
  if (with_groups) {
    tensors.push_back(Integers(module + ".g_idx", "I32", {matrix.columns}, matrix.group_of));
  }
  return tensors;
}

std::vector<BuiltTensor> AwqTensors(const std::string& module, const QuantisedMatrix& matrix) {
  const uint64_t groups = matrix.groups();
  const auto codes = AwqOrder(Transposed(matrix.codes, matrix.rows, matrix.columns));
  const auto zeros = AwqOrder(Transposed(matrix.zeros, matrix.rows, groups));
  return {Integers(module + ".qweight", "I32", {matrix.columns, matrix.rows / 8},
                   Streams(codes, matrix.columns, matrix.rows, 4)),
          Integers(module + ".qzeros", "I32", {groups, matrix.rows / 8},
                   Streams(zeros, groups, matrix.rows, 4)),
          Half(module + ".scales", {groups, matrix.rows},
               Transposed(matrix.scales, matrix.rows, groups))};
}

std::vector<BuiltTensor> CompressedTensors(const std::string& module, const QuantisedMatrix& matrix,
                                           bool with_zeros, bool with_groups) {
  const uint64_t groups = matrix.groups();
  const uint64_t each = 32 / matrix.bits;
  std::vector<BuiltTensor> tensors = {
      Integers(module + ".weight_packed", "I32", {matrix.rows, (matrix.columns + each - 1) / each},
               WholeWords(matrix.codes, matrix.rows, matrix.columns, matrix.bits)),
      Half(module + ".weight_scale", {matrix.rows, groups}, matrix.scales),
      {module + ".weight_shape", "I64", {2}, BytesOf<uint64_t>({matrix.rows, matrix.columns})}};
  if (with_zeros) {
    const uint64_t words = (matrix.rows + each - 1) / each;
    const auto packed =
        WholeWords(Transposed(matrix.zeros, matrix.rows, groups), groups, matrix.rows, matrix.bits);
    tensors.push_back(Integers(module + ".weight_zero_point", "I32", {words, groups},
                               Transposed(packed, groups, words)));
  }
  if (with_groups) {
    tensors.push_back(Integers(module + ".weight_g_idx", "I32", {matrix.columns}, matrix.group_of));
  }
  return tensors;
}

std::vector<BuiltTensor> MlxTensors(const std::string& module, const QuantisedMatrix& matrix,
                                    const std::vector<float>& biases) {
  const std::vector<uint64_t> groups = {matrix.rows, matrix.groups()};
  return {Integers(module + ".weight", "U32", {matrix.rows, matrix.columns * matrix.bits / 32},
                   Streams(matrix.codes, matrix.rows, matrix.columns, matrix.bits)),
          Half(module + ".scales", groups, matrix.scales),
          Half(module + ".biases", groups, biases)};
}

std::string HalfBytes(const std::vector<float>& numbers) {
  std::vector<_Float16> halves;
  for (const float number : numbers) halves.push_back(static_cast<_Float16>(number));
  return BytesOf(halves);
}

}  // namespace tensorguard::internal
