#include "tests/support/test_postgres.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;

const fs::path kPrograms = "/usr/lib/postgresql/15/bin";

// The server refuses to run as root.
const char* AsUser() { return ::geteuid() == 0 ? "runuser -u postgres -- " : ""; }

}  // namespace

std::optional<std::string> TestPostgres::Obstacle() {
  if (fs::exists(kPrograms / "initdb")) return {};
  return fmt::format("needs the package postgresql-15: there is no {}",
                     (kPrograms / "initdb").string());
}

TestPostgres::TestPostgres() {
  // Not where TMPDIR says: a socket's path is short.
  std::string pattern = "/tmp/tgpg-XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no folder for PostgreSQL");
  folder_ = pattern;
  if (::geteuid() == 0) Run(fmt::format("chown postgres {}", pattern));
  Run(fmt::format("{}{}/initdb -D {}/data -A trust -U tester -N -E UTF8 --locale=C.UTF-8", AsUser(),
                  kPrograms.string(), pattern));
  Start();
}

TestPostgres::~TestPostgres() {
  try {
    Run(fmt::format("{}{}/pg_ctl -D {}/data -m immediate -w stop", AsUser(), kPrograms.string(),
                    folder_.string()));
  } catch (const std::runtime_error&) {  // was not running
  }
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

void TestPostgres::Start() const {
  Run(fmt::format(
      "{}{}/pg_ctl -D {}/data -w -l {}/log -o \"-k {} -c listen_addresses='' "
      "-c fsync=off -c full_page_writes=off\" start",
      AsUser(), kPrograms.string(), folder_.string(), folder_.string(), folder_.string()));
}

void TestPostgres::Restart() {
  Run(fmt::format("{}{}/pg_ctl -D {}/data -m fast -w stop", AsUser(), kPrograms.string(),
                  folder_.string()));
  Start();
}

std::string TestPostgres::NewDatabase() {
  const std::string name = fmt::format("test{}", ++databases_);
  Run(fmt::format("{}{}/createdb -h {} -U tester {}", AsUser(), kPrograms.string(),
                  folder_.string(), name));
  return Url(name);
}

std::string TestPostgres::Url(const std::string& database) const {
  return fmt::format("postgresql://tester@/{}?host={}", database, folder_.string());
}

std::string TestPostgres::Run(const std::string& command) const {
  // The server keeps what it inherits open: it must not hold the pipe.
  const std::string whole = fmt::format("cd / && {} >{}/output 2>&1 </dev/null || cat {}/output",
                                        command, folder_.string(), folder_.string());
  FILE* const pipe = ::popen(whole.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("cannot run " + command);
  std::string output;
  char buffer[4096];
  while (std::fgets(buffer, sizeof(buffer), pipe) != nullptr) output += buffer;
  ::pclose(pipe);
  if (!output.empty()) throw std::runtime_error(command + ": " + output);
  return output;
}

}  // namespace tensorguard::internal
