// Files that are no registry, or not an honest one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "database/open_database.h"
#include "fingerprint/digest/hex_text.h"
#include "registry/models.h"
#include "registry/registry.h"
#include "registry/state.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/stored_fingerprints.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

const Stamp kNow = {.at = 1'800'000'000, .who = "tester"};

class HostileRegistry : public testing::Test {
 protected:
  HostileRegistry() : place_((folder_.path() / "known.tgr").string()) {}

  void Make(const RegistryOptions& options = {}) {
    const auto registry = Registry::Create(place_, options, kNow);
    ASSERT_TRUE(registry) << DescribeError(registry.error());
    const auto added = AddModel(**registry, PreparedToy(1), {.name = "m"}, kNow);
    ASSERT_TRUE(added) << DescribeError(added.error());
  }

  // As any other program would.
  void Execute(const std::string& sql) const {
    sqlite3* raw = nullptr;
    ASSERT_EQ(sqlite3_open(place_.c_str(), &raw), SQLITE_OK);
    char* message = nullptr;
    EXPECT_EQ(sqlite3_exec(raw, sql.c_str(), nullptr, nullptr, &message), SQLITE_OK)
        << (message == nullptr ? "" : message);
    sqlite3_close(raw);
  }

  std::string ErrorOfOpening() const {
    const auto registry = Registry::Open(place_);
    return registry ? "opened" : DescribeError(registry.error());
  }

  ScratchFolder folder_;
  std::string place_;
};

TEST_F(HostileRegistry, IsRefusedWhereItIsNone) {
  folder_.Write("known.tgr", "just some text, long enough to be looked at");
  EXPECT_THAT(ErrorOfOpening(), HasSubstr("no SQLite database"));
  fs::remove(place_);
  Execute("CREATE TABLE notes (text TEXT)");
  EXPECT_THAT(ErrorOfOpening(), HasSubstr("another program's"));
  fs::remove(place_);
  folder_.Write("known.tgr", "");
  EXPECT_THAT(ErrorOfOpening(), HasSubstr("holds no registry"));
  fs::remove(place_);
  EXPECT_THAT(ErrorOfOpening(), HasSubstr("no such registry"));
  fs::create_directory(place_);
  EXPECT_THAT(ErrorOfOpening(), HasSubstr("a registry is a file"));
}

TEST_F(HostileRegistry, IsRefusedOfAnotherVersion) {
  Make();
  Execute("UPDATE meta SET value = '99' WHERE name = 'schema_version'");
  EXPECT_THAT(ErrorOfOpening(), HasSubstr("of a newer version"));
  const auto upgraded = Registry::Upgrade(place_, kNow);
  ASSERT_FALSE(upgraded);
  EXPECT_EQ(upgraded.error().kind, ErrorKind::kUnsupported);
}

TEST_F(HostileRegistry, OfTheFirstVersionIsUpgradedAfterACopy) {
  Make();
  Execute("DROP INDEX model_file_bytes; UPDATE meta SET value = '1' WHERE name = 'schema_version'");
  EXPECT_THAT(ErrorOfOpening(), HasSubstr("tensorguard registry upgrade"));
  const auto before = Registry::Upgrade(place_, kNow);
  ASSERT_TRUE(before) << DescribeError(before.error());
  EXPECT_EQ(*before, 1);
  EXPECT_EQ(ErrorOfOpening(), "opened");
  const auto registry = Registry::Open(place_);
  EXPECT_TRUE(FindModel(**registry, "m"));
  EXPECT_TRUE(fs::exists(place_ + ".before-upgrade"));
}

TEST_F(HostileRegistry, IsRefusedWithASchemaThatWasChanged) {
  Make();
  Execute("CREATE TRIGGER evil AFTER INSERT ON model BEGIN DELETE FROM model; END");
  EXPECT_THAT(ErrorOfOpening(), HasSubstr("the trigger evil"));
  Execute("DROP TRIGGER evil; CREATE VIEW model_of_mine AS SELECT 1");
  EXPECT_THAT(ErrorOfOpening(), HasSubstr("the view model_of_mine"));
  Execute("DROP VIEW model_of_mine; DROP VIEW models; CREATE VIEW models AS SELECT 1");
  EXPECT_THAT(ErrorOfOpening(), HasSubstr("another view models"));
  Execute("DROP VIEW models");
  EXPECT_THAT(ErrorOfOpening(), HasSubstr("no view models"));
}

TEST_F(HostileRegistry, CutFilesAreErrors) {
  Make();
  Execute("PRAGMA journal_mode = DELETE");
  const auto size = fs::file_size(place_);
  for (uintmax_t length = 0; length < size; length += 4096 * 7 + 13) {
    fs::resize_file(place_, length);
    const auto registry = Registry::Open(place_);
    if (!registry) continue;
    const auto found = VerifyRegistry(**registry, false, kNow);
    EXPECT_TRUE(!found || !found->faults.empty()) << length;
    break;  // a cut file stays cut
  }
}

TEST_F(HostileRegistry, FlippedBytesNeverGiveAnotherFingerprint) {
  Make();
  Execute("PRAGMA journal_mode = DELETE");
  std::fstream file(place_, std::ios::binary | std::ios::in | std::ios::out);
  const auto size = static_cast<std::streamoff>(fs::file_size(place_));
  for (std::streamoff at = 100; at < size; at += 3989) {
    file.seekg(at);
    const char before = static_cast<char>(file.get());
    file.seekp(at);
    file.put(static_cast<char>(before ^ 0x55));
    file.flush();
    const auto registry = Registry::Open(place_);
    if (registry) {
      const auto model = FindModel(**registry, "m");
      if (model) {
        const auto bytes = FingerprintBytes(**registry, *model);
        if (bytes) {
          EXPECT_EQ(Blake3(*bytes), model->digest);
        }
      }
      (void)VerifyRegistry(**registry, false, kNow);
    }
    file.seekp(at);
    file.put(before);
    file.flush();
  }
  EXPECT_EQ(ErrorOfOpening(), "opened");
}

TEST_F(HostileRegistry, CutBlobsAreTold) {
  Make();
  Execute("UPDATE fingerprint_blob SET content = substr(content, 1, 1000)");
  const auto registry = Registry::Open(place_);
  ASSERT_TRUE(registry) << DescribeError(registry.error());
  const auto model = FindModel(**registry, "m");
  ASSERT_TRUE(model);
  const auto print = FingerprintOfModel(**registry, *model);
  ASSERT_FALSE(print);
  EXPECT_THAT(print.error().problem, HasSubstr("damaged"));
  const auto found = VerifyRegistry(**registry, true, kNow);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->faults.size(), 1u);
  EXPECT_FALSE(found->faults.front().repaired);
}

