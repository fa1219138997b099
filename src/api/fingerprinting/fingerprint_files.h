// The full or the paper profile of each of many models, written to files.
#ifndef TENSORGUARD_API_FINGERPRINTING_FINGERPRINT_FILES_H_
#define TENSORGUARD_API_FINGERPRINTING_FINGERPRINT_FILES_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "api/reading/sources.h"
#include "api/session.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

struct FingerprintRequest {
  std::vector<std::string> models;
  std::optional<std::string> base = {};  // of those that are adapters
  // A file, or a folder; empty: a file of the model's name in the working folder.
  std::optional<std::string> output = {};
  Profile profile = Profile::kFull;
  bool incomplete = false;  // goes on with models that are not whole (full profile)
  unsigned threads = 0;     // of all jobs together; 0: one per processor
  unsigned jobs = 1;        // models at once
  // Seconds since some fixed moment; called from any thread. Empty: nobody wants to know how long
  // each model took.
  std::function<double()> clock = {};
};

struct FingerprintedModel {
  std::string name;
  Profile profile = Profile::kFull;
  std::string output;
  uint64_t parameters = 0;
  uint64_t bytes_read = 0;
  double seconds = 0;  // from opening the model to the written file, by the request's clock
  std::vector<std::string> notes = {};  // names raw
  // Of the paper profile.
  std::string features_json = {};
  std::vector<std::string> zero_tensors = {};
};

// What is called with each model's result, in the order of the models, from one thread at a time;
// an error that it gives ends the work.
using TakeFingerprinted = std::function<Result<void>(const Result<FingerprintedModel>& result)>;

// A model that fails does not keep the others from being fingerprinted. Errors: those of CheckBase;
// kUsage for two models that would be written to one file, before any work is done; kSystem if the
// folder cannot be made; kCancelled; those of `take`.
Result<void> FingerprintModels(const FingerprintRequest& request, const TakeFingerprinted& take,
                               const Session& session);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_FINGERPRINTING_FINGERPRINT_FILES_H_
