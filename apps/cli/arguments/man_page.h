// The manual page in roff, section 1.
#ifndef TENSORGUARD_CLI_ARGUMENTS_MAN_PAGE_H_
#define TENSORGUARD_CLI_ARGUMENTS_MAN_PAGE_H_

#include <string>

#include "cli/arguments/program_description.h"

namespace tensorguard::internal::cli {

std::string ManPage(const ProgramDescription& program);

}  // namespace tensorguard::internal::cli

#endif  // TENSORGUARD_CLI_ARGUMENTS_MAN_PAGE_H_
