#include "places/http/http_connection.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <exception>
#include <set>
#include <string_view>
#include <utility>

namespace tensorguard::internal {
namespace {

constexpr size_t kMostHeaderBytes = 256 << 10;
constexpr size_t kMostErrorBodyBytes = 64 << 10;  // passed over, so that the connection stays open

// What the callbacks of one exchange work on.
struct Exchange {
  const TakeBody* take_body;
  const std::atomic<bool>* stopped;
  std::atomic<uint64_t>* received_bytes;
  const std::function<bool(const std::string&)>* is_private;
  bool public_only = false;
  std::string refused_address = {};
  std::exception_ptr thrown = {};
  HttpExchange result = {};
  size_t header_bytes = 0;
  size_t error_body_bytes = 0;
};

std::string_view Trimmed(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// Of "HTTP/1.1 206 Partial Content".
int StatusOf(std::string_view line) {
  const size_t space = std::min(line.find(' '), line.size());
  int status = 0;
  for (const char c : line.substr(space).substr(space < line.size() ? 1 : 0, 3)) {
    if (c < '0' || c > '9') return 0;
    status = status * 10 + (c - '0');
  }
  return status;
}

size_t TakeHeader(char* data, size_t size, Exchange& exchange) {
  const std::string_view line(data, size);
  exchange.header_bytes += size;
  if (exchange.header_bytes > kMostHeaderBytes) {
    exchange.result.failure = Error{.kind = ErrorKind::kSystem,
                                    .problem = "server sends headers without end",
                                    .expected = fmt::format("{} bytes", kMostHeaderBytes)};
    return 0;
  }
  if (line.starts_with("HTTP/")) {  // again after "100 Continue"
    exchange.result.head = {.status = StatusOf(line)};
    return size;
  }
  const size_t colon = line.find(':');
  if (colon == line.npos) return size;
  std::string name(line.substr(0, colon));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  exchange.result.head.headers[std::move(name)] = Trimmed(line.substr(colon + 1));
  return size;
}

size_t TakeData(char* data, size_t size, Exchange& exchange) {
  HttpHead& head = exchange.result.head;
  *exchange.received_bytes += size;
  if (head.status != 200 && head.status != 206) {
    exchange.error_body_bytes += size;
    return exchange.error_body_bytes > kMostErrorBodyBytes ? 0 : size;
  }
  auto taken = (*exchange.take_body)(head, std::as_bytes(std::span(data, size)));
  if (taken) return size;
  exchange.result.failure = std::move(taken).error();
  return 0;
}

std::string Digits(const sockaddr* address, socklen_t length) {
  std::array<char, NI_MAXHOST> digits = {};
  const int failed =
      getnameinfo(address, length, digits.data(), digits.size(), nullptr, 0, NI_NUMERICHOST);
  return failed == 0 ? std::string(digits.data()) : std::string();
}

// The last moment before a connection: the name has been resolved, so that it cannot mean another
// address any more.
curl_socket_t OpenSocket(curl_sockaddr* address, Exchange& exchange) {
  const std::string digits = Digits(&address->addr, address->addrlen);
  if (exchange.public_only && (*exchange.is_private)(digits)) {
    exchange.refused_address = digits;
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

Error PrivateAddress(std::string found) {
  return {.kind = ErrorKind::kSystem,
          .problem = "server redirects to this machine or a private network",
          .found = std::move(found),
          .advice =
              "if that is meant, name the address itself, or set "
              "TENSORGUARD_ALLOW_PRIVATE_REDIRECTS=1"};
}

// Nothing may be thrown through curl, which is C: it is kept, and thrown again behind it.
template <typename Taken, typename Take>
Taken Guarded(void* context, Taken if_thrown, const Take& take) {
  Exchange& exchange = *static_cast<Exchange*>(context);
  try {
    return take(exchange);
  } catch (...) {
    exchange.thrown = std::current_exception();
    return if_thrown;
  }
}

size_t OnHeader(char* data, size_t, size_t size, void* context) {
  return Guarded(context, size_t{0},
                 [&](Exchange& exchange) { return TakeHeader(data, size, exchange); });
}

size_t OnData(char* data, size_t, size_t size, void* context) {
  return Guarded(context, size_t{0},
                 [&](Exchange& exchange) { return TakeData(data, size, exchange); });
}

curl_socket_t OnOpenSocket(void* context, curlsocktype, curl_sockaddr* address) {
  return Guarded(context, curl_socket_t{CURL_SOCKET_BAD},
                 [&](Exchange& exchange) { return OpenSocket(address, exchange); });
}

int CheckStopped(void* context, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return *static_cast<Exchange*>(context)->stopped ? 1 : 0;
}

// Asking again does not change these.
bool IsLasting(CURLcode code) {
  constexpr std::array kLasting = std::to_array<CURLcode>(
      {CURLE_UNSUPPORTED_PROTOCOL, CURLE_URL_MALFORMAT, CURLE_COULDNT_RESOLVE_HOST,
       CURLE_COULDNT_RESOLVE_PROXY, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE,
       CURLE_SSL_CERTPROBLEM, CURLE_SSL_ISSUER_ERROR, CURLE_OUT_OF_MEMORY});
  return std::find(kLasting.begin(), kLasting.end(), code) != kLasting.end();
}

Error LastingError(CURLcode code, const char* details) {
  Error error = {.kind = ErrorKind::kSystem,
                 .problem = fmt::format("cannot be fetched: {}", curl_easy_strerror(code)),
                 .found = details};
  if (code == CURLE_PEER_FAILED_VERIFICATION) {
    error.problem = "the server's certificate is not trusted";
    error.advice = "check the host's name and this machine's certificates and clock";
  } else if (code == CURLE_COULDNT_RESOLVE_HOST) {
    error.problem = "no such host";
    error.advice = "check the name and the network";
  } else if (code == CURLE_UNSUPPORTED_PROTOCOL) {
    error.problem = "server does not answer in HTTP";
  }
  return error;
}

}  // namespace

struct HttpConnection::Handle {
  CURL* curl = nullptr;
  const std::atomic<bool>* stopped = nullptr;
  std::atomic<uint64_t>* received_bytes = nullptr;
  std::array<char, CURL_ERROR_SIZE> details = {};
  std::function<bool(const std::string&)> is_private;
  // Origins at private addresses: a connection to one may be open still.
  std::set<std::string> private_origins = {};
};

std::string HttpHead::Header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? std::string() : found->second;
}

bool StartHttp() {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);  // once, by one thread
  return started == CURLE_OK;
}

HttpConnection::HttpConnection(const HttpSettings& settings, const std::atomic<bool>* stopped,
                               std::atomic<uint64_t>* received_bytes)
    : handle_(std::make_unique<Handle>()) {
  handle_->stopped = stopped;
  handle_->received_bytes = received_bytes;
  handle_->is_private = settings.is_private;
  handle_->curl = StartHttp() ? curl_easy_init() : nullptr;
  CURL* const curl = handle_->curl;
  if (curl == nullptr) return;
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(curl, CURLOPT_HTTP09_ALLOWED, 0L);
  curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(curl, CURLOPT_HEADEROPT, static_cast<long>(CURLHEADER_SEPARATE));
  curl_easy_setopt(curl, CURLOPT_USERAGENT, settings.user_agent.c_str());
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(settings.connect_timeout.count()));
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, static_cast<long>(settings.stall_time.count()));
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT,
                   static_cast<long>(settings.stall_bytes_per_second));
  if (!settings.certificates_file.empty()) {
    curl_easy_setopt(curl, CURLOPT_CAINFO, settings.certificates_file.c_str());
    curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);  // no others beside them
  }
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, OnHeader);
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, OnOpenSocket);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, OnData);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, CheckStopped);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, handle_->details.data());
}

