// A single number as the answer of a database.
#ifndef TENSORGUARD_DATABASE_ASK_NUMBER_H_
#define TENSORGUARD_DATABASE_ASK_NUMBER_H_

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

#include "database/database.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// The first column of the last row; empty where there is no row, or it is NULL. Errors: those of
// Database::Query.
Result<std::optional<int64_t>> AskNumber(Database& database, std::string_view sql,
                                         std::initializer_list<Value> values = {});

// The same; 0 where it is empty.
Result<int64_t> AskCount(Database& database, std::string_view sql);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_DATABASE_ASK_NUMBER_H_
