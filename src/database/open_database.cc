#include "database/open_database.h"

#include <filesystem>
#include <system_error>

#include "base/system_error.h"
#include "base/try.h"
#include "database/postgres_database.h"
#include "database/sqlite_database.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;

Result<void> CheckDisk(const std::string& path, const DiskLook& look) {
  // A link may lead to another disk.
  std::error_code failure;
  const fs::path whole = fs::weakly_canonical(fs::absolute(path), failure);
  if (failure) return SystemError("find the registry", path, failure.value());
  TG_ASSIGN(const auto disk, look(whole.parent_path()));
  const auto network = NetworkDiskName(disk);
  if (!network) return {};
  return Error{.kind = ErrorKind::kUnsupported,
               .problem = "a registry file on a network disk is not safe: its locks may not hold",
               .file = path,
               .found = *network,
               .advice = "keep it on a disk of this machine, or use PostgreSQL: postgresql://..."};
}

Result<void> CheckPath(const std::string& path, OpenMode mode) {
  std::error_code failure;
  const fs::file_status status = fs::status(path, failure);
  if (mode == OpenMode::kNew) {
    if (status.type() == fs::file_type::not_found) return {};
    return Error{.kind = ErrorKind::kUsage,
                 .problem = "there is a file already",
                 .file = path,
                 .advice = "choose another name, or remove the file first"};
  }
  if (status.type() == fs::file_type::not_found) {
    return Error{.kind = ErrorKind::kNotFound,
                 .problem = "there is no such registry",
                 .file = path,
                 .advice = "make one with 'tensorguard registry init FILE'"};
  }
  if (status.type() == fs::file_type::regular) return {};
  return Error{.kind = ErrorKind::kBadFile, .problem = "a registry is a file", .file = path};
}

}  // namespace

bool IsDatabaseUrl(std::string_view place) {
  return place.starts_with("postgresql://") || place.starts_with("postgres://");
}

std::string WithoutPassword(std::string_view url) {
  std::string shown(url);
  const size_t begin = shown.find("://");
  if (begin == shown.npos) return shown;
  const size_t host = shown.find_first_of("/?", begin + 3);
  const size_t at = shown.rfind('@', host);
  const size_t colon = shown.find(':', begin + 3);
  if (at != shown.npos && at > begin && colon < at) shown.replace(colon, at - colon, ":***");
  const size_t parameter = shown.find("password=");
  if (parameter == shown.npos) return shown;
  const size_t value = parameter + std::string_view("password=").size();
  shown.replace(value, shown.find('&', value) - value, "***");
  return shown;
}

Result<std::unique_ptr<Database>> OpenDatabase(const std::string& place, OpenMode mode,
                                               const DiskLook& look) {
  if (IsDatabaseUrl(place)) return PostgresDatabase::Open(place);
  TG_TRY(CheckPath(place, mode));
  TG_TRY(CheckDisk(place, look));
  return SqliteDatabase::Open(place, mode == OpenMode::kNew);
}

Result<std::unique_ptr<Database>> OpenMemoryDatabase() {
  return SqliteDatabase::Open(":memory:", true);
}

}  // namespace tensorguard::internal
