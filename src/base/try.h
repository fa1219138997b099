// Hands an error on to the caller in one line: docs/decisions/015-two-macros-for-errors.md.
#ifndef TENSORGUARD_BASE_TRY_H_
#define TENSORGUARD_BASE_TRY_H_

#include <utility>

#include "tensorguard/result.h"

// TG_TRY(Check(table)): returns from the function with the error of a Result, if it is one. What a
// Result<T> holds is dropped.
#define TG_TRY(expression) TG_TRY_AS_(TG_UNIQUE_(tg_result_), expression)

// TG_ASSIGN(const auto table, ReadTable(file)): the same, and declares or sets `target` to what the
// Result holds. Two statements: not the only one after an if without braces. A comma outside of
// parentheses in `target` or `expression` needs a pair around it.
#define TG_ASSIGN(target, expression) TG_ASSIGN_AS_(TG_UNIQUE_(tg_result_), target, expression)

#define TG_TRY_AS_(result, expression)         \
  do {                                         \
    if (auto result = (expression); !result) { \
      return std::move(result).error();        \
    }                                          \
  } while (false)

#define TG_ASSIGN_AS_(result, target, expression) \
  auto result = (expression);                     \
  if (!result) return std::move(result).error();  \
  target = *std::move(result)

// A name that no other line of the file has, so that none hides another.
#define TG_UNIQUE_(name) TG_JOIN_(name, __COUNTER__)
#define TG_JOIN_(first, second) TG_JOIN_EXPANDED_(first, second)
#define TG_JOIN_EXPANDED_(first, second) first##second

#endif  // TENSORGUARD_BASE_TRY_H_
