#include "database/sqlite_database.h"

#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "base/try.h"
#include "database/dialect.h"

namespace tensorguard::internal {
namespace {

Error ErrorOf(int code, const std::string& message, const std::string& path) {
  Error error = {.kind = ErrorKind::kSystem,
                 .problem = fmt::format("the database failed: {}", message),
                 .file = path};
  switch (code & 0xff) {
    case SQLITE_NOTADB:
      error.kind = ErrorKind::kBadFile;
      error.problem = "not a registry: the file is no SQLite database";
      error.advice = "make one with 'tensorguard registry init FILE'";
      break;
    case SQLITE_CORRUPT:
      error.kind = ErrorKind::kBadFile;
      error.problem = "the database file is damaged";
      error.found = message;
      error.advice = "restore it from a copy, or import an export of it into a new registry";
      break;
    case SQLITE_FULL:
      error.problem = "no space left for the database; nothing was changed";
      error.advice = "free some space, or move the registry to a larger disk";
      break;
    case SQLITE_IOERR:
      error.problem = fmt::format(
          "the database file cannot be read or written: {}; nothing was changed", message);
      break;
    case SQLITE_READONLY:
      error.problem = "the registry can only be read";
      error.advice = "give yourself the right to write the file and its folder";
      break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      error.problem = fmt::format("another program held the registry for more than {} seconds",
                                  kLockWaitMilliseconds / 1000);
      error.advice = "try again when it is done";
      break;
    case SQLITE_TOOBIG:
      error.kind = ErrorKind::kBadFile;
      error.problem = "a value of the database is too large";
      break;
    case SQLITE_NOMEM:
      error.problem = "out of memory";
      break;
    default:
      break;
  }
  return error;
}

// A file that nobody writes: SQLite then makes no files beside it.
std::string ImmutableUri(const std::string& path) {
  std::string uri = "file:";
  for (const char c : path) {
    if (c == '%' || c == '?' || c == '#') {
      uri += fmt::format("%{:02x}", static_cast<unsigned char>(c));
    } else {
      uri += c;
    }
  }
  return uri + "?immutable=1";
}

class SqliteRow final : public Row {
 public:
  explicit SqliteRow(sqlite3_stmt* statement) : statement_(statement) {}

