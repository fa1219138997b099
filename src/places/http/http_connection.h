// One connection for HTTP requests, kept open between them.
#ifndef TENSORGUARD_PLACES_HTTP_HTTP_CONNECTION_H_
#define TENSORGUARD_PLACES_HTTP_HTTP_CONNECTION_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "places/http/network_address.h"
#include "places/http/url.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

struct HttpSettings {
  std::chrono::milliseconds connect_timeout{20'000};
  // A transfer slower than this, over this time, counts as cut. curl counts whole seconds.
  std::chrono::seconds stall_time{30};
  uint64_t stall_bytes_per_second = 512;
  std::string user_agent = "tensorguard";
  std::string certificates_file = {};  // PEM, of whom to trust; empty: the operating system's
  // Whether an address is of this machine or of a network that the public cannot reach.
  std::function<bool(const std::string& address)> is_private = IsPrivateAddress;
};

// Names are in lower case; of several headers with one name the last. At most 256 KiB in all.
struct HttpHead {
  int status = 0;  // 0: no answer came
  std::map<std::string, std::string> headers = {};

  std::string Header(const std::string& name) const;
};

// Bytes [begin, end) of a file.
struct ByteRange {
  uint64_t begin = 0;
  uint64_t end = 0;
};

struct HttpRequest {
  Url url;
  std::optional<ByteRange> range = {};
  std::string bearer_token = {};  // empty for none
  // Whether no private address is connected to, whatever the name resolves to.
  bool public_only = false;
};

// How an exchange ended: well, if there is neither a `failure` nor an `interruption`.
struct HttpExchange {
  HttpHead head = {};
  std::optional<Error> failure = {};  // asking again cannot help
  std::string interruption = {};      // what broke, where asking again may help
  bool from_private = false;          // the answer came from a private address, maybe of a proxy
};

// Takes the body of an answer piece by piece; an error ends the exchange and is its failure.
using TakeBody = std::function<Result<void>(const HttpHead&, std::span<const std::byte>)>;

// Starts curl, once; false where it cannot start. curl ends with the program, before everything
// that was built ahead of its start: an object that keeps connections until then starts it first.
// Thread-safe.
bool StartHttp();

// For one thread at a time. `certificates_file` decides whom to trust; curl takes
// the proxy from the usual variables (https_proxy, no_proxy). Redirects are not followed.
class HttpConnection {
 public:
  // `stopped` ends a running exchange; `received_bytes` counts bodies. Both outlive the connection.
  HttpConnection(const HttpSettings& settings, const std::atomic<bool>* stopped,
                 std::atomic<uint64_t>* received_bytes);
  ~HttpConnection();
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  HttpExchange Get(const HttpRequest& request, const TakeBody& take_body);

 private:
  struct Handle;
  std::unique_ptr<Handle> handle_;
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PLACES_HTTP_HTTP_CONNECTION_H_
