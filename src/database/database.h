// A database, SQLite or PostgreSQL, by one set of SQL texts.
#ifndef TENSORGUARD_DATABASE_DATABASE_H_
#define TENSORGUARD_DATABASE_DATABASE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tensorguard/result.h"

namespace tensorguard::internal {

// What a parameter holds: nothing, a whole number, a number, text in UTF-8, bytes (not copied).
using Value =
    std::variant<std::monostate, int64_t, double, std::string, std::span<const std::byte>>;

// A row of an answer, valid until the reader returns. A null reads as 0 or empty.
class Row {
 public:
  virtual ~Row() = default;
  virtual bool IsNull(size_t column) const = 0;
  virtual int64_t Integer(size_t column) const = 0;
  virtual double Number(size_t column) const = 0;
  virtual std::string Text(size_t column) const = 0;
  virtual std::span<const std::byte> Bytes(size_t column) const = 0;
};

using RowReader = std::function<Result<void>(const Row&)>;

enum class Engine { kSqlite, kPostgres };

// Texts hold $1, $2, ... for parameters, and the placeholders of dialect.h for what the engines
// call by different names. Statements are prepared once. Never is a text built from a name. For one
// thread at a time. Errors name the place as their file: kBadFile for a damaged file, kSystem for a
// full disk, a server that does not answer, or a lock that was not given within kLockWait.
class Database {
 public:
  virtual ~Database() = default;
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  virtual Engine engine() const = 0;
  // The file, or the URL without its password. For messages.
  const std::string& place() const { return place_; }
  virtual bool read_only() const = 0;

  // How many rows it changed.
  virtual Result<int64_t> Run(std::string_view sql, std::span<const Value> values = {}) = 0;
  // Hands each row of the answer to `read`, which may ask more; ends with its first error.
  virtual Result<void> Query(std::string_view sql, std::span<const Value> values,
                             const RowReader& read) = 0;

  // Commits what `work` does, or takes all of it back if it fails. Nothing else writes meanwhile
  // (SQLite), or sees half of it (PostgreSQL). A server that went away is asked again, and `work`
  // with it, so what it does must bear to be repeated. Not nested.
  virtual Result<void> InTransaction(const std::function<Result<void>()>& work) = 0;

  // Keeps others from changing the tables until the transaction ends.
  virtual Result<void> LockSchema() = 0;

  Result<int64_t> Run(std::string_view sql, std::initializer_list<Value> values) {
    return Run(sql, std::span<const Value>(values.begin(), values.size()));
  }
  Result<void> Query(std::string_view sql, std::initializer_list<Value> values,
                     const RowReader& read) {
    return Query(sql, std::span<const Value>(values.begin(), values.size()), read);
  }

 protected:
  explicit Database(std::string place) : place_(std::move(place)) {}

 private:
  std::string place_;
};

inline constexpr int kLockWaitMilliseconds = 30'000;

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_DATABASE_DATABASE_H_
