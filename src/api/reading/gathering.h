// What many arguments name, read one after the other.
#ifndef TENSORGUARD_API_READING_GATHERING_H_
#define TENSORGUARD_API_READING_GATHERING_H_

#include <string>
#include <utility>
#include <vector>

#include "api/cancellable_weights.h"
#include "api/reading/sources.h"
#include "api/session.h"
#include "tensorguard/error.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// What of them was not read.
struct Shortfall {
  std::vector<Error> errors;      // already reported to the listener
  std::vector<LeftOut> left_out;  // of folders; already told to the listener
  size_t asked = 0;               // how many should have been read
};

template <typename T>
struct Gathering {
  std::vector<T> read;
  std::vector<std::string> sources;  // of `read`, in the same order
  Shortfall shortfall;
};

// Tells the listener what of the folders is left out, by reason.
void TellLeftOut(const std::vector<LeftOut>& left_out, const Session& session);

// Every source of every argument (SourcesOf), by `read`: Result<T>(const std::string& source). A
// bad one does not keep the others from being read. Errors: kCancelled.
template <typename T, typename Read>
Result<Gathering<T>> ReadAll(const std::vector<std::string>& arguments, Profile profile,
                             const Read& read, const Session& session) {
  Sources sources = SourcesOf(arguments, profile, session);
  TellLeftOut(sources.left_out, session);
  Gathering<T> all;
  all.shortfall = {
      .errors = {}, .left_out = std::move(sources.left_out), .asked = sources.paths.size()};
  for (std::string& source : sources.paths) {
    if (auto going = CheckCancelled(session.listener); !going) return std::move(going).error();
    Result<T> one = read(source);
    if (one) {
      all.read.push_back(*std::move(one));
      all.sources.push_back(std::move(source));
    } else if (one.error().kind == ErrorKind::kCancelled) {
      return std::move(one).error();
    } else {
      session.listener.ReportError(one.error());
      all.shortfall.errors.push_back(std::move(one).error());
    }
  }
  return all;
}

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_READING_GATHERING_H_
