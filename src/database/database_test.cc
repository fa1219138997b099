#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "database/dialect.h"
#include "database/open_database.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/test_postgres.h"

namespace tensorguard::internal {
namespace {

using testing::HasSubstr;

std::vector<std::string> TextsOf(Database& database, std::string_view sql,
                                 std::initializer_list<Value> values = {}) {
  std::vector<std::string> texts;
  const auto asked = database.Query(sql, values, [&](const Row& row) -> Result<void> {
    texts.push_back(row.IsNull(0) ? "null" : row.Text(0));
    return {};
  });
  EXPECT_TRUE(asked) << (asked ? "" : DescribeError(asked.error()));
  return texts;
}

void Make(Database& database) {
  ASSERT_TRUE(database.Run("CREATE SCHEMA IF NOT EXISTS tensorguard") ||
              database.engine() == Engine::kSqlite);
  ASSERT_TRUE(
      database.Run("CREATE TABLE item (id {id}, name TEXT, size {number}, "
                   "content {bytes}, count {integer}){table}"));
}

// What each engine must do alike.
void KeepsWhatItIsGiven(Database& database) {
  Make(database);
  const std::vector<std::byte> bytes = {std::byte{0}, std::byte{255}, std::byte{7}};
  const auto added =
      database.Run("INSERT INTO item (name, size, content, count) VALUES ($1, $2, $3, $4)",
                   {std::string("o'; DROP TABLE item; --\x1b[2J \xc3\xa9"), -0.1,
                    std::span<const std::byte>(bytes), INT64_MIN});
  ASSERT_TRUE(added) << DescribeError(added.error());
  EXPECT_EQ(*added, 1);
  ASSERT_TRUE(database.Run("INSERT INTO item (name) VALUES ($1)", {Value()}));
  int rows = 0;
  ASSERT_TRUE(database.Query("SELECT name, size, content, count, id FROM item ORDER BY id", {},
                             [&](const Row& row) -> Result<void> {
                               if (++rows == 2) {
                                 for (size_t i = 0; i < 4; ++i) EXPECT_TRUE(row.IsNull(i));
                                 EXPECT_EQ(row.Integer(4), 2);
                                 return {};
                               }
                               EXPECT_EQ(row.Text(0), "o'; DROP TABLE item; --\x1b[2J \xc3\xa9");
                               EXPECT_EQ(row.Number(1), -0.1);
                               EXPECT_TRUE(std::ranges::equal(row.Bytes(2), bytes));
                               EXPECT_EQ(row.Integer(3), INT64_MIN);
                               return {};
                             }));
  EXPECT_EQ(rows, 2);
}

void CountsChangesAndReturnsRows(Database& database) {
  Make(database);
  EXPECT_THAT(TextsOf(database, "INSERT INTO item (name) VALUES ('a'), ('b') RETURNING name"),
              testing::ElementsAre("a", "b"));
  const auto changed = database.Run("UPDATE item SET name = 'c' WHERE id < $1", {int64_t{10}});
  ASSERT_TRUE(changed);
  EXPECT_EQ(*changed, 2);
}

void NumbersAreNotGivenTwice(Database& database) {
  Make(database);
  ASSERT_TRUE(database.Run("INSERT INTO item (name) VALUES ('a'), ('b')"));
  ASSERT_TRUE(database.Run("DELETE FROM item"));
  EXPECT_THAT(TextsOf(database,
                      "INSERT INTO item (name) VALUES ('c') "
                      "RETURNING CAST(id AS TEXT)"),
              testing::ElementsAre("3"));
}

void TakesBackWhatFails(Database& database) {
  Make(database);
  const auto failed = database.InTransaction([&]() -> Result<void> {
    EXPECT_TRUE(database.Run("INSERT INTO item (name) VALUES ('a')"));
    return Error{.problem = "no more"};
  });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().problem, "no more");
  EXPECT_TRUE(database.InTransaction([&]() -> Result<void> {
    EXPECT_TRUE(database.Run("INSERT INTO item (name) VALUES ('b')"));
    return {};
  }));
  EXPECT_THAT(TextsOf(database, "SELECT name FROM item"), testing::ElementsAre("b"));
}

void AsksInsideOfAnAnswer(Database& database) {
  Make(database);
  ASSERT_TRUE(database.Run("INSERT INTO item (name) VALUES ('a'), ('b')"));
  int inner = 0;
  constexpr std::string_view kSame = "SELECT name FROM item ORDER BY id";
  ASSERT_TRUE(database.Query(kSame, {}, [&](const Row&) -> Result<void> {
    return database.Query(kSame, {}, [&](const Row&) -> Result<void> {
      ++inner;
      return {};
    });
  }));
  EXPECT_EQ(inner, 4);
}

void SaysWhatFailed(Database& database) {
  const auto failed = database.Run("SELECT 1 FROM nowhere");
  ASSERT_FALSE(failed);
  EXPECT_THAT(DescribeError(failed.error()), HasSubstr("nowhere"));
  EXPECT_EQ(failed.error().file, database.place());
}

const std::vector<std::function<void(Database&)>> kBehaviours = {
    KeepsWhatItIsGiven, CountsChangesAndReturnsRows, NumbersAreNotGivenTwice,
    TakesBackWhatFails, AsksInsideOfAnAnswer,        SaysWhatFailed};

TEST(Database, BehavesOnSqlite) {
  for (const auto& behaviour : kBehaviours) {
    const auto database = OpenMemoryDatabase();
    ASSERT_TRUE(database);
    behaviour(**database);
  }
}

TEST(Database, BehavesOnPostgres) {
  if (const auto obstacle = TestPostgres::Obstacle()) GTEST_SKIP() << *obstacle;
  TestPostgres server;
  for (const auto& behaviour : kBehaviours) {
    const auto database = OpenDatabase(server.NewDatabase(), OpenMode::kNew);
    ASSERT_TRUE(database) << DescribeError(database.error());
    behaviour(**database);
  }
}

TEST(Database, ComesBackWhenTheServerDoes) {
  if (const auto obstacle = TestPostgres::Obstacle()) GTEST_SKIP() << *obstacle;
  TestPostgres server;
  const auto database = OpenDatabase(server.NewDatabase(), OpenMode::kNew);
  ASSERT_TRUE(database);
  Make(**database);
  server.Restart();
  EXPECT_TRUE((*database)->Run("INSERT INTO item (name) VALUES ('a')"));
  server.Restart();
  const auto done = (*database)->InTransaction([&]() -> Result<void> {
    const auto run = (*database)->Run("INSERT INTO item (name) VALUES ('b')");
    if (!run) return run.error();
    return {};
  });
  EXPECT_TRUE(done) << DescribeError(done.error());
  EXPECT_THAT(TextsOf(**database, "SELECT name FROM item ORDER BY id"),
              testing::ElementsAre("a", "b"));
}

TEST(Database, SaysThatNoServerIsThere) {
  const auto database =
      OpenDatabase("postgresql://me:secret@/x?host=/nowhere&password=hidden", OpenMode::kExisting);
  ASSERT_FALSE(database);
  const std::string text = DescribeError(database.error());
  EXPECT_THAT(text, HasSubstr("cannot be reached"));
  EXPECT_THAT(text, testing::Not(HasSubstr("secret")));
  EXPECT_THAT(text, testing::Not(HasSubstr("hidden")));
}

TEST(Database, PasswordsAreNotShown) {
  EXPECT_EQ(WithoutPassword("postgresql://me:secret@host/db"), "postgresql://me:***@host/db");
  EXPECT_EQ(WithoutPassword("postgresql://me@host:5432/db"), "postgresql://me@host:5432/db");
  EXPECT_EQ(WithoutPassword("postgresql:///db?password=x&user=me"),
            "postgresql:///db?password=***&user=me");
  EXPECT_EQ(WithoutPassword("postgresql://host:5432/a@b"), "postgresql://host:5432/a@b");
}

TEST(Database, RefusesWhatIsNoDatabase) {
  const ScratchFolder folder;
  const auto text = folder.Write("text.tgr", std::string(5000, 'x'));
  auto opened = OpenDatabase(text.string(), OpenMode::kExisting);
  if (opened) {
    const auto asked = (*opened)->Run("SELECT count(*) FROM sqlite_schema");
    ASSERT_FALSE(asked);
    opened = asked.error();
  }
  EXPECT_THAT(DescribeError(opened.error()), HasSubstr("no SQLite database"));
  const auto missing = OpenDatabase((folder.path() / "no.tgr").string(), OpenMode::kExisting);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::kNotFound);
  const auto there = OpenDatabase(text.string(), OpenMode::kNew);
  ASSERT_FALSE(there);
  EXPECT_EQ(there.error().kind, ErrorKind::kUsage);
}

TEST(Dialect, FillsInWhatDiffers) {
  EXPECT_EQ(Fill("a {id} b {bytes}{table}", Engine::kSqlite),
            "a INTEGER PRIMARY KEY AUTOINCREMENT b BLOB STRICT");
  EXPECT_EQ(Fill("{integer}, {integer}{clustered}", Engine::kPostgres), "BIGINT, BIGINT");
}

}  // namespace
}  // namespace tensorguard::internal
