#include "errors.h"

namespace tensorguard::python {

namespace py = pybind11;

py::str Text(std::string_view raw) {
  PyObject* text =
      PyUnicode_DecodeUTF8(raw.data(), static_cast<Py_ssize_t>(raw.size()), "surrogateescape");
  if (text == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::str>(text);
}

void Raise(const Error& error) {
  const auto known = [](const std::string& text) {
    return text.empty() ? py::object(py::none()) : py::object(Text(text));
  };
  const py::object type = py::module_::import("tensorguard._errors").attr("Error");
  const py::object raised =
      type(Text(DescribeError(error)), Text(ErrorKindName(error.kind)), Text(error.problem),
           known(error.file), known(error.tensor),
           error.byte_offset ? py::object(py::int_(*error.byte_offset)) : py::object(py::none()),
           known(error.found), known(error.expected), known(error.advice));
  PyErr_SetObject(type.ptr(), raised.ptr());
  throw py::error_already_set();
}

}  // namespace tensorguard::python
