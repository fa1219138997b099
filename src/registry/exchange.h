// Sets of known models on the way from one registry to another.
#ifndef TENSORGUARD_REGISTRY_EXCHANGE_H_
#define TENSORGUARD_REGISTRY_EXCHANGE_H_

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "registry/registry.h"

namespace tensorguard::internal {

struct ExportSummary {
  size_t models = 0;
  size_t relations = 0;
  size_t fingerprints = 0;
};

// Into `folder`, which is made, and holds nothing: models.jsonl, relations.jsonl,
// fingerprints/DIGEST.fingerprint.safetensors, and MANIFEST.json with the BLAKE3 of each. What a
// registry alone decides (trust, numbers of rows) is left out, so an export of an import is the
// same byte for byte. Errors: kUsage for a folder that holds something; those of the registry and
// of AtomicFile.
Result<ExportSummary> ExportRegistry(Registry& registry, const std::filesystem::path& folder);

struct ImportSummary {
  size_t added = 0;
  size_t known = 0;  // were there already
  size_t relations = 0;
};

// What ExportRegistry wrote. Every file is held against the manifest before anything is written.
// Models come in as unverified. Errors: kBadFile for a folder that is no such export, a file that
// is missing, changed, or more than the manifest names; those of AddModel.
Result<ImportSummary> ImportRegistry(Registry& registry, const std::filesystem::path& folder,
                                     const Stamp& stamp);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_REGISTRY_EXCHANGE_H_
