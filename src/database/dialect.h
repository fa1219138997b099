// The few words that the two engines do not share.
#ifndef TENSORGUARD_DATABASE_DIALECT_H_
#define TENSORGUARD_DATABASE_DIALECT_H_

#include <string>
#include <string_view>

#include "database/database.h"

namespace tensorguard::internal {

// `sql` with these filled in:
//   {id}         the type of a primary key that counts up and never gives a number twice
//   {integer}    64 bits
//   {number}     64 bits, floating point
//   {bytes}      bytes
//   {table}      what ends a CREATE TABLE
//   {clustered}  the same of a table that is kept in the order of its primary key
std::string Fill(std::string_view sql, Engine engine);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_DATABASE_DIALECT_H_
