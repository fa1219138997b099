// Errors of the operating system.
#ifndef TENSORGUARD_BASE_SYSTEM_ERROR_H_
#define TENSORGUARD_BASE_SYSTEM_ERROR_H_

#include <string>
#include <string_view>

#include "tensorguard/error.h"

namespace tensorguard::internal {

// "cannot ACTION: what errno says", kNotFound if `path` is missing, else kSystem.
Error SystemError(std::string_view action, const std::string& path, int error_number);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_BASE_SYSTEM_ERROR_H_
