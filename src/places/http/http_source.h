// One file behind a URL, read in ranges: redirects followed, cuts resumed, every answer checked.
#ifndef TENSORGUARD_PLACES_HTTP_HTTP_SOURCE_H_
#define TENSORGUARD_PLACES_HTTP_HTTP_SOURCE_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"
#include "places/http/download.h"
#include "places/http/http_connection.h"
#include "places/http/interruptible_wait.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

struct FetchSettings {
  // Waits between tries double from the first on; a server's Retry-After is kept if it is not
  // longer than the longest.
  std::chrono::milliseconds first_retry_wait{500};
  std::chrono::milliseconds longest_retry_wait{60'000};
  // Without progress, one after the other.
  unsigned most_retries = 5;
  unsigned most_redirects = 10;
  // Of all files from servers without ranges: in memory, and in temporary files without names.
  uint64_t most_memory_bytes = 8ull << 20;
  uint64_t most_temporary_bytes = 16ull << 30;
  // A redirect from a public address to this machine or a private network is not followed.
  bool allow_private_redirects = false;
  std::filesystem::path temporary_folder = "/tmp";
};

// A token, and the only origin ("https://host:443") that may see it.
struct Credential {
  std::string origin;
  std::string bearer_token;  // empty for none
};

struct HttpPlace {
  std::string path;  // for messages: without query
  Url url;
  Credential credential = {};
  bool is_hub = false;                      // its headers explain its refusals
  std::optional<uint64_t> size_bytes = {};  // if known from elsewhere
  std::optional<uint64_t> most_bytes = {};  // that a file of its kind may have
  bool forbidden_is_missing = false;        // S3 hides what is not there behind a 403
  std::string content_digest = {};          // what X-Linked-ETag must be; empty if unknown
};

// Thread-safe: several threads may read, each with its connection.
class HttpSource {
 public:
  HttpSource(HttpPlace place, const FetchSettings& settings, InterruptibleWait* wait,
             std::shared_ptr<HeldDownloads> held);

  struct Opened {
    uint64_t size_bytes = 0;
    std::vector<std::byte> start = {};            // the first bytes, at most kStartBytes
    std::shared_ptr<const File> whole_file = {};  // where the server gives no ranges
  };
  static constexpr uint64_t kStartBytes = 64 << 10;

  // Asks for the start. To be called once, before Read. Errors: kNotFound (404), kSystem (refused,
  // not reachable, a redirect that is not followed), kBadFile (a size other than announced).
  Result<Opened> Open(HttpConnection& connection);

  // Fills `out` from `begin` on. Errors: as Open; kBadFile if the server has another file now or
  // sends other bytes than were asked for.
  Result<void> Read(HttpConnection& connection, uint64_t begin, std::span<std::byte> out) const;

  const std::string& path() const { return place_.path; }

 private:
  class Tries;
  class StartTaker;

  HttpExchange Ask(HttpConnection& connection, const ByteRange& range, const TakeBody& take) const;
  HttpExchange AskOnce(HttpConnection& connection, Url url, bool public_only,
                       const ByteRange& range, const TakeBody& take) const;
  Result<Opened> OpenAny(HttpConnection& connection);
  Result<void> ReadAny(HttpConnection& connection, uint64_t begin, std::span<std::byte> out) const;
  Error WithoutToken(Error error) const;
  Result<void> CheckLinkedFile(const HttpHead& head) const;
  // The range that comes. Errors: kBadFile for another one than was asked for, or another file.
  Result<ByteRange> CheckRange(const HttpHead& head, const ByteRange& asked) const;

  const HttpPlace place_;
  const FetchSettings settings_;
  InterruptibleWait* const wait_;
  const std::shared_ptr<HeldDownloads> held_;
  uint64_t size_bytes_ = 0;  // since Open
  std::string version_;      // ETag, or Last-Modified, since Open

  mutable std::mutex mutex_;
  // Where the last answer came from.
  struct Redirected {
    Url url;
    bool public_only = false;
  };
  mutable std::optional<Redirected> redirected_;  // guarded by mutex_
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PLACES_HTTP_HTTP_SOURCE_H_
