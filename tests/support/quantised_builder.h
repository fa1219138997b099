// Packs codes as quantisers store them, bit by bit from each format's definition, and works out
// what they stand for.
#ifndef TENSORGUARD_TESTS_SUPPORT_QUANTISED_BUILDER_H_
#define TENSORGUARD_TESTS_SUPPORT_QUANTISED_BUILDER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/safetensors_builder.h"

namespace tensorguard::internal {

// A matrix as a test made it up: what a quantiser's tensors stand for.
struct QuantisedMatrix {
  uint64_t rows = 0;     // outputs
  uint64_t columns = 0;  // inputs
  unsigned bits = 4;
  uint64_t group = 0;                   // columns that share a scale
  std::vector<uint32_t> codes = {};     // [rows, columns]
  std::vector<uint32_t> zeros = {};     // [rows, groups]
  std::vector<float> scales = {};       // [rows, groups]; float16 holds each exactly
  std::vector<uint32_t> group_of = {};  // of each column

  uint64_t groups() const { return (columns + group - 1) / group; }
  uint32_t Code(uint64_t row, uint64_t column) const { return codes[row * columns + column]; }
  float Scale(uint64_t row, uint64_t column) const {
    return scales[row * groups() + group_of[column]];
  }
  uint32_t Zero(uint64_t row, uint64_t column) const {
    return zeros[row * groups() + group_of[column]];
  }
};

// Codes, zero points and scales from a seed. `act_order`: groups of columns that lie apart.
QuantisedMatrix MakeQuantisedMatrix(uint64_t rows, uint64_t columns, unsigned bits, uint64_t group,
                                    uint64_t seed, bool act_order = false);

// (code - zero point) * scale, rounded to float16, [rows, columns].
std::vector<float> ShiftedValues(const QuantisedMatrix& matrix);

// Tensors of the layer `module`.
std::vector<BuiltTensor> GptqTensors(const std::string& module, const QuantisedMatrix& matrix,
                                     bool version2, bool with_groups = true);
std::vector<BuiltTensor> AwqTensors(const std::string& module, const QuantisedMatrix& matrix);
// Codes and zero points are signed there: less 2^(bits - 1).
std::vector<BuiltTensor> CompressedTensors(const std::string& module, const QuantisedMatrix& matrix,
                                           bool with_zeros, bool with_groups = false);
// code * scale + bias, the biases being those of `biases` ([rows, groups]).
std::vector<BuiltTensor> MlxTensors(const std::string& module, const QuantisedMatrix& matrix,
                                    const std::vector<float>& biases);

// Raw bytes of numbers, for BuiltTensor.
template <typename T>
std::string BytesOf(const std::vector<T>& numbers) {
  return std::string(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(T));
}

// float16 bytes. REQUIRES: float16 holds each number.
std::string HalfBytes(const std::vector<float>& numbers);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TESTS_SUPPORT_QUANTISED_BUILDER_H_
