#include "database/ask_number.h"

#include "base/try.h"

namespace tensorguard::internal {

Result<std::optional<int64_t>> AskNumber(Database& database, std::string_view sql,
                                         std::initializer_list<Value> values) {
  std::optional<int64_t> number;
  TG_TRY(database.Query(sql, values, [&](const Row& row) -> Result<void> {
    number = row.IsNull(0) ? std::nullopt : std::optional(row.Integer(0));
    return {};
  }));
  return number;
}

Result<int64_t> AskCount(Database& database, std::string_view sql) {
  TG_ASSIGN(const auto number, AskNumber(database, sql));
  return number.value_or(0);
}

}  // namespace tensorguard::internal
