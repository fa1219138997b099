// tensorguard.version/1
#ifndef TENSORGUARD_CLI_OUTPUT_VERSION_JSON_H_
#define TENSORGUARD_CLI_OUTPUT_VERSION_JSON_H_

#include <string_view>

#include "api/json/result_json.h"

namespace tensorguard::internal::cli {

// The program's version and commit, and the versions of what it writes.
OrderedJson VersionToJson(std::string_view version, std::string_view commit);

}  // namespace tensorguard::internal::cli

#endif  // TENSORGUARD_CLI_OUTPUT_VERSION_JSON_H_
