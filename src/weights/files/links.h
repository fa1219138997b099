// Whether a file of a model is a link to somewhere else.
#ifndef TENSORGUARD_WEIGHTS_FILES_LINKS_H_
#define TENSORGUARD_WEIGHTS_FILES_LINKS_H_

#include <filesystem>

namespace tensorguard::internal {

// Whether links lead from `path`, a file of this machine, out of the model's `folder`. Those of a
// Hub cache do, to the cache's own blobs: that is inside. False for a file that is not there, and
// for one of another place, which has no links.
bool LeadsOutOf(const std::filesystem::path& folder, const std::filesystem::path& path);

// Whether `folder` lies in a snapshot of a Hub cache. Where that keeps its blobs is the user's
// choice.
bool IsInHubCache(const std::filesystem::path& folder);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_FILES_LINKS_H_
