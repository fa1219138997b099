// The manual page in roff, section 1.
#ifndef TENSORGUARD_APPS_CLI_MAN_PAGE_H_
#define TENSORGUARD_APPS_CLI_MAN_PAGE_H_

#include <string>

#include "cli/program_description.h"

namespace tensorguard::cli {

std::string ManPage(const ProgramDescription& program);

}  // namespace tensorguard::cli

#endif  // TENSORGUARD_APPS_CLI_MAN_PAGE_H_