TEST_F(HostileRegistry, MissingAndStrayFilesOfAFolderAreTold) {
  Make({.blob_folder = "prints"});
  const std::string stray(64, 'a');
  folder_.Write("prints/aa/aa/" + stray, "x");
  const auto registry = Registry::Open(place_);
  ASSERT_TRUE(registry);
  // A leftover is no damage.
  for (const bool repair : {false, true}) {
    const auto found = VerifyRegistry(**registry, repair, kNow);
    ASSERT_TRUE(found) << DescribeError(found.error());
    EXPECT_TRUE(found->faults.empty());
    ASSERT_EQ(found->leftovers.size(), 1u);
    EXPECT_EQ(HexOf(found->leftovers.front().digest), stray);
    EXPECT_EQ(found->leftovers.front().removed, repair);
    EXPECT_EQ(fs::exists(folder_.path() / "prints/aa/aa" / stray), !repair);
  }
  const std::string hex = HexOf(FindModel(**registry, "m")->digest);
  fs::remove(folder_.path() / "prints" / hex.substr(0, 2) / hex.substr(2, 2) / hex);
  const auto found = VerifyRegistry(**registry, true, kNow);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->faults.size(), 1u);
  EXPECT_THAT(found->faults.front().problem, HasSubstr("is not in the registry"));
}

