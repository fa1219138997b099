// A PostgreSQL server of a test's own, on a socket in a temporary folder.
#ifndef TENSORGUARD_TESTS_SUPPORT_TEST_POSTGRES_H_
#define TENSORGUARD_TESTS_SUPPORT_TEST_POSTGRES_H_

#include <filesystem>
#include <optional>
#include <string>

namespace tensorguard::internal {

// Runs until destruction. No network, no password; the folder is removed with all it held.
class TestPostgres {
 public:
  // Why there can be none: no server is installed. Empty if there can.
  static std::optional<std::string> Obstacle();

  // Throws std::runtime_error if it does not start.
  TestPostgres();
  ~TestPostgres();
  TestPostgres(const TestPostgres&) = delete;
  TestPostgres& operator=(const TestPostgres&) = delete;

  // Of an empty database.
  std::string NewDatabase();
  std::string Url(const std::string& database) const;

  // The server stops and starts again: connections are lost.
  void Restart();

 private:
  std::string Run(const std::string& command) const;
  void Start() const;

  std::filesystem::path folder_;
  int databases_ = 0;
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TESTS_SUPPORT_TEST_POSTGRES_H_
