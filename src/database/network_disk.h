// Disks of other machines, on which a database's locks may not hold.
#ifndef TENSORGUARD_DATABASE_NETWORK_DISK_H_
#define TENSORGUARD_DATABASE_NETWORK_DISK_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "tensorguard/result.h"

namespace tensorguard::internal {

struct Disk {
  uint64_t type = 0;         // statfs(2): f_type
  std::string program = {};  // of FUSE: what it is mounted as, "fuse.sshfs"; else empty
};

// That `folder` lies on. Errors: kNotFound, kSystem.
Result<Disk> DiskOf(const std::filesystem::path& folder);

using DiskLook = std::function<Result<Disk>(const std::filesystem::path& folder)>;

// What people call it, if it is another machine's: its locks, or its shared memory, are then not
// what SQLite needs. Of FUSE that is told by the program behind it: many are of this machine.
std::optional<std::string> NetworkDiskName(const Disk& disk);

// The type of the innermost mount that holds `path`, an absolute path without links, by the lines
// of /proc/self/mountinfo (proc(5)). Empty if none does.
std::string MountTypeOf(const std::string& mountinfo, const std::string& path);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_DATABASE_NETWORK_DISK_H_
