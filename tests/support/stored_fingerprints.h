// Fingerprints as a registry takes them in, of toy models.
#ifndef TENSORGUARD_TESTS_SUPPORT_STORED_FINGERPRINTS_H_
#define TENSORGUARD_TESTS_SUPPORT_STORED_FINGERPRINTS_H_

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "fingerprint/file/fingerprint_file.h"
#include "fingerprint/stored_fingerprint.h"
#include "registry/prepared_fingerprint.h"
#include "tests/support/toy_fingerprints.h"

namespace tensorguard::internal {

inline std::vector<std::byte> BytesOfToy(const ToyModel& model) {
  Fingerprint fingerprint = FingerprintOf(model);
  fingerprint.architecture = "toy";
  fingerprint.parameters = 123'456;
  for (WeightSummary& weight : fingerprint.weights) {
    weight.two_of_four_fraction = 0.25;
    if (weight.columns < 32) weight.distinct_per_32.reset();
    if (weight.columns < 256) weight.distinct_per_256.reset();
  }
  auto bytes = EncodeFingerprint(AsStored(std::move(fingerprint)));
  EXPECT_TRUE(bytes) << (bytes ? "" : DescribeError(bytes.error()));
  return bytes ? *std::move(bytes) : std::vector<std::byte>();
}

// Two layers, 32 wide.
inline ToyModel SmallToy(uint32_t seed) { return RandomToyModel(seed, 2, 32); }

// Made once for each seed.
inline const PreparedFingerprint& PreparedToy(uint32_t seed) {
  static std::map<uint32_t, PreparedFingerprint> made;
  const auto known = made.find(seed);
  if (known != made.end()) return known->second;
  const ToyModel model = SmallToy(seed);
  auto prepared = PrepareFingerprint(BytesOfToy(model), model.name);
  EXPECT_TRUE(prepared) << (prepared ? "" : DescribeError(prepared.error()));
  return made[seed] = prepared ? *std::move(prepared) : PreparedFingerprint();
}

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TESTS_SUPPORT_STORED_FINGERPRINTS_H_
