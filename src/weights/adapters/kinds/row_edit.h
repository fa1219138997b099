// Edits that make each row of a matrix anew from the row as it was.
#ifndef TENSORGUARD_WEIGHTS_ADAPTERS_KINDS_ROW_EDIT_H_
#define TENSORGUARD_WEIGHTS_ADAPTERS_KINDS_ROW_EDIT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "weights/adapters/tensor_edit.h"

namespace tensorguard::internal {

// Changes the values of one whole row in place. Called from several threads at once.
using RowChange = std::function<void(uint64_t row, std::span<float> values)>;

// Of a matrix with `columns` columns. A row of which only a part is asked for is read whole.
std::unique_ptr<const TensorEdit> EditRows(uint64_t columns, RowChange change);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_ADAPTERS_KINDS_ROW_EDIT_H_
