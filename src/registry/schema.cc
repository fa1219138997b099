#include "registry/schema.h"

#include <fmt/format.h>

#include <array>
#include <map>
#include <span>
#include <string_view>
#include <utility>

#include "base/try.h"
#include "database/ask_number.h"
#include "database/open_database.h"

namespace tensorguard::internal {
namespace {

// "TGRG", the application id of SQLite files.
constexpr int64_t kApplicationId = 0x54475247;

// What each means: docs/registry.md. Two views are for others; the rest is ours alone.
constexpr std::array kFirstVersion = {
    std::string_view("CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL){table}"),
    std::string_view("CREATE TABLE fingerprint (id {id}, digest {bytes} NOT NULL UNIQUE, "
                     "profile TEXT NOT NULL, version {integer} NOT NULL, bytes {integer} NOT NULL, "
                     "architecture TEXT NOT NULL, parameters {integer} NOT NULL, "
                     "layers {integer} NOT NULL){table}"),
    std::string_view("CREATE TABLE fingerprint_blob (fingerprint {integer} PRIMARY KEY "
                     "REFERENCES fingerprint (id), content {bytes} NOT NULL){table}"),
    std::string_view("CREATE TABLE signature (fingerprint {integer} PRIMARY KEY "
                     "REFERENCES fingerprint (id), content {bytes} NOT NULL){table}"),
    std::string_view("CREATE TABLE search_vector (fingerprint {integer} PRIMARY KEY "
                     "REFERENCES fingerprint (id), version {integer} NOT NULL, "
                     "content {bytes} NOT NULL){table}"),
    std::string_view("CREATE TABLE weight_digest (digest {integer} NOT NULL, "
                     "fingerprint {integer} NOT NULL, weight {integer} NOT NULL, "
                     "PRIMARY KEY (digest, fingerprint, weight)){clustered}"),
    std::string_view("CREATE TABLE model (id {id}, name TEXT NOT NULL, source TEXT NOT NULL, "
                     "revision TEXT NOT NULL, sub_path TEXT NOT NULL, publisher TEXT NOT NULL, "
                     "kind TEXT NOT NULL, fingerprint {integer} NOT NULL "
                     "REFERENCES fingerprint (id), collection TEXT NOT NULL, trust TEXT NOT NULL, "
                     "state TEXT NOT NULL, added_at {integer} NOT NULL, added_by TEXT NOT NULL, "
                     "UNIQUE (source, revision, sub_path)){table}"),
    std::string_view("CREATE INDEX model_name ON model (name)"),
    std::string_view("CREATE INDEX model_fingerprint ON model (fingerprint)"),
    std::string_view("CREATE INDEX model_state ON model (state)"),
    std::string_view("CREATE TABLE model_file (model {integer} NOT NULL REFERENCES model (id), "
                     "path TEXT NOT NULL, bytes {integer} NOT NULL, sha256 {bytes} NOT NULL, "
                     "PRIMARY KEY (model, path)){table}"),
    std::string_view("CREATE INDEX model_file_sha256 ON model_file (sha256)"),
    std::string_view("CREATE TABLE license_claim (model {integer} NOT NULL "
                     "REFERENCES model (id), place TEXT NOT NULL, license TEXT NOT NULL, "
                     "PRIMARY KEY (model, place, license)){table}"),
    std::string_view("CREATE TABLE relation (id {id}, child {integer} NOT NULL "
                     "REFERENCES model (id), parent {integer} NOT NULL REFERENCES model (id), "
                     "kind TEXT NOT NULL, origin TEXT NOT NULL, score {number}, p_value {number}, "
                     "added_at {integer} NOT NULL, added_by TEXT NOT NULL, "
                     "UNIQUE (child, parent, origin)){table}"),
    std::string_view("CREATE INDEX relation_parent ON relation (parent)"),
    std::string_view("CREATE TABLE event (id {id}, at {integer} NOT NULL, who TEXT NOT NULL, "
                     "what TEXT NOT NULL, subject TEXT NOT NULL, detail TEXT NOT NULL){table}"),
    std::string_view(
        "CREATE VIEW models AS SELECT m.name, m.source, m.revision, m.sub_path, m.publisher, "
        "m.kind, m.collection, m.trust, m.state, m.added_at, f.digest AS fingerprint, "
        "f.architecture, f.parameters FROM model m JOIN fingerprint f ON f.id = m.fingerprint"),
    std::string_view(
        "CREATE VIEW relations AS SELECT c.name AS child, p.name AS parent, r.kind, r.origin, "
        "r.score, r.p_value, r.added_at FROM relation r JOIN model c ON c.id = r.child "
        "JOIN model p ON p.id = r.parent"),
};

// Files are looked for by their length before they are read.
constexpr std::array kSecondVersion = {
    std::string_view("CREATE INDEX model_file_bytes ON model_file (bytes)"),
};

// Migration i makes version i + 1 of version i.
constexpr std::array<std::span<const std::string_view>, kSchemaVersion> kMigrations = {
    std::span<const std::string_view>(kFirstVersion),
    std::span<const std::string_view>(kSecondVersion)};

constexpr std::string_view kVersionQuery =
    "SELECT CAST(value AS {integer}) FROM meta WHERE name = 'schema_version'";

Error OfAnotherProgram(const Database& database, std::string found) {
  return {.kind = ErrorKind::kBadFile,
          .problem = "not a registry: the database is another program's",
          .file = database.place(),
          .found = std::move(found),
          .advice = "make a registry with 'tensorguard registry init FILE'"};
}

Result<SchemaState> LookAtFile(Database& database) {
  TG_ASSIGN(const int64_t tables, AskCount(database, "SELECT count(*) FROM sqlite_schema"));
  TG_ASSIGN(const int64_t application, AskCount(database, "PRAGMA application_id"));
  if (tables == 0 && application == 0) return SchemaState{};
  if (application != kApplicationId) {
    return OfAnotherProgram(database, fmt::format("application id {:#010x}, {} tables and indices",
                                                  application & 0xffffffff, tables));
  }
  TG_ASSIGN(const int64_t version, AskCount(database, kVersionQuery));
  return SchemaState{.version = version};
}

Result<SchemaState> LookAtServer(Database& database) {
  TG_ASSIGN(const int64_t ours,
            AskCount(database,
                     "SELECT count(*) FROM information_schema.tables "
                     "WHERE table_schema = 'tensorguard' AND table_name = 'meta'"));
  if (ours == 0) return SchemaState{};
  TG_ASSIGN(const int64_t version, AskCount(database, kVersionQuery));
  return SchemaState{.version = version};
}

// By type and name: the text of each part of a SQLite schema.
using SchemaTexts = std::map<std::pair<std::string, std::string>, std::string>;

Result<SchemaTexts> TextsOf(Database& database) {
  SchemaTexts texts;
  TG_TRY(database.Query("SELECT type, name, coalesce(sql, '') FROM sqlite_schema", {},
                        [&](const Row& row) -> Result<void> {
                          // sqlite_sequence and the indices of keys are SQLite's own; statistics of
                          // its planner may come.
                          const std::string name = row.Text(1);
                          if (name.starts_with("sqlite_")) return {};
                          texts[{row.Text(0), name}] = row.Text(2);
                          return {};
                        }));
  return texts;
}

Result<void> CheckTexts(Database& database) {
  TG_ASSIGN(auto fresh, OpenMemoryDatabase());
  TG_TRY(Migrate(*fresh, 0));
  TG_ASSIGN(const auto expected, TextsOf(*fresh));
  TG_ASSIGN(const auto found, TextsOf(database));
  const auto changed = [&](const std::string& what) {
    return Error{.kind = ErrorKind::kBadFile,
                 .problem = "the registry's schema is not this program's: somebody changed it",
                 .file = database.place(),
                 .found = what,
                 .advice = "take what it holds by an export of the program that made it"};
  };
  for (const auto& [key, text] : found) {
    const auto known = expected.find(key);
    if (known == expected.end()) {
      return changed(fmt::format("the {} {}", key.first, key.second));
    }
    if (known->second != text) return changed(fmt::format("another {} {}", key.first, key.second));
  }
  for (const auto& [key, text] : expected) {
    if (!found.contains(key)) return changed(fmt::format("no {} {}", key.first, key.second));
  }
  return {};
}

}  // namespace

Result<SchemaState> LookAtSchema(Database& database) {
  return database.engine() == Engine::kSqlite ? LookAtFile(database) : LookAtServer(database);
}

Result<void> Migrate(Database& database, int64_t from) {
  return database.InTransaction([&]() -> Result<void> {
    TG_TRY(database.LockSchema());
    // Another program may have been faster.
    TG_ASSIGN(const auto now, LookAtSchema(database));
    if (now.version != from) return {};
    if (from == 0 && database.engine() == Engine::kSqlite) {
      TG_TRY(database.Run(fmt::format("PRAGMA application_id = {}", kApplicationId)));
    }
    if (from == 0 && database.engine() == Engine::kPostgres) {
      TG_TRY(database.Run("CREATE SCHEMA IF NOT EXISTS tensorguard"));
    }
    for (auto version = static_cast<size_t>(from); version < kMigrations.size(); ++version) {
      for (const std::string_view step : kMigrations[version]) TG_TRY(database.Run(step));
    }
    TG_TRY(
        database.Run("INSERT INTO meta (name, value) VALUES ('schema_version', $1) "
                     "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                     {std::to_string(kSchemaVersion)}));
    return {};
  });
}

Result<void> CheckSchema(Database& database) {
  TG_ASSIGN(const auto state, LookAtSchema(database));
  const auto unsupported = [&](std::string problem, std::string advice) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = std::move(problem),
                 .file = database.place(),
                 .found = fmt::format("schema version {}", state.version),
                 .expected = fmt::format("schema version {}", kSchemaVersion),
                 .advice = std::move(advice)};
  };
  if (state.version == 0) {
    return Error{.kind = ErrorKind::kNotFound,
                 .problem = "the database holds no registry",
                 .file = database.place(),
                 .advice = "make one with 'tensorguard registry init'"};
  }
  if (state.version > kSchemaVersion) {
    return unsupported("the registry is of a newer version than this program reads",
                       "use a newer tensorguard");
  }
  if (state.version < kSchemaVersion) {
    return unsupported("the registry is of an older version", "tensorguard registry upgrade");
  }
  if (database.engine() == Engine::kSqlite) return CheckTexts(database);
  return {};
}

}  // namespace tensorguard::internal
