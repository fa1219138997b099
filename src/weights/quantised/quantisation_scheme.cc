#include "weights/quantised/quantisation_scheme.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/checked.h"
#include "base/try.h"
#include "weights/elements/element_types.h"

namespace tensorguard::internal {
namespace {

constexpr uint64_t kMostElementsOfADimension = (uint64_t{1} << 31) - 1;
constexpr uint64_t kMostIntegers = 16;

}  // namespace

StoredTensors::StoredTensors(const WeightSource& source) : source_(source) {
  const auto& tensors = source.tensors();
  for (size_t i = 0; i < tensors.size(); ++i) by_name_.emplace(tensors[i].name, i);
}

std::optional<size_t> StoredTensors::Find(const std::string& name) const {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return {};
  return found->second;
}

std::optional<std::string> WithoutEnding(std::string_view name, std::string_view ending) {
  if (name.size() <= ending.size() || !name.ends_with(ending)) return {};
  return std::string(name.substr(0, name.size() - ending.size()));
}

Result<MatrixShape> MatrixShapeOf(const TensorInfo& tensor) {
  const auto& shape = tensor.shape;
  const bool fits =
      shape.size() >= 2 && std::all_of(shape.begin(), shape.end(), [](uint64_t dimension) {
        return dimension > 0 && dimension <= kMostElementsOfADimension;
      });
  if (!fits) {
    return Contradiction(tensor, "shape is not that of a quantised matrix", ShapeText(shape),
                         "two or more dimensions of 1 to 2^31 - 1");
  }
  MatrixShape matrix = {1, shape[shape.size() - 2], shape.back()};
  // The product of all dimensions is known not to overflow.
  for (size_t i = 0; i + 2 < shape.size(); ++i) matrix.matrices *= shape[i];
  return matrix;
}

QuantisedTensor MakeQuantised(const SchemeInput& input, std::string name, DType dtype,
                              std::vector<uint64_t> shape, std::vector<size_t> parts,
                              std::string quantisation) {
  QuantisedTensor tensor;
  tensor.info.name = std::move(name);
  tensor.info.dtype = dtype;
  tensor.info.element_count = ElementCount(shape).value_or(0);
  tensor.info.shape = std::move(shape);
  tensor.info.file = input.stored[parts.front()].file;
  tensor.info.quantisation = std::move(quantisation);
  for (const size_t part : parts) tensor.info.stored_bytes += input.stored[part].stored_bytes;
  tensor.parts = std::move(parts);
  return tensor;
}

Result<size_t> PartOf(const SchemeInput& input, size_t codes, const std::string& name) {
  if (const auto found = input.stored.Find(name)) return *found;
  return LacksPart(input.stored[codes], name);
}

Error LacksPart(const TensorInfo& codes, std::string missing) {
  return Contradiction(codes, "a quantised weight lacks one of its tensors",
                       "no tensor of that name", std::move(missing));
}

Result<float> ScalarOf(const SchemeInput& input, size_t tensor) {
  const TensorInfo& info = input.stored[tensor];
  if (info.element_count != 1 || !IsReal(info.dtype)) {
    return Contradiction(info, "scale of a whole tensor is not one number", ShapeText(info.shape),
                         "one number");
  }
  float number = 0;
  TG_TRY(input.stored.source().ReadFloat32(tensor, 0, std::span(&number, 1)));
  if (std::isfinite(number) && number != 0) return number;
  return Contradiction(info, "scale of a whole tensor makes no sense", fmt::format("{}", number),
                       "a number other than zero");
}

Result<std::vector<uint64_t>> IntegersOf(const SchemeInput& input, size_t tensor) {
  const TensorInfo& info = input.stored[tensor];
  const bool wide = info.dtype == DType::kI64;
  if ((!wide && info.dtype != DType::kI32) || info.element_count > kMostIntegers) {
    return Contradiction(info, "tensor does not hold a few integers",
                         fmt::format("{} {}", InfoOf(info.dtype).name, ShapeText(info.shape)),
                         fmt::format("at most {} of I32 or I64", kMostIntegers));
  }
  const size_t bytes_each = wide ? 8 : 4;
  std::vector<std::byte> bytes(info.element_count * bytes_each);
  TG_TRY(input.stored.source().ReadBytes(tensor, 0, bytes));
  std::vector<uint64_t> integers(info.element_count);
  for (size_t i = 0; i < integers.size(); ++i) {
    std::memcpy(&integers[i], bytes.data() + i * bytes_each, bytes_each);
  }
  const uint64_t sign = uint64_t{1} << (bytes_each * 8 - 1);
  if (std::any_of(integers.begin(), integers.end(),
                  [sign](uint64_t integer) { return (integer & sign) != 0; })) {
    return Contradiction(info, "tensor holds a negative size", "a negative number",
                         "numbers from 0 on");
  }
  return integers;
}

Error Contradiction(const TensorInfo& tensor, std::string problem, std::string found,
                    std::string expected) {
  return {.problem = std::move(problem),
          .file = tensor.file,
          .tensor = tensor.name,
          .found = std::move(found),
          .expected = std::move(expected)};
}

std::string ShapeText(std::span<const uint64_t> shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

bool IsFp8(DType dtype) {
  return dtype == DType::kF8E4M3 || dtype == DType::kF8E5M2 || dtype == DType::kF8E4M3Fnuz ||
         dtype == DType::kF8E5M2Fnuz;
}

DType ResultOfScales(DType scales) {
  return scales == DType::kF16 || scales == DType::kBF16 ? scales : DType::kF32;
}

}  // namespace tensorguard::internal
