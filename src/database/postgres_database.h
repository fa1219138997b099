// PostgreSQL, through libpq.
#ifndef TENSORGUARD_DATABASE_POSTGRES_DATABASE_H_
#define TENSORGUARD_DATABASE_POSTGRES_DATABASE_H_

#include <libpq-fe.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "database/database.h"

namespace tensorguard::internal {

// The tables are those of the schema "tensorguard". Parameters and answers travel as binary. A
// server that went away between statements is connected to anew, with growing waits.
class PostgresDatabase final : public Database {
 public:
  static Result<std::unique_ptr<Database>> Open(const std::string& url);

  Engine engine() const override { return Engine::kPostgres; }
  bool read_only() const override { return false; }
  Result<int64_t> Run(std::string_view sql, std::span<const Value> values) override;
  Result<void> Query(std::string_view sql, std::span<const Value> values,
                     const RowReader& read) override;
  Result<void> InTransaction(const std::function<Result<void>()>& work) override;
  Result<void> LockSchema() override;

 private:
  struct Closing {
    void operator()(PGconn* connection) const { PQfinish(connection); }
    void operator()(PGresult* answer) const { PQclear(answer); }
  };
  using Connection = std::unique_ptr<PGconn, Closing>;
  using Answer = std::unique_ptr<PGresult, Closing>;

  PostgresDatabase(std::string place, Connection connection);

  Result<void> Prepare();
  Result<void> Reconnect();
  Result<Answer> Ask(std::string_view sql, std::span<const Value> values);
  Result<Answer> AskOnce(std::string_view sql, std::span<const Value> values);
  Error Failure(const PGresult* answer) const;
  bool Lost() const { return PQstatus(connection_.get()) == CONNECTION_BAD; }

  Connection connection_;
  bool in_transaction_ = false;
  std::map<std::string, std::string, std::less<>> prepared_;  // by text: the statement's name
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_DATABASE_POSTGRES_DATABASE_H_
