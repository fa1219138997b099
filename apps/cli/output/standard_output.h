// Whether a file that was written is the program's own standard output.
#ifndef TENSORGUARD_CLI_OUTPUT_STANDARD_OUTPUT_H_
#define TENSORGUARD_CLI_OUTPUT_STANDARD_OUTPUT_H_

#include <sys/stat.h>
#include <unistd.h>

#include <string>

namespace tensorguard::internal::cli {

// A line about a file must not follow it into the same stream.
inline bool IsStandardOutput(const std::string& path) {
  struct stat file = {};
  struct stat output = {};
  return ::stat(path.c_str(), &file) == 0 && ::fstat(STDOUT_FILENO, &output) == 0 &&
         file.st_dev == output.st_dev && file.st_ino == output.st_ino;
}

}  // namespace tensorguard::internal::cli

#endif  // TENSORGUARD_CLI_OUTPUT_STANDARD_OUTPUT_H_
