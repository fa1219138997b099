#include "database/network_disk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "database/open_database.h"
#include "tests/support/scratch_folder.h"

namespace tensorguard::internal {
namespace {

constexpr uint64_t kFuse = 0x65735546;

Result<void> OpenOn(const Disk& disk, const std::string& place, OpenMode mode) {
  const auto opened =
      OpenDatabase(place, mode, [&](const std::filesystem::path&) -> Result<Disk> { return disk; });
  if (!opened) return opened.error();
  return {};
}

TEST(NetworkDisk, IsRefusedWithItsName) {
  const ScratchFolder folder;
  const std::string place = (folder.path() / "a.tgr").string();
  struct Case {
    Disk disk;
    std::string name;
  };
  for (const Case& each : {Case{{.type = 0x6969}, "NFS"},
                           {{.type = 0xff534d42}, "CIFS"},
                           {{.type = 0xfe534d42}, "SMB2"},
                           {{.type = 0x01021997}, "9P"},
                           {{.type = 0x0bd00bd3}, "Lustre"},
                           {{.type = kFuse, .program = "fuse.sshfs"}, "sshfs"},
                           {{.type = kFuse, .program = "fuse.s3fs"}, "s3fs"}}) {
    for (const OpenMode mode : {OpenMode::kNew, OpenMode::kExisting}) {
      if (mode == OpenMode::kExisting) folder.Write("a.tgr", "");
      const auto opened = OpenOn(each.disk, place, mode);
      ASSERT_FALSE(opened) << each.name;
      EXPECT_EQ(opened.error().kind, ErrorKind::kUnsupported);
      EXPECT_EQ(opened.error().found, each.name);
      EXPECT_THAT(opened.error().advice, testing::HasSubstr("postgresql://"));
    }
    std::filesystem::remove(place);  // was never made by us
  }
}

TEST(NetworkDisk, OfThisMachineIsTaken) {
  const ScratchFolder folder;
  int count = 0;
  for (const Disk& disk : {Disk{.type = 0xef53},      // ext4
                           Disk{.type = 0x9123683e},  // btrfs
                           Disk{.type = 0x794c7630},  // overlay, of containers
                           Disk{.type = kFuse, .program = "fuseblk"},
                           Disk{.type = kFuse, .program = "fuse.fuse-overlayfs"},
                           Disk{.type = kFuse, .program = "fuse.mergerfs"}}) {
    const auto opened =
        OpenOn(disk, (folder.path() / std::to_string(++count)).string(), OpenMode::kNew);
    EXPECT_TRUE(opened) << disk.program << (opened ? "" : DescribeError(opened.error()));
  }
}

TEST(NetworkDisk, IsLookedAtWhereTheFileLies) {
  const ScratchFolder folder;
  std::filesystem::path asked;
  const auto look = [&](const std::filesystem::path& path) -> Result<Disk> {
    asked = path;
    return DiskOf(path);
  };
  EXPECT_TRUE(OpenDatabase((folder.path() / "a.tgr").string(), OpenMode::kNew, look));
  EXPECT_EQ(asked, folder.path());
  const ScratchFolder other;
  std::filesystem::create_symlink(folder.path() / "a.tgr", other.path() / "link.tgr");
  EXPECT_TRUE(OpenDatabase((other.path() / "link.tgr").string(), OpenMode::kExisting, look));
  EXPECT_EQ(asked, folder.path());
  const auto refuse = [&](const std::filesystem::path& path) -> Result<Disk> {
    asked = path;
    return Error{.problem = "looked at"};
  };
  EXPECT_EQ(OpenDatabase("new.tgr", OpenMode::kNew, refuse).error().problem, "looked at");
  EXPECT_EQ(asked, std::filesystem::current_path());
  const auto nowhere = DiskOf(folder.path() / "none");
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().kind, ErrorKind::kNotFound);
}

TEST(NetworkDisk, MountsAreReadAsTheKernelWritesThem) {
  const std::string mounts =
      "22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n"
      "40 22 0:50 / /mnt/my\\040models rw - fuse.sshfs host:/models rw\n"
      "41 40 0:51 / /mnt/my\\040models/here rw master:2 shared:9 - tmpfs none rw\n"
      "42 22 0:52 / /mnt/my rw - fuse.mergerfs a:b rw\n"
      "43 22 0:53 / /mnt/my rw - fuse.rclone remote: rw\n"
      "cut off\n";
  EXPECT_EQ(MountTypeOf(mounts, "/home"), "ext4");
  EXPECT_EQ(MountTypeOf(mounts, "/mnt/my models"), "fuse.sshfs");
  EXPECT_EQ(MountTypeOf(mounts, "/mnt/my models/a/b"), "fuse.sshfs");
  EXPECT_EQ(MountTypeOf(mounts, "/mnt/my models/here/b"), "tmpfs");
  EXPECT_EQ(MountTypeOf(mounts, "/mnt/my modelsX"), "ext4");
  EXPECT_EQ(MountTypeOf(mounts, "/mnt/my/x"), "fuse.rclone");  // the later one hides the other
  EXPECT_EQ(MountTypeOf("", "/home"), "");
}

}  // namespace
}  // namespace tensorguard::internal
