// Full fingerprints of what arguments name: fingerprint files, folders of them, and models.
#ifndef TENSORGUARD_APPS_CLI_FINGERPRINTS_H_
#define TENSORGUARD_APPS_CLI_FINGERPRINTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/console.h"
#include "cli/gathering.h"
#include "full_profile/full_fingerprint.h"

namespace tensorguard::cli {

struct FingerprintReading {
  std::optional<std::string> base = {};      // for arguments that are adapters
  unsigned threads = 0;                      // for models that must be fingerprinted first
  std::optional<uint64_t> quick_bytes = {};  // the most that is read of such a model's tensors
  bool incomplete = false;                   // goes on with one that is not whole
};

// A fingerprint file is read; a model's weights are read and its fingerprint computed.
Result<FullFingerprint> FingerprintOf(const std::string& argument,
                                      const FingerprintReading& reading, Console& console);

// The two of a comparison. Where only one of them has a tokenizer and both have one vocabulary
// size, one whose weights are at hand is asked at the anchors of the other.
struct FingerprintPair {
  FullFingerprint first;
  FullFingerprint second;
};
Result<FingerprintPair> FingerprintsOfPair(const std::string& first, const std::string& second,
                                           const FingerprintReading& reading, Console& console);

using ManyFingerprints = Gathering<FullFingerprint>;

ManyFingerprints FingerprintsOfAll(const std::vector<std::string>& arguments,
                                   const FingerprintReading& reading, Console& console);

}  // namespace tensorguard::cli

#endif  // TENSORGUARD_APPS_CLI_FINGERPRINTS_H_
