// A session for a caller of the library: its callbacks and its places.
#ifndef TENSORGUARD_API_LIBRARY_CALLER_SESSION_H_
#define TENSORGUARD_API_LIBRARY_CALLER_SESSION_H_

#include <memory>
#include <optional>
#include <string>

#include "api/fingerprints.h"
#include "api/session.h"
#include "tensorguard/fingerprint.h"

namespace tensorguard::internal {

class CallerSession {
 public:
  // `options` must outlive this.
  explicit CallerSession(const ReadOptions& options);
  ~CallerSession();

  operator const Session&() const { return session_; }  // NOLINT: implicit

  const Listener& listener() const { return *listener_; }

 private:
  std::unique_ptr<Listener> listener_;
  Session session_;
};

// Empty for "".
std::optional<std::string> BaseOf(const ReadOptions& options);

FingerprintReading ReadingOf(const FingerprintOptions& options);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_LIBRARY_CALLER_SESSION_H_
