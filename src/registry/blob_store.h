// Where the fingerprint files of a registry lie: in the database, or in a folder.
#ifndef TENSORGUARD_REGISTRY_BLOB_STORE_H_
#define TENSORGUARD_REGISTRY_BLOB_STORE_H_

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "database/database.h"
#include "fingerprint/digest/blake3.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

struct BlobKey {
  int64_t fingerprint = 0;  // its row
  Blake3Digest digest = {};
};

class BlobStore {
 public:
  virtual ~BlobStore() = default;

  // Is on the disk when the transaction that it is part of is. Errors: kSystem.
  virtual Result<void> Put(const BlobKey& key, std::span<const std::byte> bytes) const = 0;

  // Held against its digest. Errors: kNotFound; kBadFile for one that was cut or changed.
  virtual Result<std::vector<std::byte>> Get(const BlobKey& key) const = 0;

  // To be called when no row names it any more. Nothing, if it is not there.
  virtual Result<void> Remove(const BlobKey& key) const = 0;

  // Digests of what is stored though no fingerprint has it.
  virtual Result<std::vector<Blake3Digest>> Orphans() const = 0;
};

std::unique_ptr<BlobStore> BlobsInDatabase(Database& database);

// FOLDER/ab/cd/DIGEST. Errors: kSystem if the folder cannot be made.
Result<std::unique_ptr<BlobStore>> BlobsInFolder(std::filesystem::path folder, Database& database);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_REGISTRY_BLOB_STORE_H_
