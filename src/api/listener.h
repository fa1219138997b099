// Whoever asked for work, as the work sees it.
#ifndef TENSORGUARD_API_LISTENER_H_
#define TENSORGUARD_API_LISTENER_H_

#include <string_view>

#include "tensorguard/error.h"
#include "tensorguard/progress.h"

namespace tensorguard::internal {

// Called from one thread at a time; what ShowProgress gives may be called from any, and Cancelled
// from several at once.
class Listener {
 public:
  virtual ~Listener() = default;

  // A stretch of work begins; `label` is raw text. It ends with EndProgress, or with the next.
  virtual ProgressCallback ShowProgress(std::string_view label) = 0;
  virtual void EndProgress() = 0;

  // Something worth knowing that is no error. Names from files are escaped.
  virtual void Note(std::string_view text) = 0;

  // An error that does not end the work: of one model of many.
  virtual void ReportError(const Error& error) = 0;

  // True from the moment on at which nobody wants the result any more.
  virtual bool Cancelled() const { return false; }
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_LISTENER_H_
