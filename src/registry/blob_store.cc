#include "registry/blob_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/atomic_file.h"
#include "base/file.h"
#include "base/system_error.h"
#include "base/try.h"
#include "fingerprint/digest/hex_text.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;

// More than any fingerprint has; the strict reader has its own bounds.
constexpr uint64_t kLargestBlobBytes = 1ull << 28;

Error Missing(const BlobKey& key, const std::string& place) {
  return {.kind = ErrorKind::kNotFound,
          .problem = "the file of a fingerprint is not in the registry",
          .file = place,
          .found = HexOf(key.digest),
          .advice = "add the model again; 'tensorguard registry verify' lists all that is missing"};
}

Result<void> CheckBlob(const BlobKey& key, std::span<const std::byte> bytes,
                       const std::string& place) {
  const Blake3Digest found = Blake3(bytes);
  if (found == key.digest) return {};
  return Error{.kind = ErrorKind::kBadFile,
               .problem = "the stored fingerprint is damaged: its bytes were cut or changed",
               .file = place,
               .found = fmt::format("{} bytes, BLAKE3 {}", bytes.size(), HexOf(found)),
               .expected = fmt::format("BLAKE3 {}", HexOf(key.digest)),
               .advice = "add the model again; 'tensorguard registry verify' checks all"};
}

class InDatabase final : public BlobStore {
 public:
  explicit InDatabase(Database& database) : database_(database) {}

  Result<void> Put(const BlobKey& key, std::span<const std::byte> bytes) const override {
    TG_TRY(
        database_.Run("INSERT INTO fingerprint_blob (fingerprint, content) VALUES ($1, $2) "
                      "ON CONFLICT (fingerprint) DO UPDATE SET content = excluded.content",
                      {key.fingerprint, bytes}));
    return {};
  }

  Result<std::vector<std::byte>> Get(const BlobKey& key) const override {
    std::optional<std::vector<std::byte>> blob;
    TG_TRY(database_.Query("SELECT content FROM fingerprint_blob WHERE fingerprint = $1",
                           {key.fingerprint}, [&](const Row& row) -> Result<void> {
                             const auto bytes = row.Bytes(0);
                             blob.emplace(bytes.begin(), bytes.end());
                             return {};
                           }));
    if (!blob) return Missing(key, database_.place());
    TG_TRY(CheckBlob(key, *blob, database_.place()));
    return *std::move(blob);
  }

  Result<void> Remove(const BlobKey& key) const override {
    TG_TRY(database_.Run("DELETE FROM fingerprint_blob WHERE fingerprint = $1", {key.fingerprint}));
    return {};
  }

  // A row refers to its fingerprint: the database keeps that there is one.
  Result<std::vector<Blake3Digest>> Orphans() const override { return std::vector<Blake3Digest>(); }

 private:
  Database& database_;
};

class InFolder final : public BlobStore {
 public:
  InFolder(fs::path folder, Database& database) : folder_(std::move(folder)), database_(database) {}

  Result<void> Put(const BlobKey& key, std::span<const std::byte> bytes) const override {
    const fs::path path = PathOf(key.digest);
    std::error_code failure;
    fs::create_directories(path.parent_path(), failure);
    if (failure) return SystemError("make a folder", path.parent_path().string(), failure.value());
    TG_ASSIGN(const auto file, AtomicFile::Create(path));
    TG_TRY(file->Append(bytes));
    return file->Commit();
  }

  Result<std::vector<std::byte>> Get(const BlobKey& key) const override {
    const std::string path = PathOf(key.digest).string();
    auto file = File::Open(path);
    if (!file && file.error().kind == ErrorKind::kNotFound) return Missing(key, path);
    if (!file) return std::move(file).error();
    TG_ASSIGN(const auto text, ReadWholeFile(**file, kLargestBlobBytes));
    const auto bytes = std::as_bytes(std::span(text));
    TG_TRY(CheckBlob(key, bytes, path));
    return std::vector<std::byte>(bytes.begin(), bytes.end());
  }

  Result<void> Remove(const BlobKey& key) const override {
    std::error_code failure;
    const fs::path path = PathOf(key.digest);
    fs::remove(path, failure);
    if (failure) return SystemError("remove", path.string(), failure.value());
    return {};
  }

  Result<std::vector<Blake3Digest>> Orphans() const override {
    std::set<Blake3Digest> known;
    TG_TRY(
        database_.Query("SELECT digest FROM fingerprint", {}, [&](const Row& row) -> Result<void> {
          Blake3Digest digest = {};
          const auto bytes = row.Bytes(0);
          if (bytes.size() == digest.size())
            std::memcpy(digest.data(), bytes.data(), digest.size());
          known.insert(digest);
          return {};
        }));
    std::vector<Blake3Digest> orphans;
    std::error_code failure;
    for (fs::recursive_directory_iterator entry(folder_, failure), end; !failure && entry != end;
         entry.increment(failure)) {
      const auto digest = DigestFromHex(entry->path().filename().string());
      if (digest && !known.contains(*digest)) orphans.push_back(*digest);
    }
    if (failure) return SystemError("list", folder_.string(), failure.value());
    std::ranges::sort(orphans);
    return orphans;
  }

 private:
  fs::path PathOf(const Blake3Digest& digest) const {
    const std::string hex = HexOf(digest);
    return folder_ / hex.substr(0, 2) / hex.substr(2, 2) / hex;
  }

  fs::path folder_;
  Database& database_;
};

}  // namespace

std::unique_ptr<BlobStore> BlobsInDatabase(Database& database) {
  return std::make_unique<InDatabase>(database);
}

Result<std::unique_ptr<BlobStore>> BlobsInFolder(fs::path folder, Database& database) {
  std::error_code failure;
  fs::create_directories(folder, failure);
  if (failure && !database.read_only()) {
    return SystemError("make the folder of the fingerprints", folder.string(), failure.value());
  }
  return std::unique_ptr<BlobStore>(std::make_unique<InFolder>(std::move(folder), database));
}

}  // namespace tensorguard::internal
