// The tables of a registry, and how older ones become them.
#ifndef TENSORGUARD_REGISTRY_SCHEMA_H_
#define TENSORGUARD_REGISTRY_SCHEMA_H_

#include <string>

#include "database/database.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// Rises with every migration.
inline constexpr int64_t kSchemaVersion = 2;

// Of what a database holds. Empty: no table of ours. Errors: kBadFile for a database of another
// program.
struct SchemaState {
  int64_t version = 0;  // 0: empty
};
Result<SchemaState> LookAtSchema(Database& database);

// From version `from` to kSchemaVersion, in one transaction; forward only.
Result<void> Migrate(Database& database, int64_t from);

// Errors: kUnsupported for an older version, with the way to upgrade, and for a newer one; kBadFile
// for another program's database; kBadFile for a file whose schema is not, letter by letter, what
// the migrations make: a trigger or view that somebody added could change answers.
Result<void> CheckSchema(Database& database);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_REGISTRY_SCHEMA_H_
