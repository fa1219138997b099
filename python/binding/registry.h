// tensorguard._core.Registry.
#ifndef TENSORGUARD_PYTHON_BINDING_REGISTRY_H_
#define TENSORGUARD_PYTHON_BINDING_REGISTRY_H_

#include <pybind11/pybind11.h>

namespace tensorguard::python {

// After the classes of fingerprints and classifications, which it takes and gives.
void DefineRegistry(pybind11::module_& module);

}  // namespace tensorguard::python

#endif  // TENSORGUARD_PYTHON_BINDING_REGISTRY_H_
