#include "database/open_database.h"

#include <fmt/format.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/system_error.h"
#include "base/try.h"
#include "database/postgres_database.h"
#include "database/sqlite_database.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;

struct NetworkDisk {
  unsigned long type;  // statfs(2): f_type
  std::string_view name;
};

// Their locks, or their shared memory, are not what SQLite needs.
constexpr std::array<NetworkDisk, 8> kNetworkDisks = {{{0x6969, "NFS"},
                                                       {0x517b, "SMB"},
                                                       {0xff534d42, "CIFS"},
                                                       {0xfe534d42, "SMB2"},
                                                       {0x5346414f, "AFS"},
                                                       {0x73757245, "Coda"},
                                                       {0x00c36400, "Ceph"},
                                                       {0x01021997, "9P"}}};

Result<void> CheckDisk(const std::string& path) {
  const fs::path folder = fs::path(path).has_parent_path() ? fs::path(path).parent_path() : ".";
  struct statfs disk = {};
  if (::statfs(folder.c_str(), &disk) != 0) {
    return SystemError("look at the folder of the registry", folder.string(), errno);
  }
  const auto type = static_cast<unsigned long>(disk.f_type) & 0xffffffff;
  const auto known = std::ranges::find(kNetworkDisks, type, &NetworkDisk::type);
  if (known == kNetworkDisks.end()) return {};
  return Error{.kind = ErrorKind::kUnsupported,
               .problem = "a registry file on a network disk is not safe: its locks may not hold",
               .file = path,
               .found = std::string(known->name),
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

Result<std::unique_ptr<Database>> OpenDatabase(const std::string& place, OpenMode mode) {
  if (IsDatabaseUrl(place)) return PostgresDatabase::Open(place);
  TG_TRY(CheckPath(place, mode));
  TG_TRY(CheckDisk(place));
  return SqliteDatabase::Open(place, mode == OpenMode::kNew);
}

Result<std::unique_ptr<Database>> OpenMemoryDatabase() {
  return SqliteDatabase::Open(":memory:", true);
}

}  // namespace tensorguard::internal
