// A registry of known models: one SQLite file, or tables on a PostgreSQL server.
#ifndef TENSORGUARD_REGISTRY_REGISTRY_H_
#define TENSORGUARD_REGISTRY_REGISTRY_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "database/database.h"
#include "registry/blob_store.h"
#include "registry/records.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

struct RegistryOptions {
  // Where fingerprint files go: empty for the database itself; of a file the name of a folder
  // beside it, of a server the whole path of one.
  std::string blob_folder = {};
};

// Whether `path` names a registry: a URL of a server, or a file that begins as SQLite's do.
bool NamesRegistry(const std::string& path);

// For one thread at a time; several may each open their own.
class Registry {
 public:
  // Makes an empty one and opens it. Errors: those of OpenDatabase; kUsage where there is one.
  static Result<std::unique_ptr<Registry>> Create(const std::string& place,
                                                  const RegistryOptions& options,
                                                  const Stamp& stamp);

  // Errors: those of OpenDatabase and CheckSchema.
  static Result<std::unique_ptr<Registry>> Open(const std::string& place);

  // Brings an older one to this program's schema. A file is copied to PLACE.before-upgrade first.
  // Returns the version it had.
  static Result<int64_t> Upgrade(const std::string& place, const Stamp& stamp);

  Database& database() { return *database_; }
  const BlobStore& blobs() const { return *blobs_; }
  const std::string& place() const { return database_->place(); }

  // A line of the log. What happened stands in it for ever.
  Result<void> Log(const Stamp& stamp, std::string_view what, const std::string& subject,
                   const std::string& detail = {});

  // Empty if it was never set.
  Result<std::optional<std::string>> Meta(const std::string& name);
  Result<void> SetMeta(const std::string& name, const std::string& value);

  // How often fingerprints were removed or computed anew. Whoever keeps any in memory reads them
  // again when it has risen.
  Result<int64_t> Removals();
  Result<void> NoteRemoval();

  // Removes the file of a fingerprint that no row has, which is not in the database. False where
  // somebody has just added it again.
  Result<bool> RemoveLooseBlob(const Blake3Digest& digest);

 private:
  explicit Registry(std::unique_ptr<Database> database) : database_(std::move(database)) {}

  Result<void> OpenBlobs();

  std::unique_ptr<Database> database_;
  std::unique_ptr<BlobStore> blobs_;
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_REGISTRY_REGISTRY_H_
