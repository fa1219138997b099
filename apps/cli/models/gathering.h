// What many arguments name, read one after the other.
#ifndef TENSORGUARD_CLI_MODELS_GATHERING_H_
#define TENSORGUARD_CLI_MODELS_GATHERING_H_

#include <string>
#include <utility>
#include <vector>

#include "cli/models/sources.h"
#include "cli/output/console.h"
#include "cli/output/json_output.h"
#include "tensorguard/error.h"
#include "tensorguard/result.h"

namespace tensorguard::internal::cli {

// What of them was not read.
struct Shortfall {
  std::vector<Error> errors;      // already reported on the console
  std::vector<LeftOut> left_out;  // of folders; already told on the console
  size_t asked = 0;               // how many should have been read
};

template <typename T>
struct Gathering {
  std::vector<T> read;
  std::vector<std::string> sources;  // of `read`, in the same order
  Shortfall shortfall;
};

// Says on the console what of the folders is left out, by reason.
void TellLeftOut(const std::vector<LeftOut>& left_out, Console& console);

// Sets "error" and "errors" as AddErrors, and "left_out" where there is any.
void AddShortfall(const Shortfall& shortfall, OrderedJson* object);

// Every source of every argument (SourcesOf), by `read`: Result<T>(const std::string& source). A
// bad one does not keep the others from being read.
template <typename T, typename Read>
Gathering<T> ReadAll(const std::vector<std::string>& arguments, Profile profile, const Read& read,
                     Console& console) {
  Sources sources = SourcesOf(arguments, profile);
  TellLeftOut(sources.left_out, console);
  Gathering<T> all;
  all.shortfall = {
      .errors = {}, .left_out = std::move(sources.left_out), .asked = sources.paths.size()};
  for (std::string& source : sources.paths) {
    Result<T> one = read(source);
    if (one) {
      all.read.push_back(*std::move(one));
      all.sources.push_back(std::move(source));
    } else {
      console.ReportError(one.error());
      all.shortfall.errors.push_back(std::move(one).error());
    }
  }
  return all;
}

}  // namespace tensorguard::internal::cli

#endif  // TENSORGUARD_CLI_MODELS_GATHERING_H_
