// The header of a NumPy array: a Python dictionary in a text.
#ifndef TENSORGUARD_FORMATS_NUMPY_NUMPY_HEADER_H_
#define TENSORGUARD_FORMATS_NUMPY_NUMPY_HEADER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tensorguard/result.h"

namespace tensorguard::internal {

struct NumpyHeader {
  std::string descr;          // "<f4"
  bool column_major = false;  // Fortran's order
  std::vector<uint64_t> shape;
};

// Parses "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }" and nothing else: each key
// once, in any order. Errors: kBadFile; kUnsupported for an array of structures, whose descr is a
// list.
Result<NumpyHeader> ParseNumpyHeader(std::string_view text);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FORMATS_NUMPY_NUMPY_HEADER_H_
