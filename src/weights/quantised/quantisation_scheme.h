// What every way of storing quantised weights is read through: from stored tensors to one decoder.
#ifndef TENSORGUARD_WEIGHTS_QUANTISED_QUANTISATION_SCHEME_H_
#define TENSORGUARD_WEIGHTS_QUANTISED_QUANTISATION_SCHEME_H_

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tensorguard/result.h"
#include "weights/quantised/grouped_tensor.h"
#include "weights/quantised/quantisation_config.h"
#include "weights/weight_source.h"

namespace tensorguard::internal {

// The stored tensors by name.
class StoredTensors {
 public:
  explicit StoredTensors(const WeightSource& source);

  const WeightSource& source() const { return source_; }
  const TensorInfo& operator[](size_t tensor) const { return source_.tensors()[tensor]; }
  std::optional<size_t> Find(const std::string& name) const;

 private:
  const WeightSource& source_;
  std::map<std::string_view, size_t> by_name_;
};

// One tensor of the model as it was before it was quantised.
struct QuantisedTensor {
  TensorInfo info;  // the decoded one
  std::shared_ptr<const TensorDecoder> decoder;
  std::vector<size_t> parts;  // stored tensors that it is made of
  // The decoder's matrices are turned round: `info.shape` ends with [inputs, outputs].
  bool input_major = false;
  // Fewer rows at a time cost as much as this many, because codes of several rows share words.
  uint64_t rows_together = 1;
};

struct SchemeInput {
  const StoredTensors& stored;
  const QuantisationConfig& config;
};

// Empty if `tensor` is not the codes of this scheme. Errors: kBadFile, naming the tensor, where a
// part is missing or shapes, types and config contradict each other; kUnsupported for a variant
// that is not read.
using ReadScheme = Result<std::optional<QuantisedTensor>> (*)(const SchemeInput& input,
                                                              size_t tensor);

Result<std::optional<QuantisedTensor>> ReadGptqOrAwq(const SchemeInput& input, size_t tensor);
Result<std::optional<QuantisedTensor>> ReadCompressedTensor(const SchemeInput& input,
                                                            size_t tensor);
Result<std::optional<QuantisedTensor>> ReadBitsandbytes(const SchemeInput& input, size_t tensor);
Result<std::optional<QuantisedTensor>> ReadMlx(const SchemeInput& input, size_t tensor);
Result<std::optional<QuantisedTensor>> ReadMxfp4(const SchemeInput& input, size_t tensor);
Result<std::optional<QuantisedTensor>> ReadHqq(const SchemeInput& input, size_t tensor);
Result<std::optional<QuantisedTensor>> ReadBitnet(const SchemeInput& input, size_t tensor);
Result<std::optional<QuantisedTensor>> ReadScaledNumbers(const SchemeInput& input, size_t tensor);

// `name` without `ending`; empty if it does not end so.
std::optional<std::string> WithoutEnding(std::string_view name, std::string_view ending);

// A matrix, or matrices stacked in leading dimensions.
struct MatrixShape {
  uint64_t matrices = 1;
  uint64_t rows = 0;
  uint64_t columns = 0;
};

// Errors: kBadFile unless the tensor has two or more dimensions, none of them zero or 2^31 or more.
Result<MatrixShape> MatrixShapeOf(const TensorInfo& tensor);

// A quantised tensor with the name and dimensions given; the place and the type of the decoded
// numbers, the bytes of all parts and what DescribeError needs are filled in.
QuantisedTensor MakeQuantised(const SchemeInput& input, std::string name, DType dtype,
                              std::vector<uint64_t> shape, std::vector<size_t> parts,
                              std::string quantisation);

// The tensor `name`. Errors: kBadFile, naming the codes that need it.
Result<size_t> PartOf(const SchemeInput& input, size_t codes, const std::string& name);

// Error{kBadFile}: the codes need `missing`, which no tensor is called.
Error LacksPart(const TensorInfo& codes, std::string missing);

// Its one number. Errors: kBadFile if it has more, or one that is not finite or zero.
Result<float> ScalarOf(const SchemeInput& input, size_t tensor);

// Up to 16 integers of 32 or 64 bits. Errors: kBadFile for others, or negative ones.
Result<std::vector<uint64_t>> IntegersOf(const SchemeInput& input, size_t tensor);

// Error{kBadFile} about a tensor.
Error Contradiction(const TensorInfo& tensor, std::string problem, std::string found,
                    std::string expected);

// "[4096, 512]".
std::string ShapeText(std::span<const uint64_t> shape);

// Whether the type is one of the eight-bit floats with a mantissa.
bool IsFp8(DType dtype);

// Whether products are rounded to the type of the scales: F16 and BF16 are; others give F32.
DType ResultOfScales(DType scales);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_QUANTISED_QUANTISATION_SCHEME_H_
