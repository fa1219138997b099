#include <algorithm>
#include <utility>

#include "base/try.h"
#include "database/ask_number.h"
#include "registry/state.h"

namespace tensorguard::internal {
Result<RegistryStatus> StatusOf(Registry& registry) {
  Database& database = registry.database();
  RegistryStatus status = {.engine =
                               database.engine() == Engine::kSqlite ? "SQLite" : "PostgreSQL"};
  TG_ASSIGN(const auto blobs, registry.Meta("blobs"));
  status.blobs = blobs.value_or("inline");
  const auto count = [&](std::string_view sql, int64_t& into) -> Result<void> {
    TG_ASSIGN(into, AskCount(database, sql));
    return {};
  };
  TG_TRY(count("SELECT CAST(value AS {integer}) FROM meta WHERE name = 'schema_version'",
               status.schema_version));
  TG_TRY(count("SELECT count(*) FROM model WHERE state = 'present'", status.models));
  TG_TRY(count("SELECT count(*) FROM model WHERE state <> 'present'", status.past_models));
  TG_TRY(count("SELECT count(*) FROM fingerprint", status.fingerprints));
  TG_TRY(count("SELECT CAST(sum(bytes) AS {integer}) FROM fingerprint", status.fingerprint_bytes));
  TG_TRY(count("SELECT count(*) FROM weight_digest", status.matrices));
  TG_TRY(count("SELECT count(*) FROM relation", status.relations));
  TG_TRY(count("SELECT count(*) FROM event", status.events));
  TG_ASSIGN(status.created_at, AskNumber(database, "SELECT min(at) FROM event"));
  TG_ASSIGN(status.last_added_at, AskNumber(database, "SELECT max(added_at) FROM model"));
  return status;
}

Result<std::vector<Event>> LastEvents(Registry& registry, int64_t limit) {
  std::vector<Event> events;
  TG_TRY(registry.database().Query(
      "SELECT at, who, what, subject, detail FROM event ORDER BY id DESC LIMIT $1", {limit},
      [&](const Row& row) -> Result<void> {
        events.push_back({.stamp = {.at = row.Integer(0), .who = row.Text(1)},
                          .what = row.Text(2),
                          .subject = row.Text(3),
                          .detail = row.Text(4)});
        return {};
      }));
  std::ranges::reverse(events);
  return events;
}

}  // namespace tensorguard::internal
