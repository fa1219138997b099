// A fingerprint file, checked, with all that a registry keeps of it.
#ifndef TENSORGUARD_REGISTRY_PREPARED_FINGERPRINT_H_
#define TENSORGUARD_REGISTRY_PREPARED_FINGERPRINT_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "fingerprint/digest/blake3.h"
#include "fingerprint/fingerprint.h"
#include "fingerprint/screening.h"
#include "fingerprint/search_vector.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// The first 8 bytes of a weight's digest, as a signed number; and which weight of the fingerprint.
struct DigestEntry {
  int64_t digest = 0;
  int64_t weight = 0;
  auto operator<=>(const DigestEntry&) const = default;
};

int64_t ShortDigest(const WeightDigest& digest);

// Of every matrix that is not one number throughout, sorted: its numbers' digest, and those of the
// numbers rounded to narrower types. Gains of one and the like are in many models.
std::vector<DigestEntry> DigestEntriesOf(const Fingerprint& fingerprint);

struct PreparedFingerprint {
  std::vector<std::byte> bytes;
  Blake3Digest digest = {};  // of the bytes
  std::string model_name = {};
  std::string architecture = {};
  uint64_t parameters = 0;
  std::vector<int8_t> signature = {};  // computed from the kernels and sketches
  SearchVector vector = {};
  std::vector<DigestEntry> weights = {};
};

// `name` stands for the file in errors. Errors: those of ReadFingerprintBytes; kBadFile if the
// signature that it holds is not that of its kernels and sketches. Thread-safe.
Result<PreparedFingerprint> PrepareFingerprint(std::vector<std::byte> bytes,
                                               const std::string& name);

// The same of a file. Errors: those of File::Open, too.
Result<PreparedFingerprint> PrepareFingerprintFile(const std::filesystem::path& path);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_REGISTRY_PREPARED_FINGERPRINT_H_
