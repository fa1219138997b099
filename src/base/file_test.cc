#include "base/file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "base/atomic_file.h"
#include "tests/support/scratch_folder.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;

std::string ReadRange(const File& file, uint64_t offset, size_t count) {
  std::string text(count, '?');
  const auto read = file.ReadAt(offset, std::as_writable_bytes(std::span(text)));
  return read ? text : DescribeError(read.error());
}

size_t EntriesIn(const fs::path& folder) {
  size_t count = 0;
  for (const auto& entry : fs::directory_iterator(folder)) count += entry.exists() ? 1 : 0;
  return count;
}

TEST(File, ReadsAtPositions) {
  const ScratchFolder folder;
  const auto path = folder.Write("f", "0123456789");
  const auto file = File::Open(path);
  ASSERT_TRUE(file);
  EXPECT_EQ((*file)->path(), path.string());
  EXPECT_EQ((*file)->size_bytes(), 10u);
  EXPECT_EQ(ReadRange(**file, 0, 10), "0123456789");
  EXPECT_EQ(ReadRange(**file, 3, 4), "3456");
  EXPECT_EQ(ReadRange(**file, 10, 0), "");
}

TEST(File, ReadingPastTheEndIsAnError) {
  const ScratchFolder folder;
  const auto path = folder.Write("f", "0123456789");
  const auto file = File::Open(path);
  ASSERT_TRUE(file);
  EXPECT_EQ(ReadRange(**file, 8, 4),
            path.string() +
                ": file ends while being read (byte 10)\n"
                "  expected: 2 more bytes\n"
                "  try:      check that nothing writes to the file, then run again");
  EXPECT_THAT(ReadRange(**file, UINT64_MAX - 3, 4), testing::HasSubstr("cannot read: Invalid"));
}

TEST(File, WhatIsNoFileIsNotOpened) {
  const ScratchFolder folder;
  const auto missing = folder.path() / "missing";
  auto opened = File::Open(missing);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(DescribeError(opened.error()),
            missing.string() + ": cannot open: No such file or directory");

  opened = File::Open(folder.path());
  ASSERT_FALSE(opened);
  EXPECT_EQ(DescribeError(opened.error()), folder.path().string() + ": not a regular file");

  const auto pipe = folder.path() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  opened = File::Open(pipe);  // must not wait for a writer
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().problem, "not a regular file");

  EXPECT_EQ(File::Open(folder.Write("f", "") / "below").error().kind, ErrorKind::kNotFound);
}

TEST(File, SmallFilesAreReadWhole) {
  const ScratchFolder folder;
  const auto path = folder.Write("f", std::string("a\0b", 3));
  EXPECT_EQ(*ReadSmallFile(path, 3), std::string("a\0b", 3));
  EXPECT_EQ(*ReadSmallFile(folder.Write("empty", ""), 0), "");
  EXPECT_EQ(DescribeError(ReadSmallFile(path, 2).error()),
            path.string() +
                ": file is too large for what it should hold\n"
                "  found:    3 bytes\n"
                "  expected: at most 2 bytes");
}

TEST(WriteFileAtomically, ReplacesTheFileAndLeavesNothingElse) {
  const ScratchFolder folder;
  const auto path = folder.Write("f", "old");
  ASSERT_TRUE(WriteFileAtomically(path, "new contents"));
  EXPECT_EQ(*ReadSmallFile(path, 100), "new contents");
  EXPECT_EQ(EntriesIn(folder.path()), 1u);
}

TEST(WriteFileAtomically, FailsWithItsReason) {
  const ScratchFolder folder;
  const auto nowhere = folder.path() / "missing" / "f";
  EXPECT_EQ(DescribeError(WriteFileAtomically(nowhere, "x").error()),
            nowhere.string() + ": cannot create: No such file or directory");
  const auto taken = folder.path() / "taken";
  fs::create_directories(taken / "inside");
  EXPECT_EQ(DescribeError(WriteFileAtomically(taken, "x").error()),
            taken.string() + ": cannot write: Is a directory");
  EXPECT_EQ(EntriesIn(folder.path()), 1u);
}

TEST(WriteFileAtomically, TheUmaskDecidesWhoMayRead) {
  const ScratchFolder folder;
  const mode_t before = ::umask(0027);
  const auto written = WriteFileAtomically(folder.path() / "f", "x");
  ::umask(before);
  ASSERT_TRUE(written);
  EXPECT_EQ(fs::status(folder.path() / "f").permissions(), fs::perms(0640));
}

TEST(AtomicFile, NothingIsThereBeforeCommit) {
  const ScratchFolder folder;
  const auto path = folder.path() / "f";
  {
    auto file = AtomicFile::Create(path);
    ASSERT_TRUE(file);
    ASSERT_TRUE((*file)->Append(std::as_bytes(std::span(std::string_view("half")))));
    EXPECT_FALSE(fs::exists(path));
  }
  EXPECT_EQ(EntriesIn(folder.path()), 0u);
}

TEST(AtomicFile, NothingIsLeftBehindWhenASignalEndsTheProgram) {
  const ScratchFolder folder;
  ASSERT_TRUE(WriteFileAtomically(folder.path() / "done", "whole"));
  auto first = AtomicFile::Create(folder.path() / "first");
  auto second = AtomicFile::Create(folder.path() / "second");
  ASSERT_TRUE(first && second);
  EXPECT_EQ(EntriesIn(folder.path()), 3u);
  RemovePartialFiles();
  EXPECT_EQ(EntriesIn(folder.path()), 1u);
  EXPECT_TRUE(fs::exists(folder.path() / "done"));
}

