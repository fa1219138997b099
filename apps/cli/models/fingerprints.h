// Full fingerprints of what arguments name: fingerprint files, folders of them, and models.
#ifndef TENSORGUARD_CLI_MODELS_FINGERPRINTS_H_
#define TENSORGUARD_CLI_MODELS_FINGERPRINTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/models/gathering.h"
#include "cli/output/console.h"
#include "fingerprint/fingerprint.h"
#include "tensorguard/result.h"

namespace tensorguard::internal::cli {

struct FingerprintReading {
  std::optional<std::string> base = {};      // for arguments that are adapters
  unsigned threads = 0;                      // for models that must be fingerprinted first
  std::optional<uint64_t> quick_bytes = {};  // the most that is read of such a model's tensors
  bool incomplete = false;                   // goes on with one that is not whole
};

// A fingerprint file is read; a model's weights are read and its fingerprint computed.
Result<Fingerprint> FingerprintOf(const std::string& argument, const FingerprintReading& reading,
                                  Console& console);

// The two of a comparison. Where only one of them has a tokenizer and both have one vocabulary
// size, one whose weights are at hand is asked at the anchors of the other.
struct FingerprintPair {
  Fingerprint first;
  Fingerprint second;
};
Result<FingerprintPair> FingerprintsOfPair(const std::string& first, const std::string& second,
                                           const FingerprintReading& reading, Console& console);

using ManyFingerprints = Gathering<Fingerprint>;

ManyFingerprints FingerprintsOfAll(const std::vector<std::string>& arguments,
                                   const FingerprintReading& reading, Console& console);

}  // namespace tensorguard::internal::cli

#endif  // TENSORGUARD_CLI_MODELS_FINGERPRINTS_H_
