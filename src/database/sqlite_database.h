// SQLite.
#ifndef TENSORGUARD_DATABASE_SQLITE_DATABASE_H_
#define TENSORGUARD_DATABASE_SQLITE_DATABASE_H_

#include <sqlite3.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "database/database.h"

namespace tensorguard::internal {

// The file is not trusted: no function of its schema runs, its triggers and views are off, its
// cells are checked, and no value is larger than kLargestValueBytes.
class SqliteDatabase final : public Database {
 public:
  static constexpr int kLargestValueBytes = 1 << 28;

  // `path` may be ":memory:". Errors: those of OpenDatabase.
  static Result<std::unique_ptr<Database>> Open(const std::string& path, bool create);
  ~SqliteDatabase() override;

  Engine engine() const override { return Engine::kSqlite; }
  bool read_only() const override { return read_only_; }
  Result<int64_t> Run(std::string_view sql, std::span<const Value> values) override;
  Result<void> Query(std::string_view sql, std::span<const Value> values,
                     const RowReader& read) override;
  Result<void> InTransaction(const std::function<Result<void>()>& work) override;
  Result<void> LockSchema() override { return {}; }

 private:
  struct Closing {
    void operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  using Connection = std::unique_ptr<sqlite3, Closing>;
  using Statement = std::unique_ptr<sqlite3_stmt, Closing>;

  SqliteDatabase(std::string path, Connection connection);

  static Result<std::unique_ptr<SqliteDatabase>> OpenFile(const std::string& path,
                                                          const std::string& name, int more_flags);

  Result<void> Harden();
  Result<void> Execute(const char* sql);
  // Out of the cache, or prepared; whoever took it puts it back.
  Result<Statement> Take(std::string_view sql);
  void PutBack(std::string_view sql, Statement statement);
  Result<void> Bind(sqlite3_stmt* statement, std::span<const Value> values);
  Error Failure() const;

  Connection connection_;
  bool read_only_;
  std::map<std::string, std::vector<Statement>, std::less<>> idle_;
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_DATABASE_SQLITE_DATABASE_H_
