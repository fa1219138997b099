// What shapes add to what names told: fused halves, heads, orientation, matrices without a name.
#ifndef TENSORGUARD_ARCHITECTURE_SHAPE_READING_H_
#define TENSORGUARD_ARCHITECTURE_SHAPE_READING_H_

#include <span>

#include "architecture/config_view.h"
#include "architecture/table/architecture_table.h"
#include "architecture/tensor_path.h"
#include "roles/role.h"
#include "weights/weight_source.h"

namespace tensorguard::internal {

struct ShapeContext {
  const ModelPaths& model;
  std::span<const TensorInfo> tensors;
  const ConfigView& config;
  const KnownArchitecture& known;
};

// Names that unknown matrices lack, by their shapes. Only where no row knew the name.
void ReadUnnamed(const ShapeContext& context, std::span<TensorRole> roles);

// Tells an output head from a task head by its number of rows.
void ReadHeads(const ShapeContext& context, std::span<TensorRole> roles);

// Finds feed-forward tensors that hold gate and up, and query tensors that hold an output gate;
// sets the packing of every fused tensor.
void ReadFused(const ShapeContext& context, std::span<TensorRole> roles);

// Sets input_major.
void ReadOrientation(const ShapeContext& context, std::span<TensorRole> roles);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_ARCHITECTURE_SHAPE_READING_H_
