// What a page says of its own making, so that others can repeat it.
#ifndef TENSORGUARD_REPORT_PAGE_ORIGIN_H_
#define TENSORGUARD_REPORT_PAGE_ORIGIN_H_

#include <cstdint>
#include <string>
#include <vector>

namespace tensorguard::internal {

struct FileDigest {
  std::string file = {};  // its name without folders; raw
  uint64_t bytes = 0;
  std::string blake3 = {};  // 64 hexadecimal digits, as b3sum prints them
};

struct PageOrigin {
  std::string version = {};                  // of the program
  std::string commit = {};                   // BuildCommit
  std::string command = {};                  // as it was typed; empty where there was none; raw
  std::vector<FileDigest> first_files = {};  // of the first model; none where they were not read
  std::vector<FileDigest> second_files = {};
  std::string json = {};  // the object of --json
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_REPORT_PAGE_ORIGIN_H_
