// Files read from a real web server: ranges, redirects, refusals, and a certificate nobody vouches
// for.
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <thread>

#include "tests/support/patient_places.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/test_server.h"

namespace tensorguard::internal {
namespace {

constexpr size_t kSizeBytes = 3'000'000;

class NginxTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_.Write("files/m.safetensors", contents_);
    folder_.Write("files/folder/config.json", "{}");
    const std::string in_folder = folder_.path().string();
    const std::string certificate = fmt::format(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
        "-subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -keyout '{0}/key' "
        "-out '{0}/certificate' 2>'{0}/openssl.log'",
        in_folder);
    ASSERT_EQ(std::system(certificate.c_str()), 0) << "openssl makes no certificate";
    for (int tries = 0; tries < 5 && !answers_; ++tries) Start();  // a port may be taken meanwhile
    ASSERT_TRUE(answers_) << "nginx does not start; its messages are in " << in_folder;
  }

  void TearDown() override { Stop(); }

  void Start() {
    port_ = FreePort();
    tls_port_ = FreePort();
    folder_.Write("nginx.conf", Configuration());
    process_ = ::fork();
    if (process_ == 0) {
      const int log = ::open((folder_.path() / "nginx.log").c_str(), O_WRONLY | O_CREAT, 0600);
      ::dup2(log, STDOUT_FILENO);
      ::dup2(log, STDERR_FILENO);
      const std::string configuration = (folder_.path() / "nginx.conf").string();
      ::execl("/usr/sbin/nginx", "nginx", "-p", folder_.path().c_str(), "-c", configuration.c_str(),
              "-e", "stderr", nullptr);
      ::_exit(127);
    }
    for (int i = 0; i < 400; ++i) {
      PlaceOptions options = FastOptions();
      options.remote.fetch.most_retries = 0;
      answers_ = ReadAll(*PlacesWith(options), Url("/folder/config.json")) ? true : false;
      if (answers_) return;
      if (::waitpid(process_, nullptr, WNOHANG) == process_) {
        process_ = -1;
        return;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(25));
    }
    Stop();
  }

  void Stop() {
    if (process_ <= 0) return;
    ::kill(process_, SIGTERM);
    ::waitpid(process_, nullptr, 0);
    process_ = -1;
  }

  std::string Configuration() const {
    return fmt::format(R"(
daemon off; master_process off; pid {0}/pid;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {0}/temporary; proxy_temp_path {0}/temporary;
  fastcgi_temp_path {0}/temporary; uwsgi_temp_path {0}/temporary; scgi_temp_path {0}/temporary;
  server {{
    listen 127.0.0.1:{1};
    root {0}/files;
    location /whole/ {{ alias {0}/files/; max_ranges 0; }}
    location /moved/ {{ rewrite ^/moved/(.*)$ /$1 redirect; }}
    location /secret/ {{ return 401; }}
    location /forbidden/ {{ return 403; }}
    location /broken/ {{ return 500; }}
  }}
  server {{
    listen 127.0.0.1:{2} ssl;
    ssl_certificate {0}/certificate; ssl_certificate_key {0}/key;
    root {0}/files;
    location /down/ {{ return 302 http://127.0.0.1:{1}/m.safetensors; }}
  }}
}}
)",
                       folder_.path().string(), port_, tls_port_);
  }

  std::string Url(std::string_view target) const {
    return fmt::format("http://127.0.0.1:{}{}", port_, target);
  }

  const std::string contents_ = Pattern(kSizeBytes);
  const ScratchFolder folder_;
  uint16_t port_ = 0;
  uint16_t tls_port_ = 0;
  pid_t process_ = -1;
  bool answers_ = false;
};

TEST_F(NginxTest, ServesFiles) {
  for (const std::string way : {"/m.safetensors", "/moved/m.safetensors", "/whole/m.safetensors"}) {
    PlaceOptions options = FastOptions();
    options.remote.fetch.most_memory_bytes = 100'000;
    const auto bytes = ReadAll(*PlacesWith(options), Url(way));
    ASSERT_TRUE(bytes) << DescribeError(bytes.error());
    EXPECT_TRUE(*bytes == contents_) << way;
  }
}

TEST_F(NginxTest, RefusesWithReasons) {
  PlaceOptions options = FastOptions();
  options.remote.fetch.most_retries = 1;
  const auto places = PlacesWith(options);
  const auto problem = [&](std::string_view way) {
    return ReadAll(*places, Url(way)).error().problem;
  };
  EXPECT_EQ(problem("/none"), "no such file on the server (404)");
  EXPECT_EQ(problem("/secret/m"), "access is refused (401)");
  EXPECT_EQ(problem("/forbidden/m"), "access is refused (403)");
  EXPECT_EQ(problem("/broken/m"), "server fails (500)");
  EXPECT_TRUE(*places->Exists(*places->Locate(Url("/folder/")) / "config.json"));
  EXPECT_FALSE(*places->Exists(*places->Locate(Url("/folder/")) / "model.safetensors"));
}

TEST_F(NginxTest, NoticesAFileThatChanges) {
  const auto places = PlacesWith(FastOptions());
  const auto file = OpenAt(*places, Url("/m.safetensors"));
  ASSERT_TRUE(file) << DescribeError(file.error());
  folder_.Write("files/m.safetensors", contents_ + "more");
  const auto bytes = ReadRange(**file, 1'000'000, 1'000'000);
  ASSERT_FALSE(bytes);
  EXPECT_EQ(bytes.error().problem, "file changed while it was read");
}

TEST_F(NginxTest, IsNotTrustedWithoutACertificate) {
  const auto bytes = ReadAll(*PlacesWith(FastOptions()),
                             fmt::format("https://127.0.0.1:{}/m.safetensors", tls_port_));
  ASSERT_FALSE(bytes);
  EXPECT_EQ(bytes.error().problem, "the server's certificate is not trusted");
  EXPECT_THAT(bytes.error().found, testing::HasSubstr("certificate"));
}

TEST_F(NginxTest, IsTrustedWithItsCertificateAndNotLedBackToHttp) {
  PlaceOptions options = FastOptions();
  options.remote.http.certificates_file = (folder_.path() / "certificate").string();
  const auto places = PlacesWith(options);
  const std::string host = fmt::format("https://127.0.0.1:{}", tls_port_);
  const auto bytes = ReadAll(*places, host + "/m.safetensors");
  ASSERT_TRUE(bytes) << DescribeError(bytes.error());
  EXPECT_TRUE(*bytes == contents_);
  const auto down = ReadAll(*places, host + "/down/m.safetensors");
  ASSERT_FALSE(down);
  EXPECT_EQ(down.error().problem, "server redirects from https to http");
  options.remote.http.certificates_file = (folder_.path() / "none").string();
  EXPECT_FALSE(ReadAll(*PlacesWith(options), host + "/m.safetensors"));
}

}  // namespace
}  // namespace tensorguard::internal