// A program was ended after it wrote the file, and before its row; another one adds the model.
TEST_F(HostileRegistry, FilesThatHaveARowAgainAreNotRemoved) {
  Make({.blob_folder = "prints"});
  const auto registry = Registry::Open(place_);
  ASSERT_TRUE(registry);
  const auto model = FindModel(**registry, "m");
  ASSERT_TRUE(model);
  EXPECT_FALSE(*(*registry)->RemoveLooseBlob(model->digest));
  EXPECT_TRUE(FingerprintOfModel(**registry, *model));
  ASSERT_TRUE(RemoveModel(**registry, *model, kNow));
  EXPECT_FALSE(FingerprintOfModel(**registry, *model));
  EXPECT_TRUE(*(*registry)->RemoveLooseBlob(model->digest));  // nothing is there any more
}

TEST_F(HostileRegistry, FoldersElsewhereAreRefused) {
  for (const char* folder : {"/tmp/x", "../x", "..", "a/b"}) {
    const auto registry = Registry::Create(place_, {.blob_folder = folder}, kNow);
    ASSERT_FALSE(registry) << folder;
    EXPECT_EQ(registry.error().kind, ErrorKind::kUsage);
    EXPECT_FALSE(fs::exists(place_));
  }
}

// The signature of a stored file must be that of its kernels.
TEST_F(HostileRegistry, ForgedSignaturesAreRefused) {
  std::vector<std::byte> bytes = BytesOfToy(SmallToy(1));
  const std::vector<std::byte> theirs = BytesOfToy(SmallToy(2));
  ASSERT_EQ(bytes.size(), theirs.size());
  // Signature and digest of the other model in this one's file.
  const auto find = [](const std::vector<std::byte>& in, std::string_view text) {
    const std::string_view all(reinterpret_cast<const char*>(in.data()), in.size());
    return all.find(text);
  };
  const auto own_signature = ReadScreeningBytes(bytes, "own");
  const auto foreign_signature = ReadScreeningBytes(theirs, "foreign");
  ASSERT_TRUE(own_signature && foreign_signature);
  const ScreeningSignature& own = *own_signature;
  const ScreeningSignature& foreign = *foreign_signature;
  const std::string digest = ScreeningDigest(own.numbers());
  const std::string foreign_digest = ScreeningDigest(foreign.numbers());
  const auto place_of_digest = find(bytes, digest);
  const auto place = find(
      bytes,
      std::string_view(reinterpret_cast<const char*>(own.numbers().data()), own.numbers().size()));
  ASSERT_NE(place_of_digest, std::string_view::npos);
  ASSERT_NE(place, std::string_view::npos);
  std::memcpy(bytes.data() + place_of_digest, foreign_digest.data(), foreign_digest.size());
  std::memcpy(bytes.data() + place, foreign.numbers().data(), foreign.numbers().size());
  const auto prepared = PrepareFingerprint(bytes, "forged");
  ASSERT_FALSE(prepared);
  EXPECT_THAT(prepared.error().problem, HasSubstr("not that of the kernels"));
}

// Without the right to write, as another user.
TEST_F(HostileRegistry, CanBeReadWithoutTheRightToWrite) {
  Make();
  ASSERT_EQ(::chmod(place_.c_str(), 0444), 0);
  ASSERT_EQ(::chmod(folder_.path().c_str(), 0555), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    constexpr uid_t kNobody = 65534;
    if (::geteuid() == 0 && ::setuid(kNobody) != 0) ::_exit(3);
    const auto registry = Registry::Open(place_);
    if (!registry) ::_exit(4);
    const auto model = FindModel(**registry, "m");
    if (!model || !FingerprintOfModel(**registry, *model)) ::_exit(5);
    const auto removed = RemoveModel(**registry, *model, kNow);
    ::_exit(!removed && removed.error().problem.find("can only be read") != std::string::npos ? 0
                                                                                              : 6);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ::chmod(folder_.path().c_str(), 0755);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << WEXITSTATUS(status);
}

}  // namespace
}  // namespace tensorguard::internal