  bool IsNull(size_t column) const override {
    return sqlite3_column_type(statement_, static_cast<int>(column)) == SQLITE_NULL;
  }
  int64_t Integer(size_t column) const override {
    return sqlite3_column_int64(statement_, static_cast<int>(column));
  }
  double Number(size_t column) const override {
    return sqlite3_column_double(statement_, static_cast<int>(column));
  }
  std::string Text(size_t column) const override {
    const auto bytes = Bytes(column);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  std::span<const std::byte> Bytes(size_t column) const override {
    const void* const data = sqlite3_column_blob(statement_, static_cast<int>(column));
    if (data == nullptr) return {};
    const int size = sqlite3_column_bytes(statement_, static_cast<int>(column));
    return {static_cast<const std::byte*>(data), static_cast<size_t>(size)};
  }

 private:
  sqlite3_stmt* statement_;
};

}  // namespace

SqliteDatabase::SqliteDatabase(std::string path, Connection connection)
    : Database(std::move(path)),
      connection_(std::move(connection)),
      read_only_(sqlite3_db_readonly(connection_.get(), "main") == 1) {}

SqliteDatabase::~SqliteDatabase() { idle_.clear(); }

Result<std::unique_ptr<Database>> SqliteDatabase::Open(const std::string& path, bool create) {
  auto database = OpenFile(path, path, create ? SQLITE_OPEN_CREATE : 0);
  if (create && database) TG_TRY((*database)->Execute("PRAGMA journal_mode = WAL"));
  if (!create && ::access(path.c_str(), W_OK) != 0) {
    const bool readable = database && (*database)->Execute("SELECT 1 FROM sqlite_schema");
    // Where not even the files that readers share can be made, nobody has it open.
    if (!readable) database = OpenFile(path, ImmutableUri(path), SQLITE_OPEN_URI);
  }
  if (!database) return std::move(database).error();
  return std::unique_ptr<Database>(*std::move(database));
}

Result<std::unique_ptr<SqliteDatabase>> SqliteDatabase::OpenFile(const std::string& path,
                                                                 const std::string& name,
                                                                 int more_flags) {
  sqlite3* raw = nullptr;
  const int flags =
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | more_flags;
  const int opened = sqlite3_open_v2(name.c_str(), &raw, flags, nullptr);
  Connection connection(raw);
  if (opened != SQLITE_OK) {
    return ErrorOf(opened, raw == nullptr ? "out of memory" : sqlite3_errmsg(raw), path);
  }
  std::unique_ptr<SqliteDatabase> database(new SqliteDatabase(path, std::move(connection)));
  TG_TRY(database->Harden());
  return database;
}

Result<void> SqliteDatabase::Harden() {
  sqlite3* const db = connection_.get();
  sqlite3_busy_timeout(db, kLockWaitMilliseconds);
  sqlite3_limit(db, SQLITE_LIMIT_LENGTH, kLargestValueBytes);
  for (const auto& [setting, on] : {std::pair{SQLITE_DBCONFIG_DEFENSIVE, 1},
                                    {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
                                    {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
                                    {SQLITE_DBCONFIG_ENABLE_VIEW, 0}}) {
    sqlite3_db_config(db, setting, on, nullptr);
  }
  TG_TRY(Execute("PRAGMA cell_size_check = ON"));
  TG_TRY(Execute("PRAGMA mmap_size = 0"));
  TG_TRY(Execute("PRAGMA foreign_keys = ON"));
  return Execute("PRAGMA synchronous = FULL");
}

Result<void> SqliteDatabase::Execute(const char* sql) {
  if (sqlite3_exec(connection_.get(), sql, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return Failure();
}

Error SqliteDatabase::Failure() const {
  return ErrorOf(sqlite3_extended_errcode(connection_.get()), sqlite3_errmsg(connection_.get()),
                 place());
}

Result<SqliteDatabase::Statement> SqliteDatabase::Take(std::string_view sql) {
  const auto known = idle_.find(sql);
  if (known != idle_.end() && !known->second.empty()) {
    Statement statement = std::move(known->second.back());
    known->second.pop_back();
    return statement;
  }
  const std::string filled = Fill(sql, Engine::kSqlite);
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v3(connection_.get(), filled.data(), static_cast<int>(filled.size()),
                         SQLITE_PREPARE_PERSISTENT, &raw, nullptr) != SQLITE_OK) {
    return Failure();
  }
  return Statement(raw);
}

void SqliteDatabase::PutBack(std::string_view sql, Statement statement) {
  sqlite3_reset(statement.get());
  sqlite3_clear_bindings(statement.get());
  idle_[std::string(sql)].push_back(std::move(statement));
}

Result<void> SqliteDatabase::Bind(sqlite3_stmt* statement, std::span<const Value> values) {
  for (size_t i = 0; i < values.size(); ++i) {
    // SQLite takes $2 for a name and numbers it by where it stands.
    const int at = sqlite3_bind_parameter_index(statement, fmt::format("${}", i + 1).c_str());
    if (at == 0) continue;
    int bound = SQLITE_OK;
    const Value& value = values[i];
    if (const auto* integer = std::get_if<int64_t>(&value)) {
      bound = sqlite3_bind_int64(statement, at, *integer);
    } else if (const auto* number = std::get_if<double>(&value)) {
      bound = sqlite3_bind_double(statement, at, *number);
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      bound = sqlite3_bind_text64(statement, at, text->data(), text->size(), SQLITE_TRANSIENT,
                                  SQLITE_UTF8);
    } else if (const auto* bytes = std::get_if<std::span<const std::byte>>(&value)) {
      bound = bytes->empty()
                  ? sqlite3_bind_zeroblob(statement, at, 0)
                  : sqlite3_bind_blob64(statement, at, bytes->data(), bytes->size(), SQLITE_STATIC);
    }
    if (bound != SQLITE_OK) return Failure();
  }
  return {};
}

Result<void> SqliteDatabase::Query(std::string_view sql, std::span<const Value> values,
                                   const RowReader& read) {
  TG_ASSIGN(auto statement, Take(sql));
  TG_TRY(Bind(statement.get(), values));
  for (;;) {
    const int step = sqlite3_step(statement.get());
    if (step == SQLITE_DONE) break;
    if (step != SQLITE_ROW) return Failure();
    TG_TRY(read(SqliteRow(statement.get())));
  }
  PutBack(sql, std::move(statement));
  return {};
}

Result<int64_t> SqliteDatabase::Run(std::string_view sql, std::span<const Value> values) {
  TG_TRY(Query(sql, values, [](const Row&) -> Result<void> { return {}; }));
  return static_cast<int64_t>(sqlite3_changes64(connection_.get()));
}

Result<void> SqliteDatabase::InTransaction(const std::function<Result<void>()>& work) {
  TG_TRY(Execute("BEGIN IMMEDIATE"));
  auto done = work();
  if (done) done = Execute("COMMIT");
  // An error may have taken everything back already.
  if (!done && sqlite3_get_autocommit(connection_.get()) == 0) (void)Execute("ROLLBACK");
  return done;
}

}  // namespace tensorguard::internal
