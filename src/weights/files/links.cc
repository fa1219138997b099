#include "weights/files/links.h"

#include <system_error>

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;

bool IsInside(const fs::path& path, const fs::path& folder) {
  const fs::path relative = path.lexically_relative(folder);
  return !relative.empty() && *relative.begin() != "..";
}

// "CACHE/models--ORG--NAME/blobs/DIGEST": where huggingface_hub's links lead, from a snapshot or
// from a folder of the user's.
bool IsHubBlob(const fs::path& path) {
  const fs::path blobs = path.parent_path();
  return blobs.filename() == "blobs" &&
         blobs.parent_path().filename().string().starts_with("models--");
}

// The blobs of the cache that `folder` is a snapshot in, however the cache is called; else empty.
fs::path BlobsOf(const fs::path& folder) {
  for (fs::path at = folder; at.has_relative_path(); at = at.parent_path()) {
    if (at.filename() == "snapshots") return at.parent_path() / "blobs";
  }
  return {};
}

}  // namespace

bool IsInHubCache(const fs::path& folder) {
  std::error_code error;
  const fs::path blobs = BlobsOf(fs::canonical(folder, error));
  return !error && !blobs.empty() &&
         (fs::is_directory(blobs, error) || fs::is_directory(blobs.parent_path() / "refs", error));
}

bool LeadsOutOf(const fs::path& folder, const fs::path& path) {
  std::error_code error;
  if (!fs::exists(path, error)) return false;
  const fs::path real = fs::canonical(path, error);
  const fs::path real_folder = error ? fs::path() : fs::canonical(folder, error);
  if (error) return true;
  const fs::path blobs = BlobsOf(real_folder);
  return !IsInside(real, real_folder) && !IsHubBlob(real) &&
         !(!blobs.empty() && IsInside(real, blobs));
}

}  // namespace tensorguard::internal