TEST(AtomicFile, TwoWritersDoNotMix) {
  const ScratchFolder folder;
  const auto path = folder.path() / "f";
  auto first = AtomicFile::Create(path);
  auto second = AtomicFile::Create(path);
  ASSERT_TRUE(first && second);
  ASSERT_TRUE((*first)->Append(std::as_bytes(std::span(std::string_view("first")))));
  ASSERT_TRUE((*second)->Append(std::as_bytes(std::span(std::string_view("2")))));
  ASSERT_TRUE((*first)->Commit());
  EXPECT_EQ(*ReadSmallFile(path, 100), "first");
  ASSERT_TRUE((*second)->Commit());
  EXPECT_EQ(*ReadSmallFile(path, 100), "2");
}

TEST(AtomicFile, AReplacedFileKeepsItsMode) {
  const ScratchFolder folder;
  const auto path = folder.Write("f", "old");
  ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
  ASSERT_TRUE(WriteFileAtomically(path, "new"));
  EXPECT_EQ(fs::status(path).permissions(), fs::perms(0600));
}

TEST(AtomicFile, LinksAreFollowedAndStay) {
  const ScratchFolder folder;
  fs::create_directories(folder.path() / "below");
  const auto target = folder.Write("below/target", "old");
  fs::create_symlink("below/link", folder.path() / "first");
  fs::create_symlink("target", folder.path() / "below" / "link");
  ASSERT_TRUE(WriteFileAtomically(folder.path() / "first", "new"));
  EXPECT_EQ(*ReadSmallFile(target, 100), "new");
  EXPECT_TRUE(fs::is_symlink(folder.path() / "first"));
  EXPECT_TRUE(fs::is_symlink(folder.path() / "below" / "link"));
  fs::create_symlink("not yet", folder.path() / "dangling");
  ASSERT_TRUE(WriteFileAtomically(folder.path() / "dangling", "made"));
  EXPECT_EQ(*ReadSmallFile(folder.path() / "not yet", 100), "made");
  fs::create_symlink("circle", folder.path() / "circle");
  EXPECT_THAT(WriteFileAtomically(folder.path() / "circle", "x").error().problem,
              testing::HasSubstr("cannot follow the link"));
}

TEST(AtomicFile, DevicesAndPipesAreWrittenTo) {
  ASSERT_TRUE(WriteFileAtomically("/dev/null", "gone"));
  struct stat status = {};
  ASSERT_EQ(::stat("/dev/null", &status), 0);
  EXPECT_TRUE(S_ISCHR(status.st_mode));
  const ScratchFolder folder;
  const auto pipe = folder.path() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const int reader = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ASSERT_TRUE(WriteFileAtomically(pipe, "through"));
  char read[16] = {};
  EXPECT_EQ(::read(reader, read, sizeof(read)), 7);
  ::close(reader);
  EXPECT_EQ(fs::status(pipe).type(), fs::file_type::fifo);
  EXPECT_EQ(EntriesIn(folder.path()), 1u);
}

// As /dev/stdout is where it was redirected to a file.
TEST(AtomicFile, OpenFilesAreWrittenOnAtTheirEnd) {
  const ScratchFolder folder;
  const auto path = folder.Write("f", "before, ");
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  ASSERT_GE(descriptor, 0);
  ASSERT_EQ(::write(descriptor, "BEFORE", 6), 6);  // and not yet the comma
  const std::string name = "/proc/self/fd/" + std::to_string(descriptor);
  ASSERT_TRUE(WriteFileAtomically(name, "after"));
  ::close(descriptor);
  EXPECT_EQ(*ReadSmallFile(path, 100), "BEFOREafter");
}

TEST(AtomicFile, TheLongestNames) {
  const ScratchFolder folder;
  const auto path = folder.path() / std::string(255, 'n');
  ASSERT_TRUE(WriteFileAtomically(path, "x"));
  EXPECT_EQ(*ReadSmallFile(path, 100), "x");
  EXPECT_EQ(EntriesIn(folder.path()), 1u);
}

TEST(AtomicFile, AFullDiskIsAnError) {
  if (::access("/dev/full", W_OK) != 0) GTEST_SKIP() << "needs /dev/full";
  const ScratchFolder folder;
  const auto path = folder.path() / "f";
  auto file = AtomicFile::Create(path);
  ASSERT_TRUE(file);
  // The file under way is replaced by one that never has space: all descriptors that are open on it
  // are redirected.
  for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
    std::error_code ignored;
    const std::string target = fs::read_symlink(entry.path(), ignored).string();
    if (!target.starts_with(path.string() + ".partial-")) continue;
    const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
    ::dup2(full, std::stoi(entry.path().filename().string()));
    ::close(full);
  }
  const auto written = (*file)->Append(std::as_bytes(std::span(std::string_view("x"))));
  ASSERT_FALSE(written);
  EXPECT_EQ(DescribeError(written.error()),
            path.string() + ": cannot write: No space left on device");
  file->reset();
  EXPECT_EQ(EntriesIn(folder.path()), 0u);
}

}  // namespace
}  // namespace tensorguard::internal
