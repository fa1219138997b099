// A model's weight files and their SHA-256, by which hubs name them.
#ifndef TENSORGUARD_API_READING_WEIGHT_DIGESTS_H_
#define TENSORGUARD_API_READING_WEIGHT_DIGESTS_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "api/session.h"
#include "fingerprint/digest/sha256.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

struct WeightFile {
  std::filesystem::path path;          // in the session's places
  std::string name;                    // below the model's folder
  std::optional<uint64_t> bytes;       // of one on this machine, and where its place says it
  std::optional<Sha256Digest> sha256;  // as its place says, or as it was measured
};

struct ListedModel {
  std::string name;
  std::vector<WeightFile> files;
  // No number of the model lies elsewhere, as those of an adapter's base do, and those that a graph
  // of ONNX names.
  bool complete = false;
};

// The model that `argument` names; of an adapter its own files; no files of a fingerprint. Reads no
// weights. Errors: those of Places::Find and StatedContentOf.
Result<ListedModel> ListWeightFiles(const std::string& argument, const Session& session);

// Reads all of a file whose SHA-256 is not known. Errors: those of the file; kCancelled.
Result<void> MeasureSha256(WeightFile& file, const Session& session);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_READING_WEIGHT_DIGESTS_H_
