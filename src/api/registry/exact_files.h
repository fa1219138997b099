// Models of registries whose weight files are, byte for byte, those that are asked about.
#ifndef TENSORGUARD_API_REGISTRY_EXACT_FILES_H_
#define TENSORGUARD_API_REGISTRY_EXACT_FILES_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "api/fingerprints.h"
#include "api/session.h"
#include "fingerprint/digest/sha256.h"
#include "fingerprint/fingerprint.h"
#include "registry/records.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

struct ExactMatch {
  ModelRecord model;
  std::vector<ModelFile> files = {};  // of it, that are equal
  bool whole = false;  // they are all that the model that was asked about consists of
};

struct ExactFiles {
  size_t asked = 0;                      // weight files that were asked about
  std::vector<ExactMatch> matches = {};  // by registry; of each whole ones first
};

// 64 hexadecimal digits, with or without "sha256:" before them; none where they name a file.
std::optional<Sha256Digest> ParseFileDigest(const std::string& argument);

struct RecognisedModel {
  // Under the name of the model that was asked about. Empty for a digest that no registry knows.
  std::optional<Fingerprint> fingerprint = {};
  ExactFiles exact = {};
};

// What `argument`, a model, a fingerprint or the SHA-256 of a file, is to registries. Its files are
// looked up by what their place says of them, as the Hub does; of others on this machine those
// whose length a registry knows are read. A model all of whose files are those of a known one is
// not read a second time: it has that one's fingerprint, unless only an unverified entry says so.
// Registries that cannot be opened are passed over: whoever searches them says why. Errors: those
// of ListWeightFiles and FingerprintOf; kCancelled.
Result<RecognisedModel> Recognise(const std::string& argument,
                                  const std::vector<std::string>& registries,
                                  const FingerprintReading& reading, const Session& session);

// Where a fingerprint is needed and a digest that no registry knows is given.
Error NoFileOfDigest(const std::string& digest);

// A sentence for each match, for people. Names are raw.
std::vector<std::string> ExactTexts(const ExactFiles& exact);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_REGISTRY_EXACT_FILES_H_
