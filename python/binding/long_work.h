// Long work without the GIL, which Ctrl-C ends and which tells Python where it is.
#ifndef TENSORGUARD_PYTHON_BINDING_LONG_WORK_H_
#define TENSORGUARD_PYTHON_BINDING_LONG_WORK_H_

#include <pybind11/pybind11.h>

#include <functional>
#include <optional>

#include "errors.h"
#include "tensorguard/model.h"

namespace tensorguard::python {

// Runs `work` on a thread of its own. The calling thread meanwhile asks Python for signals, and
// hands `listener` what is reported, twenty times a second at most:
//   listener(what: str, done: int, total: int, unit: str)   progress, the newest alone
//   listener(note: str)                                     everything worth knowing
// None hears nothing. An exception of a signal's handler (KeyboardInterrupt) or of the listener
// cancels the work, and is raised when it has ended. Holds the GIL before and after.
void RunLongWork(const pybind11::object& listener,
                 const std::function<void(const Callbacks&)>& work);

// The same for work with a result; its error is raised.
template <typename T>
T RunForResult(const pybind11::object& listener,
               const std::function<Result<T>(const Callbacks&)>& work) {
  std::optional<Result<T>> result;
  RunLongWork(listener, [&](const Callbacks& callbacks) { result.emplace(work(callbacks)); });
  return ValueOrRaise(*std::move(result));
}

}  // namespace tensorguard::python

#endif  // TENSORGUARD_PYTHON_BINDING_LONG_WORK_H_
