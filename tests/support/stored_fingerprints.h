// Fingerprints as a registry takes them in, of toy models.
#ifndef TENSORGUARD_TESTS_SUPPORT_STORED_FINGERPRINTS_H_
#define TENSORGUARD_TESTS_SUPPORT_STORED_FINGERPRINTS_H_

#include <gtest/gtest.h>

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
  auto bytes = EncodeFingerprint(AsStored(std::move(fingerprint)));
  EXPECT_TRUE(bytes) << (bytes ? "" : DescribeError(bytes.error()));
  return bytes ? *std::move(bytes) : std::vector<std::byte>();
}

inline PreparedFingerprint PreparedToy(const ToyModel& model) {
  auto prepared = PrepareFingerprint(BytesOfToy(model), model.name);
  EXPECT_TRUE(prepared) << (prepared ? "" : DescribeError(prepared.error()));
  return prepared ? *std::move(prepared) : PreparedFingerprint();
}

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TESTS_SUPPORT_STORED_FINGERPRINTS_H_
