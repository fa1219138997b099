#include "tests/support/test_server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

namespace tensorguard::internal {
namespace {

// Bound to a free port; gives the port.
std::pair<int, uint16_t> BoundSocket() {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (descriptor < 0 || ::bind(descriptor, generic, size) != 0 ||
      ::getsockname(descriptor, generic, &size) != 0) {
    throw std::runtime_error("no port for a test's server");
  }
  return {descriptor, ntohs(address.sin_port)};
}

bool SendAll(int connection, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

std::string ReceiveHead(int connection, const std::atomic<bool>& stopped) {
  std::string head;
  while (head.find("\r\n\r\n") == head.npos && !stopped) {
    pollfd waiting = {.fd = connection, .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, 20) <= 0) continue;
    char buffer[4096];
    const ssize_t count = ::recv(connection, buffer, sizeof(buffer), 0);
    if (count <= 0) return {};
    head.append(buffer, static_cast<size_t>(count));
  }
  return head;
}

ServerRequest ParseHead(const std::string& head) {
  ServerRequest request;
  const size_t target = head.find(' ') + 1;
  request.target = head.substr(target, head.find(' ', target) - target);
  size_t begin = head.find("\r\n") + 2;
  while (begin < head.size()) {
    const size_t end = head.find("\r\n", begin);
    const size_t colon = head.find(": ", begin);
    if (end == begin || end == head.npos || colon > end) break;
    std::string name = head.substr(begin, colon - begin);
    std::transform(name.begin(), name.end(), name.begin(), ::tolower);
    request.headers[name] = head.substr(colon + 2, end - colon - 2);
    begin = end + 2;
  }
  return request;
}

}  // namespace

std::string ServerRequest::Header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

std::optional<std::pair<uint64_t, uint64_t>> ServerRequest::Range() const {
  const std::string range = Header("range");
  if (!range.starts_with("bytes=")) return {};
  const size_t dash = range.find('-');
  return std::pair<uint64_t, uint64_t>(std::stoull(range.substr(6)),
                                       std::stoull(range.substr(dash + 1)) + 1);
}

std::string Answer(std::string_view status, std::string_view headers, std::string_view body) {
  return fmt::format("HTTP/1.1 {}\r\n{}Content-Length: {}\r\nConnection: close\r\n\r\n{}", status,
                     headers, body.size(), body);
}

std::string AnswerWithRange(const ServerRequest& request, std::string_view contents,
                            std::string_view etag) {
  const std::string tag = fmt::format("ETag: {}\r\n", etag);
  const auto range = request.Range();
  if (!range) return Answer("200 OK", tag, contents);
  if (range->first >= contents.size()) {
    return Answer("416 Range Not Satisfiable",
                  fmt::format("Content-Range: bytes */{}\r\n", contents.size()));
  }
  const uint64_t end = std::min<uint64_t>(range->second, contents.size());
  return Answer("206 Partial Content",
                fmt::format("{}Content-Range: bytes {}-{}/{}\r\n", tag, range->first, end - 1,
                            contents.size()),
                contents.substr(range->first, end - range->first));
}

TestServer::TestServer(Handler handler) : handler_(std::move(handler)) {
  std::tie(listener_, port_) = BoundSocket();
  ::listen(listener_, 64);
  listening_ = std::thread([this] { Listen(); });
}

TestServer::~TestServer() {
  stopped_ = true;
  listening_.join();
  ::close(listener_);
}

std::string TestServer::Url(std::string_view target) const {
  return fmt::format("http://127.0.0.1:{}{}", port_, target);
}

std::vector<ServerRequest> TestServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void TestServer::Listen() {
  while (!stopped_) {
    pollfd waiting = {.fd = listener_, .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, 20) <= 0) continue;
    const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection >= 0) serving_.emplace_back([this, connection] { Serve(connection); });
  }
  for (std::thread& thread : serving_) thread.join();
}

void TestServer::Serve(int connection) {
  const std::string head = ReceiveHead(connection, stopped_);
  if (!head.empty()) {
    const ServerRequest request = ParseHead(head);
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    const ServerReply reply = handler_(request);
    bool open = true;
    if (reply.pause.count() == 0) {
      open = SendAll(connection, reply.bytes);
    } else {
      for (size_t i = 0; i < reply.bytes.size() && open && !stopped_; ++i) {
        open = SendAll(connection, std::string_view(reply.bytes).substr(i, 1));
        std::this_thread::sleep_for(reply.pause);
      }
    }
    while (open && !stopped_ && !reply.repeated.empty()) {
      open = SendAll(connection, reply.repeated);
    }
    ::shutdown(connection, SHUT_WR);
  }
  ::close(connection);
}

uint16_t FreePort() {
  const auto [descriptor, port] = BoundSocket();
  ::close(descriptor);
  return port;
}

}  // namespace tensorguard::internal
