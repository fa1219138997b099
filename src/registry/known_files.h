// The weight files of a registry's models, byte for byte, by their SHA-256.
#ifndef TENSORGUARD_REGISTRY_KNOWN_FILES_H_
#define TENSORGUARD_REGISTRY_KNOWN_FILES_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "fingerprint/digest/sha256.h"
#include "registry/records.h"
#include "registry/registry.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

struct KnownFile {
  ModelRecord model;
  ModelFile file;
};

// All files with this digest: those of present models first, in the order in which they were added.
Result<std::vector<KnownFile>> FindKnownFiles(Registry& registry, const Sha256Digest& sha256);

// Without one of its length, a file need not be read to tell that it is not known.
Result<bool> KnowsFileOfLength(Registry& registry, uint64_t bytes);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_REGISTRY_KNOWN_FILES_H_
