// A web server for tests that answers as it is told, well or badly.
#ifndef TENSORGUARD_TESTS_SUPPORT_TEST_SERVER_H_
#define TENSORGUARD_TESTS_SUPPORT_TEST_SERVER_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace tensorguard::internal {

struct ServerRequest {
  std::string target;                          // path and query
  std::map<std::string, std::string> headers;  // names in lower case

  std::string Header(const std::string& name) const;
  // [begin, end) of "Range: bytes=BEGIN-LAST".
  std::optional<std::pair<uint64_t, uint64_t>> Range() const;
};

// Bytes that are sent as they are; the connection is closed after them.
struct ServerReply {
  std::string bytes;
  std::string repeated = {};           // sent again and again until the client goes away
  std::chrono::milliseconds pause{0};  // after each byte, if it is not 0
};

// "HTTP/1.1 STATUS", the headers ("Name: value\r\n" each), a Content-Length and the body.
std::string Answer(std::string_view status, std::string_view headers = "",
                   std::string_view body = "");

// What a good server answers to a request of `contents`: 206 with a Content-Range and this ETag, or
// 200 if no range is asked for.
std::string AnswerWithRange(const ServerRequest& request, std::string_view contents,
                            std::string_view etag = "\"1\"");

// Listens at a free port of 127.0.0.1 until destruction, each connection on a thread of its own.
class TestServer {
 public:
  using Handler = std::function<ServerReply(const ServerRequest&)>;  // called from any thread

  explicit TestServer(Handler handler);
  ~TestServer();
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  std::string Url(std::string_view target) const;  // "http://127.0.0.1:PORT" and `target`
  std::vector<ServerRequest> requests() const;     // in the order in which they came

 private:
  void Listen();
  void Serve(int connection);

  const Handler handler_;
  int listener_ = -1;
  uint16_t port_ = 0;
  std::atomic<bool> stopped_ = false;
  std::thread listening_;
  mutable std::mutex mutex_;
  std::vector<ServerRequest> requests_;  // guarded by mutex_
  std::vector<std::thread> serving_;     // of listening_ alone
};

// A port of 127.0.0.1 that was free a moment ago.
uint16_t FreePort();

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TESTS_SUPPORT_TEST_SERVER_H_
