// Errors of the library as Python exceptions, and text from files as str.
#ifndef TENSORGUARD_PYTHON_BINDING_ERRORS_H_
#define TENSORGUARD_PYTHON_BINDING_ERRORS_H_

#include <pybind11/pybind11.h>

#include <string_view>
#include <utility>

#include "tensorguard/error.h"
#include "tensorguard/result.h"

namespace tensorguard::python {

// Raw text: bytes that are not UTF-8 become lone surrogates, as in names of files.
pybind11::str Text(std::string_view raw);

// Raises tensorguard.Error. Holds the GIL.
[[noreturn]] void Raise(const Error& error);

template <typename T>
T ValueOrRaise(Result<T> result) {
  if (!result) Raise(result.error());
  return *std::move(result);
}

inline void ValueOrRaise(const Result<void>& result) {
  if (!result) Raise(result.error());
}

}  // namespace tensorguard::python

#endif  // TENSORGUARD_PYTHON_BINDING_ERRORS_H_
