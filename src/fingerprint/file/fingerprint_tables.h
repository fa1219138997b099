// The tensors of a fingerprint file, described once for writing, reading and rounding.
#ifndef TENSORGUARD_FINGERPRINT_FILE_FINGERPRINT_TABLES_H_
#define TENSORGUARD_FINGERPRINT_FILE_FINGERPRINT_TABLES_H_

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fingerprint/fingerprint.h"

namespace tensorguard::internal {

struct KernelTable {
  std::string_view name;
  FloatMatrix LayerResponse::*kernel;
};

// The kernels of all anchors, by their names in the file.
inline constexpr std::array<KernelTable, 3> kKernelTables = {{
    {"query_key", &LayerResponse::query_key},
    {"output_value", &LayerResponse::output_value},
    {"feed_forward", &LayerResponse::feed_forward},
}};

// Units of a frame have numbers in [-1, 1].
inline constexpr float kUnitStep = 1.0f / 128;

// What is done with each tensor. A tensor of no items is not in the file. Implementations keep
// their first error and do nothing after it.
class TableVisitor {
 public:
  virtual ~TableVisitor() = default;

  // U32 [n]: one item after the other.
  virtual void Words(const std::string& name, const std::vector<std::vector<uint32_t>*>& items) = 0;
  // I8 [rows of all items, columns]: multiples of `step`.
  virtual void Steps(const std::string& name, float step,
                     const std::vector<FloatMatrix*>& items) = 0;
  // I8 [items, rows, columns] and F32 "NAME.scale" [items, rows]: ByteRow for each row.
  virtual void ByteRows(const std::string& name, const std::vector<FloatMatrix*>& items) = 0;
  // F16 [items, rows, columns] and F32 "NAME.scale" [items]: HalfBlock for each item.
  virtual void Halves(const std::string& name, const std::vector<FloatMatrix*>& items) = 0;
  // F64 [n].
  virtual void Doubles(const std::string& name, const std::vector<double*>& values) = 0;
  // F32 [n, width].
  virtual void Floats(const std::string& name, const std::vector<std::span<float>>& items) = 0;
  // U8 [n, width].
  virtual void Bytes(const std::string& name, const std::vector<std::span<uint8_t>>& items) = 0;
};

// Calls `visitor` for every tensor. Matrices must have their shapes already, and weights the
// measures of groups that their shapes allow; optional numbers must be set where the file has them.
void VisitTables(Fingerprint& fingerprint, TableVisitor& visitor);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FINGERPRINT_FILE_FINGERPRINT_TABLES_H_
