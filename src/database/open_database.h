// Databases by where they are.
#ifndef TENSORGUARD_DATABASE_OPEN_DATABASE_H_
#define TENSORGUARD_DATABASE_OPEN_DATABASE_H_

#include <memory>
#include <string>
#include <string_view>

#include "database/database.h"
#include "database/network_disk.h"

namespace tensorguard::internal {

// postgresql:// or postgres://.
bool IsDatabaseUrl(std::string_view place);

// The URL without its password, to be shown.
std::string WithoutPassword(std::string_view url);

enum class OpenMode { kExisting, kNew };

// A file's path, or a URL of a PostgreSQL server. A file that cannot be written to is opened for
// reading. Errors: kNotFound without such a file; kUsage for kNew where there is one; kBadFile for
// a file that is no SQLite database; kUnsupported for one on a network's disk, which `look` tells;
// kSystem.
Result<std::unique_ptr<Database>> OpenDatabase(const std::string& place, OpenMode mode,
                                               const DiskLook& look = DiskOf);

// An empty one in memory, of SQLite.
Result<std::unique_ptr<Database>> OpenMemoryDatabase();

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_DATABASE_OPEN_DATABASE_H_
