// Which commit of the project was built.
#ifndef TENSORGUARD_BASE_BUILD_COMMIT_H_
#define TENSORGUARD_BASE_BUILD_COMMIT_H_

#include <string_view>

namespace tensorguard::internal {

// Its 40 hexadecimal digits, with "+changes" where files had been changed since; empty where it was
// not built from a git repository. Written by cmake/write_commit.cmake and linked into programs
// alone, so that a commit does not build the stages again.
std::string_view BuildCommit();

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_BASE_BUILD_COMMIT_H_
