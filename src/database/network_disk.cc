#include "database/network_disk.h"

#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>
#include <string_view>
#include <system_error>

#include "base/system_error.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;

struct DiskType {
  uint64_t type;
  std::string_view name;
};

// linux/magic.h, and what the makers of the others say.
constexpr std::array<DiskType, 12> kNetworkDisks = {{{0x6969, "NFS"},
                                                     {0x517b, "SMB"},
                                                     {0xff534d42, "CIFS"},
                                                     {0xfe534d42, "SMB2"},
                                                     {0x5346414f, "AFS"},
                                                     {0x73757245, "Coda"},
                                                     {0x00c36400, "Ceph"},
                                                     {0x01021997, "9P"},
                                                     {0x0bd00bd3, "Lustre"},
                                                     {0x47504653, "GPFS"},
                                                     {0x01161970, "GFS2"},
                                                     {0x19830326, "BeeGFS"}}};

constexpr uint64_t kFuse = 0x65735546;

// Programs that reach other machines or stores; mounts are called "fuse." and this.
constexpr std::array<std::string_view, 18> kNetworkPrograms = {
    "sshfs",     "s3fs",      "gcsfuse", "goofys",    "rclone", "mount-s3",
    "glusterfs", "ceph-fuse", "ceph",    "juicefs",   "davfs2", "curlftpfs",
    "smbnetfs",  "blobfuse",  "mfs",     "blobfuse2", "nfs",    "cvmfs2"};

// A mount's path, in which blanks and the like are written as octal numbers.
std::string Unescaped(const std::string& text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool octal = text[i] == '\\' && i + 3 < text.size();
    if (octal) {
      plain += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                                 (text[i + 3] - '0'));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

bool Holds(const std::string& mount, const std::string& path) {
  if (mount == "/") return path.starts_with('/');
  return path == mount || path.starts_with(mount + "/");
}

}  // namespace

std::string MountTypeOf(const std::string& mountinfo, const std::string& path) {
  std::string type;
  size_t longest = 0;
  std::istringstream lines(mountinfo);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string skipped;
    std::string mount;
    fields >> skipped >> skipped >> skipped >> skipped >> mount;
    // Optional fields end at a dash; the type is next.
    std::string field;
    while (fields >> field && field != "-") continue;
    std::string found;
    fields >> found;
    mount = Unescaped(mount);
    // A later mount on the same place hides the earlier one.
    if (found.empty() || !Holds(mount, path) || mount.size() < longest) continue;
    longest = mount.size();
    type = found;
  }
  return type;
}

Result<Disk> DiskOf(const fs::path& folder) {
  struct statfs found = {};
  if (::statfs(folder.c_str(), &found) != 0) {
    return SystemError("look at the folder of the registry", folder.string(), errno);
  }
  Disk disk = {.type = static_cast<uint64_t>(found.f_type) & 0xffffffff};
  if (disk.type != kFuse) return disk;
  std::error_code failure;
  const fs::path whole = fs::canonical(folder, failure);
  std::ostringstream mountinfo;
  mountinfo << std::ifstream("/proc/self/mountinfo").rdbuf();
  disk.program = MountTypeOf(mountinfo.str(), whole.string());
  return disk;
}

std::optional<std::string> NetworkDiskName(const Disk& disk) {
  constexpr std::string_view kPrefix = "fuse.";
  if (disk.type == kFuse && disk.program.starts_with(kPrefix)) {
    const std::string program = disk.program.substr(kPrefix.size());
    const bool network = std::ranges::find(kNetworkPrograms, program) != kNetworkPrograms.end();
    return network ? std::optional(program) : std::nullopt;
  }
  const auto known = std::ranges::find(kNetworkDisks, disk.type, &DiskType::type);
  if (known == kNetworkDisks.end()) return {};
  return std::string(known->name);
}

}  // namespace tensorguard::internal
