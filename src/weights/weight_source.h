// A model's tensors as float32 numbers, wherever they come from.
#ifndef TENSORGUARD_WEIGHTS_WEIGHT_SOURCE_H_
#define TENSORGUARD_WEIGHTS_WEIGHT_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/bfloat16.h"
#include "safetensors/dtype.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

struct TensorInfo {
  std::string name;             // attacker text: escape before showing
  DType dtype = DType::kF32;    // as stored
  std::vector<uint64_t> shape;  // as stored, row-major; empty for a scalar
  uint64_t element_count = 0;
  uint64_t stored_bytes = 0;  // in the file
  std::string file;           // path of the file that holds it
  // What a quantiser made of it, for people: "GPTQ 4 bit, groups of 128". Empty: as stored. Else
  // `dtype` and `shape` are those of what is decoded, and `stored_bytes` counts codes and scales.
  std::string quantisation = {};
};

// Tensors of one whole model (all shards; an adapter merged into its base). Never part of one: a
// source exists only if everything it names is there.
//
// Thread-safe: const methods may be called from any thread.
class WeightSource {
 public:
  virtual ~WeightSource() = default;

  // Sorted by name (byte order), names unique.
  virtual const std::vector<TensorInfo>& tensors() const = 0;

  // Elements [first_element, first_element + out.size()) of tensors()[tensor_index] in row-major
  // order as float32. Wider types are rounded to nearest. REQUIRES: the range is inside the tensor.
  // Errors: kBadFile (file shrank), kSystem, kUnsupported (complex numbers).
  virtual Result<void> ReadFloat32(size_t tensor_index, uint64_t first_element,
                                   std::span<float> out) const = 0;

  // Whether the tensor's numbers are bfloat16 and can be read as they are stored.
  virtual bool IsBFloat16(size_t tensor_index) const = 0;

  // The same elements as ReadFloat32, without a conversion. REQUIRES: IsBFloat16(tensor_index), the
  // range is inside the tensor. Errors: kBadFile (file shrank), kSystem.
  virtual Result<void> ReadBFloat16(size_t tensor_index, uint64_t first_element,
                                    std::span<BFloat16> out) const = 0;

  // Bytes [first_byte, first_byte + out.size()) of the tensor as it is stored, row-major and
  // little-endian: for what decodes packed integers. REQUIRES: the range is inside the elements'
  // bytes; elements are whole bytes. Errors: kBadFile (file shrank), kSystem; kUnsupported where
  // numbers do not lie in a file as they are read.
  virtual Result<void> ReadBytes(size_t tensor_index, uint64_t first_byte,
                                 std::span<std::byte> out) const;
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_WEIGHT_SOURCE_H_
