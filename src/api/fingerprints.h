// Full fingerprints of what arguments name: fingerprint files, folders of them, and models.
#ifndef TENSORGUARD_API_FINGERPRINTS_H_
#define TENSORGUARD_API_FINGERPRINTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/reading/gathering.h"
#include "api/session.h"
#include "fingerprint/fingerprint.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

struct FingerprintReading {
  std::optional<std::string> base = {};      // for arguments that are adapters
  unsigned threads = 0;                      // for models that must be fingerprinted first
  std::optional<uint64_t> quick_bytes = {};  // the most that is read of such a model's tensors
  bool incomplete = false;                   // goes on with one that is not whole
};

// A fingerprint file is read; a model's weights are read and its fingerprint computed.
Result<Fingerprint> FingerprintOf(const std::string& argument, const FingerprintReading& reading,
                                  const Session& session);

// The two of a comparison. Where only one of them has a tokenizer and both have one vocabulary
// size, one whose weights are at hand is asked at the anchors of the other.
struct FingerprintPair {
  Fingerprint first;
  Fingerprint second;
};
Result<FingerprintPair> FingerprintsOfPair(const std::string& first, const std::string& second,
                                           const FingerprintReading& reading,
                                           const Session& session);

using ManyFingerprints = Gathering<Fingerprint>;

// Errors: kCancelled.
Result<ManyFingerprints> FingerprintsOfAll(const std::vector<std::string>& arguments,
                                           const FingerprintReading& reading,
                                           const Session& session);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_FINGERPRINTS_H_