HttpConnection::~HttpConnection() {
  if (handle_->curl != nullptr) curl_easy_cleanup(handle_->curl);
}

HttpExchange HttpConnection::Get(const HttpRequest& request, const TakeBody& take_body) {
  Exchange exchange = {&take_body, handle_->stopped, handle_->received_bytes, &handle_->is_private,
                       request.public_only};
  CURL* const curl = handle_->curl;
  if (curl == nullptr) {
    exchange.result.failure = LastingError(CURLE_OUT_OF_MEMORY, "");
    return std::move(exchange.result);
  }
  const std::string& origin = request.url.origin();
  if (request.public_only && handle_->private_origins.contains(origin)) {
    exchange.result.failure = PrivateAddress(origin);
    return std::move(exchange.result);
  }
  curl_slist* headers = nullptr;
  if (!request.bearer_token.empty()) {
    headers = curl_slist_append(
        headers, fmt::format("Authorization: Bearer {}", request.bearer_token).c_str());
  }
  const std::string range =
      request.range ? fmt::format("{}-{}", request.range->begin, request.range->end - 1) : "";
  curl_easy_setopt(curl, CURLOPT_URL, request.url.text().c_str());
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(curl, CURLOPT_RANGE, range.empty() ? nullptr : range.c_str());
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &exchange);
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, &exchange);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &exchange);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &exchange);
  handle_->details[0] = '\0';
  const CURLcode code = curl_easy_perform(curl);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, nullptr);
  curl_slist_free_all(headers);
  if (exchange.thrown) std::rethrow_exception(exchange.thrown);
  const char* address = nullptr;
  curl_easy_getinfo(curl, CURLINFO_PRIMARY_IP, &address);
  exchange.result.from_private =
      address != nullptr && *address != '\0' && handle_->is_private(address);
  if (exchange.result.from_private) handle_->private_origins.insert(origin);
  if (!exchange.refused_address.empty() && code != CURLE_OK && !exchange.result.failure) {
    exchange.result.failure = PrivateAddress(exchange.refused_address);
  }
  const bool refused = exchange.error_body_bytes > kMostErrorBodyBytes;
  if (code != CURLE_OK && !exchange.result.failure && !refused) {
    const char* details = handle_->details[0] != '\0' ? handle_->details.data() : "";
    if (IsLasting(code)) {
      exchange.result.failure = LastingError(code, details);
    } else {
      exchange.result.interruption = *details != '\0' ? details : curl_easy_strerror(code);
    }
  }
  return std::move(exchange.result);
}

}  // namespace tensorguard::internal
