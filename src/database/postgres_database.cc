#include "database/postgres_database.h"

#include <fmt/format.h>

#include <bit>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>
#include <vector>

#include "base/try.h"
#include "database/dialect.h"
#include "database/open_database.h"

namespace tensorguard::internal {
namespace {

// Of the types that travel here (catalog/pg_type.dat).
enum : Oid { kBoolean = 16, kBytes = 17, kInt8 = 20, kInt4 = 23, kText = 25, kFloat8 = 701 };

constexpr int kTries = 5;
constexpr std::chrono::milliseconds kFirstWait(100);

template <typename T>
T FromBigEndian(const char* bytes) {
  T value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) value = (value << 8) | static_cast<uint8_t>(bytes[i]);
  return value;
}

std::array<char, 8> ToBigEndian(uint64_t value) {
  std::array<char, 8> bytes;
  for (size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(value >> (56 - 8 * i));
  return bytes;
}

// The server's words, on one line.
std::string Plain(const char* message) {
  std::string text = message == nullptr ? "" : message;
  while (!text.empty() && text.back() == '\n') text.pop_back();
  for (char& c : text) {
    if (c == '\n' || c == '\t') c = ' ';
  }
  return text;
}

Error Unreachable(const PGconn* connection, const std::string& place) {
  return {.kind = ErrorKind::kSystem,
          .problem = "the database server cannot be reached",
          .file = place,
          .found = Plain(PQerrorMessage(connection)),
          .advice = "check the URL, and that the server runs: pg_isready -d URL"};
}

class PostgresRow final : public Row {
 public:
  PostgresRow(const PGresult* answer, int row) : answer_(answer), row_(row) {}

  bool IsNull(size_t column) const override {
    return PQgetisnull(answer_, row_, static_cast<int>(column)) == 1;
  }
  int64_t Integer(size_t column) const override {
    if (IsNull(column)) return 0;
    const char* const bytes = Data(column);
    switch (PQftype(answer_, static_cast<int>(column))) {
      case kInt8:
        return static_cast<int64_t>(FromBigEndian<uint64_t>(bytes));
      case kInt4:
        return static_cast<int32_t>(FromBigEndian<uint32_t>(bytes));
      case kBoolean:
        return bytes[0];
      default:
        return 0;
    }
  }
  double Number(size_t column) const override {
    if (IsNull(column)) return 0;
    if (PQftype(answer_, static_cast<int>(column)) != kFloat8) {
      return static_cast<double>(Integer(column));
    }
    return std::bit_cast<double>(FromBigEndian<uint64_t>(Data(column)));
  }
  std::string Text(size_t column) const override {
    const auto bytes = Bytes(column);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  std::span<const std::byte> Bytes(size_t column) const override {
    const int size = PQgetlength(answer_, row_, static_cast<int>(column));
    return {reinterpret_cast<const std::byte*>(Data(column)), static_cast<size_t>(size)};
  }

 private:
  const char* Data(size_t column) const {
    return PQgetvalue(answer_, row_, static_cast<int>(column));
  }

  const PGresult* answer_;
  int row_;
};

// What libpq wants to be handed: arrays side by side.
struct BoundValues {
  std::vector<Oid> types;
  std::vector<const char*> data;
  std::vector<int> lengths;
  std::vector<int> formats;
  std::vector<std::array<char, 8>> numbers;  // what `data` points to

  explicit BoundValues(std::span<const Value> values) {
    numbers.reserve(values.size());
    for (const Value& value : values) Add(value);
  }

  void Add(const Value& value) {
    if (const auto* integer = std::get_if<int64_t>(&value)) {
      AddNumber(kInt8, static_cast<uint64_t>(*integer));
    } else if (const auto* number = std::get_if<double>(&value)) {
      AddNumber(kFloat8, std::bit_cast<uint64_t>(*number));
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      AddBytes(kText, text->data(), text->size());
    } else if (const auto* bytes = std::get_if<std::span<const std::byte>>(&value)) {
      AddBytes(kBytes, reinterpret_cast<const char*>(bytes->data()), bytes->size());
    } else {
      types.push_back(0);
      data.push_back(nullptr);
      lengths.push_back(0);
      formats.push_back(1);
    }
  }

 private:
  void AddNumber(Oid type, uint64_t bits) {
    numbers.push_back(ToBigEndian(bits));
    AddBytes(type, numbers.back().data(), numbers.back().size());
  }

  void AddBytes(Oid type, const char* bytes, size_t size) {
    types.push_back(type);
    data.push_back(bytes == nullptr ? "" : bytes);  // a null pointer would be a null
    lengths.push_back(static_cast<int>(size));
    formats.push_back(1);
  }
};

}  // namespace

PostgresDatabase::PostgresDatabase(std::string place, Connection connection)
    : Database(std::move(place)), connection_(std::move(connection)) {}

Result<std::unique_ptr<Database>> PostgresDatabase::Open(const std::string& url) {
  Connection connection(PQconnectdb(url.c_str()));
  const std::string place = WithoutPassword(url);
  if (PQstatus(connection.get()) != CONNECTION_OK) return Unreachable(connection.get(), place);
  std::unique_ptr<PostgresDatabase> database(new PostgresDatabase(place, std::move(connection)));
  TG_TRY(database->Prepare());
  return std::unique_ptr<Database>(std::move(database));
}

Result<void> PostgresDatabase::Prepare() {
  // Notices would go to standard error.
  PQsetNoticeProcessor(
      connection_.get(), [](void*, const char*) {}, nullptr);
  prepared_.clear();
  for (const char* setting :
       {"SET search_path TO tensorguard", "SET client_encoding TO 'UTF8'",
        "SET lock_timeout TO '30s'", "SET standard_conforming_strings TO on"}) {
    const Answer answer(PQexec(connection_.get(), setting));
    if (PQresultStatus(answer.get()) != PGRES_COMMAND_OK) return Failure(answer.get());
  }
  return {};
}

Result<void> PostgresDatabase::Reconnect() {
  auto wait = kFirstWait;
  for (int tried = 0; tried < kTries; ++tried, wait *= 2) {
    PQreset(connection_.get());
    if (!Lost()) return Prepare();
    std::this_thread::sleep_for(wait);
  }
  return Unreachable(connection_.get(), place());
}

Error PostgresDatabase::Failure(const PGresult* answer) const {
  const char* const field =
      answer == nullptr ? nullptr : PQresultErrorField(answer, PG_DIAG_SQLSTATE);
  const std::string_view state = field == nullptr ? "" : field;
  const std::string message =
      Plain(answer == nullptr ? PQerrorMessage(connection_.get()) : PQresultErrorMessage(answer));
  Error error = {.kind = ErrorKind::kSystem,
                 .problem = fmt::format("the database failed: {}", message),
                 .file = place()};
  if (state == "53100") {
    error.problem = "no space left for the database; nothing was changed";
    error.advice = "free some space on the server";
  } else if (state == "55P03") {
    error.problem = "another program held the registry for more than 30 seconds";
    error.advice = "try again when it is done";
  } else if (state == "42501" || state == "25006") {
    error.problem = "the registry can only be read";
    error.found = message;
    error.advice = "ask for the right to write the schema 'tensorguard'";
  }
  return error;
}

Result<PostgresDatabase::Answer> PostgresDatabase::AskOnce(std::string_view sql,
                                                           std::span<const Value> values) {
  const BoundValues bound(values);
  auto known = prepared_.find(sql);
  if (known == prepared_.end()) {
    const std::string name = fmt::format("s{}", prepared_.size());
    const std::string filled = Fill(sql, Engine::kPostgres);
    const Answer prepared(PQprepare(connection_.get(), name.c_str(), filled.c_str(),
                                    static_cast<int>(values.size()), bound.types.data()));
    if (PQresultStatus(prepared.get()) != PGRES_COMMAND_OK) return Failure(prepared.get());
    known = prepared_.emplace(sql, name).first;
  }
  Answer answer(PQexecPrepared(connection_.get(), known->second.c_str(),
                               static_cast<int>(values.size()), bound.data.data(),
                               bound.lengths.data(), bound.formats.data(), 1));
  const ExecStatusType status = PQresultStatus(answer.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) return Failure(answer.get());
  return answer;
}

Result<PostgresDatabase::Answer> PostgresDatabase::Ask(std::string_view sql,
                                                       std::span<const Value> values) {
  auto answer = AskOnce(sql, values);
  if (answer || in_transaction_ || !Lost()) return answer;
  TG_TRY(Reconnect());
  return AskOnce(sql, values);
}

Result<void> PostgresDatabase::Query(std::string_view sql, std::span<const Value> values,
                                     const RowReader& read) {
  TG_ASSIGN(const auto answer, Ask(sql, values));
  const int rows = PQntuples(answer.get());
  for (int row = 0; row < rows; ++row) TG_TRY(read(PostgresRow(answer.get(), row)));
  return {};
}

Result<int64_t> PostgresDatabase::Run(std::string_view sql, std::span<const Value> values) {
  TG_ASSIGN(const auto answer, Ask(sql, values));
  return static_cast<int64_t>(std::atoll(PQcmdTuples(answer.get())));
}

Result<void> PostgresDatabase::InTransaction(const std::function<Result<void>()>& work) {
  Result<void> done;
  for (int tried = 0; tried < 2; ++tried) {
    TG_TRY(Run("BEGIN", {}));  // connects anew where that is needed
    in_transaction_ = true;
    done = work();
    if (done) {
      if (auto committed = Run("COMMIT", {}); !committed) done = std::move(committed).error();
    }
    in_transaction_ = false;
    if (done || !Lost()) break;
  }
  if (!done && !Lost()) (void)Run("ROLLBACK", {});
  return done;
}

Result<void> PostgresDatabase::LockSchema() {
  // "TGRG": any number will do, as long as all programs take the same.
  return Query("SELECT pg_advisory_xact_lock(1413960263)", {},
               [](const Row&) -> Result<void> { return {}; });
}

}  // namespace tensorguard::internal
