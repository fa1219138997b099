// Files behind URLs as File objects, which share connections and memory.
#ifndef TENSORGUARD_PLACES_REMOTE_FILES_H_
#define TENSORGUARD_PLACES_REMOTE_FILES_H_

#include <memory>

#include "base/file.h"
#include "places/http/http_source.h"
#include "places/http/range_cache.h"
#include "places/http/transfer_pool.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

struct RemoteSettings {
  HttpSettings http;
  FetchSettings fetch;
  CacheSettings cache;
  unsigned most_connections = 8;
};

// Thread-safe. Files keep it alive.
class RemoteFiles : public std::enable_shared_from_this<RemoteFiles> {
 public:
  explicit RemoteFiles(const RemoteSettings& settings);
  ~RemoteFiles();

  // Asks for the first bytes. Errors: those of HttpSource::Open.
  Result<std::shared_ptr<const File>> Open(HttpPlace place);

  // The same for an answer that is wanted whole and at most that long.
  Result<std::string> Fetch(HttpPlace place, uint64_t limit_bytes);

  uint64_t received_bytes() const { return pool_.received_bytes(); }

 private:
  Result<std::shared_ptr<const File>> Open(HttpPlace place, const FetchSettings& fetch,
                                           std::shared_ptr<HeldDownloads> held);

  friend class RemoteFile;

  const RemoteSettings settings_;
  TransferPool pool_;
  RangeCache cache_;
  const std::shared_ptr<HeldDownloads> held_ = std::make_shared<HeldDownloads>();
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PLACES_REMOTE_FILES_H_
