// What the Hugging Face Hub says about a repository, and what its cache on this machine holds.
#ifndef TENSORGUARD_PLACES_HUB_HUB_H_
#define TENSORGUARD_PLACES_HUB_HUB_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "places/place_name.h"
#include "tensorguard/result.h"
#include "weights/files/model_files.h"

namespace tensorguard::internal {

// Whether a revision is a commit's full hash.
bool IsCommit(std::string_view text);

struct HubFile {
  std::optional<uint64_t> size_bytes;
  std::string sha256;  // of files in the Hub's large storage; else empty
};

// One commit of a repository.
struct HubListing {
  std::string commit;
  std::map<std::string, HubFile> files;  // by path below the repository
};

inline constexpr uint64_t kHubListingLimitBytes = 64ull << 20;
// More than any repository holds: the Hub asks for less than 100,000 files.
inline constexpr size_t kMostHubFiles = 300'000;

// Reads the answer of /api/models/ORG/NAME/revision/REVISION?blobs=true: "sha", and of each of
// "siblings" its "rfilename" and, where there, "size" and "lfs"."sha256" (huggingface_hub's
// ModelInfo and RepoSibling). Errors: kBadFile, also for a name that leaves the repository or holds
// control characters; kUnsupported for more than kMostHubFiles.
Result<HubListing> ParseHubListing(std::string_view json);

// The folder models--ORG--NAME/snapshots/COMMIT in `cache`, the commit by refs/REVISION where the
// revision is none itself. Empty if it is not there. Errors: kBadFile for a reference that names no
// commit, kSystem.
Result<std::optional<std::filesystem::path>> FindCachedSnapshot(const std::filesystem::path& cache,
                                                                const HubPlace& name);

// The SHA-256 of a file in `cache`, by which the Hub's own programs name what lies in its large
// storage: 64 digits. Empty for a path that leads elsewhere, and for a small file, whose name is
// git's.
std::optional<std::string> CachedSha256(const std::filesystem::path& cache,
                                        const std::filesystem::path& path);

// The files of a model in a snapshot, if it holds all that is read of one: its weights and, for all
// but GGUF files and adapters, config.json and a tokenizer. A cache may hold any part of a model.
// `path` is the snapshot or a file in it.
Result<std::optional<ModelFiles>> FindWholeModel(const std::filesystem::path& path);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PLACES_HUB_HUB_H_
