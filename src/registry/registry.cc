#include "registry/registry.h"

#include <fmt/format.h>

#include <filesystem>
#include <utility>

#include "base/file.h"
#include "base/try.h"
#include "database/ask_number.h"
#include "database/open_database.h"
#include "registry/schema.h"

namespace tensorguard::internal {
namespace {

constexpr std::string_view kSqliteStart = "SQLite format 3";

// A file's folder lies beside it: somebody else's file must not send us to other places. A
// server's is wherever it was made.
Result<std::filesystem::path> BlobFolder(const std::string& place, const std::string& folder) {
  const std::filesystem::path path = folder;
  if (IsDatabaseUrl(place)) {
    if (path.is_absolute()) return path;
    return Error{.kind = ErrorKind::kUsage,
                 .problem = "a server's folder for fingerprints needs its whole path",
                 .file = place,
                 .found = folder,
                 .expected = "a path that begins with /"};
  }
  if (path.filename() == path && folder != "." && folder != "..") {
    return std::filesystem::path(place).parent_path() / path;
  }
  return Error{.kind = ErrorKind::kUsage,
               .problem = "a file's folder for fingerprints lies beside it",
               .file = place,
               .found = folder,
               .expected = "a name without a path"};
}

}  // namespace

bool NamesRegistry(const std::string& path) {
  if (IsDatabaseUrl(path)) return true;
  const auto file = File::Open(path);
  if (!file || (*file)->size_bytes() < kSqliteStart.size()) return false;
  std::string start(kSqliteStart.size(), '\0');
  const auto read = (*file)->ReadAt(0, std::as_writable_bytes(std::span(start)));
  return read && start == kSqliteStart;
}

Result<std::unique_ptr<Registry>> Registry::Create(const std::string& place,
                                                   const RegistryOptions& options,
                                                   const Stamp& stamp) {
  if (!options.blob_folder.empty()) TG_TRY(BlobFolder(place, options.blob_folder));
  TG_ASSIGN(auto database, OpenDatabase(place, OpenMode::kNew));
  TG_ASSIGN(const auto before, LookAtSchema(*database));
  if (before.version != 0) {
    return Error{.kind = ErrorKind::kUsage,
                 .problem = "there is a registry already",
                 .file = database->place(),
                 .advice = "use it, or choose another database"};
  }
  TG_TRY(Migrate(*database, 0));
  std::unique_ptr<Registry> registry(new Registry(std::move(database)));
  TG_TRY(registry->database().InTransaction([&]() -> Result<void> {
    TG_TRY(registry->SetMeta("blobs", options.blob_folder.empty() ? "inline" : "folder"));
    TG_TRY(registry->SetMeta("blob_folder", options.blob_folder));
    return registry->Log(stamp, "created", place == registry->place() ? place : "");
  }));
  TG_TRY(registry->OpenBlobs());
  return registry;
}

Result<std::unique_ptr<Registry>> Registry::Open(const std::string& place) {
  TG_ASSIGN(auto database, OpenDatabase(place, OpenMode::kExisting));
  TG_TRY(CheckSchema(*database));
  std::unique_ptr<Registry> registry(new Registry(std::move(database)));
  TG_TRY(registry->OpenBlobs());
  return registry;
}

Result<int64_t> Registry::Upgrade(const std::string& place, const Stamp& stamp) {
  TG_ASSIGN(auto database, OpenDatabase(place, OpenMode::kExisting));
  TG_ASSIGN(const auto before, LookAtSchema(*database));
  if (before.version == 0 || before.version >= kSchemaVersion) {
    TG_TRY(CheckSchema(*database));
    return before.version;
  }
  if (database->engine() == Engine::kSqlite) {
    TG_TRY(database->Run("VACUUM INTO $1", {place + ".before-upgrade"}));
  }
  TG_TRY(Migrate(*database, before.version));
  TG_ASSIGN(const auto registry, Open(place));
  TG_TRY(registry->Log(stamp, "upgraded", "", fmt::format("from version {}", before.version)));
  return before.version;
}

Result<void> Registry::OpenBlobs() {
  TG_ASSIGN(const auto kind, Meta("blobs"));
  if (kind.value_or("inline") == "inline") {
    blobs_ = BlobsInDatabase(*database_);
    return {};
  }
  TG_ASSIGN(const auto named, Meta("blob_folder"));
  TG_ASSIGN(auto folder, BlobFolder(place(), named.value_or("")));
  TG_ASSIGN(blobs_, BlobsInFolder(std::move(folder), *database_));
  return {};
}

Result<void> Registry::Log(const Stamp& stamp, std::string_view what, const std::string& subject,
                           const std::string& detail) {
  TG_TRY(database_->Run(
      "INSERT INTO event (at, who, what, subject, detail) VALUES ($1, $2, $3, $4, $5)",
      {stamp.at, stamp.who, std::string(what), subject, detail}));
  return {};
}

Result<std::optional<std::string>> Registry::Meta(const std::string& name) {
  std::optional<std::string> value;
  TG_TRY(database_->Query("SELECT value FROM meta WHERE name = $1", {name},
                          [&](const Row& row) -> Result<void> {
                            value = row.Text(0);
                            return {};
                          }));
  return value;
}

Result<void> Registry::SetMeta(const std::string& name, const std::string& value) {
  TG_TRY(
      database_->Run("INSERT INTO meta (name, value) VALUES ($1, $2) "
                     "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                     {name, value}));
  return {};
}

Result<int64_t> Registry::Removals() {
  int64_t count = 0;
  TG_TRY(database_->Query("SELECT CAST(value AS {integer}) FROM meta WHERE name = 'removals'", {},
                          [&](const Row& row) -> Result<void> {
                            count = row.Integer(0);
                            return {};
                          }));
  return count;
}

Result<bool> Registry::RemoveLooseBlob(const Blake3Digest& digest) {
  bool removed = false;
  TG_TRY(database_->InTransaction([&]() -> Result<void> {
    // Nobody is between the file and the row that names it: a transaction of SQLite is alone.
    if (database_->engine() == Engine::kPostgres) {
      TG_TRY(database_->Run("LOCK TABLE fingerprint IN SHARE ROW EXCLUSIVE MODE"));
    }
    TG_ASSIGN(const auto row, AskNumber(*database_, "SELECT id FROM fingerprint WHERE digest = $1",
                                        {std::as_bytes(std::span(digest))}));
    if (row) return {};
    removed = true;
    return blobs_->Remove({.digest = digest});
  }));
  return removed;
}

Result<void> Registry::NoteRemoval() {
  TG_TRY(
      database_->Run("INSERT INTO meta (name, value) VALUES ('removals', '1') "
                     "ON CONFLICT (name) DO UPDATE SET "
                     "value = CAST(CAST(meta.value AS {integer}) + 1 AS TEXT)"));
  return {};
}

}  // namespace tensorguard::internal
