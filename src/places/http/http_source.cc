#include "places/http/http_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/try.h"
#include "places/http/http_answers.h"

namespace tensorguard::internal {
namespace {

bool IsRedirect(const HttpHead& head) {
  const int status = head.status;
  const bool moved =
      status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
  return moved && !head.Header("location").empty();
}

// A signed URL that a redirect led to expires.
bool MayHaveExpired(int status) {
  return status == 400 || status == 401 || status == 403 || status == 404 || status == 410;
}

Error Changed(std::string found, std::string expected) {
  return {.problem = "file changed while it was read",
          .found = std::move(found),
          .expected = std::move(expected),
          .advice = "run again"};
}

Result<void> CheckPlain(const HttpHead& head) {
  const std::string coding = head.Header("content-encoding");
  if (coding.empty() || coding == "identity") return {};
  return Error{.kind = ErrorKind::kUnsupported,
               .problem = "server sends the file compressed, without being asked to",
               .found = coding};
}

std::string ShownRange(const ByteRange& range) {
  return fmt::format("bytes {}-{}", range.begin, range.end - 1);
}

Error OtherRange(const HttpHead& head, const ByteRange& asked) {
  return {.problem = "server sends other bytes than were asked for",
          .found = head.Header("content-range"),
          .expected = ShownRange(asked)};
}

}  // namespace

// Counts the tries of one request that brought nothing, and waits between them.
class HttpSource::Tries {
 public:
  explicit Tries(const HttpSource& source) : source_(source) {}

  void SawProgress() { failed_ = 0; }

  // Returns when it is time to ask again. Errors: that of the exchange if it is of no use.
  Result<void> WaitAfter(const HttpExchange& exchange) {
    if (exchange.failure) return Error(*exchange.failure).InFile(source_.path());
    const int status = exchange.head.status;
    const bool broke = !exchange.interruption.empty() && status < 400;
    if (!broke && !MayPass(status)) return StatusErrorOf(exchange.head);
    if (++failed_ > source_.settings_.most_retries) {
      return broke ? BrokenOff(exchange) : StatusErrorOf(exchange.head);
    }
    const auto asked = ParseRetryAfter(exchange.head.Header("retry-after"));
    const auto longest = source_.settings_.longest_retry_wait;
    if (!broke && asked && *asked > longest) {
      Error error = StatusErrorOf(exchange.head);
      error.advice = fmt::format("try again in {} s, as the server asks", asked->count() / 1000);
      return error;
    }
    const unsigned doublings = std::min(failed_ - 1, 20u);
    const auto usual = std::min(source_.settings_.first_retry_wait * (1u << doublings), longest);
    if (source_.wait_->For(!broke && asked ? *asked : usual)) return {};
    return Error{.kind = ErrorKind::kSystem, .problem = "was stopped", .file = source_.path()};
  }

 private:
  Error StatusErrorOf(const HttpHead& head) const {
    const bool token_was_sent = !source_.place_.credential.bearer_token.empty();
    if (head.status == 403 && source_.place_.forbidden_is_missing) {
      return {.kind = ErrorKind::kNotFound,
              .problem = "no such file beside the one that was named (403)",
              .file = source_.path()};
    }
    return StatusError(head, source_.place_.is_hub, token_was_sent).InFile(source_.path());
  }

  Error BrokenOff(const HttpExchange& exchange) const {
    return {.kind = ErrorKind::kSystem,
            .problem = "connection breaks off again and again",
            .file = source_.path(),
            .found = exchange.interruption,
            .expected = fmt::format("an answer in {} tries", failed_),
            .advice = "check the network and try again later"};
  }

  const HttpSource& source_;
  unsigned failed_ = 0;
};

// Takes the answer to the first request, whatever the server makes of it.
class HttpSource::StartTaker {
 public:
  explicit StartTaker(const HttpSource& source)
      : source_(source),
        download_({.most_memory_bytes = source.settings_.most_memory_bytes,
                   .most_temporary_bytes = source.settings_.most_temporary_bytes,
                   .temporary_folder = source.settings_.temporary_folder,
                   .held = source.held_}) {}

  Result<void> Take(const HttpHead& head, std::span<const std::byte> bytes) {
    if (!seen_) {
      if (auto checked = See(head); !checked) return checked;
    }
    if (head.status == 200) {
      TG_TRY(CheckKind(download_.size_bytes() + bytes.size()));
      return download_.Append(bytes);
    }
    if (bytes.size() > expected_bytes_ - start_.size()) {
      return Error{.problem = "server sends more bytes than it announced"};
    }
    start_.insert(start_.end(), bytes.begin(), bytes.end());
    return {};
  }

  // The exchange has ended well. Empty if bytes are missing.
  Result<std::optional<Opened>> Finish(const HttpHead& head) && {
    if (!seen_) {  // no body
      TG_TRY(See(head));
    }
    if (head.status == 206) {
      if (start_.size() < expected_bytes_) return std::optional<Opened>();
      return std::optional(Opened{.size_bytes = size_bytes_, .start = std::move(start_)});
    }
    const uint64_t size_bytes = download_.size_bytes();
    TG_TRY(CheckKnownSize(size_bytes));
    return std::optional(Opened{.size_bytes = size_bytes,
                                .whole_file = std::move(download_).Finish(source_.path())});
  }

 private:
  Result<void> See(const HttpHead& head) {
    seen_ = true;
    if (auto plain = CheckPlain(head); !plain) return plain;
    return head.status == 200 ? SeeWhole(head) : SeeRange(head);
  }

  Result<void> SeeWhole(const HttpHead& head) {
    const std::string length = head.Header("content-length");
    if (length.empty() && head.Header("transfer-encoding").empty()) {
      return Error{.kind = ErrorKind::kUnsupported,
                   .problem = "server does not say how long the file is",
                   .expected = "a Content-Length",
                   .advice = "download the file and give its path"};
    }
    const auto size_bytes = ParseCount(length);
    if (!size_bytes) return {};
    if (auto checked = CheckKnownSize(*size_bytes); !checked) return checked;
    return download_.CheckFits(*size_bytes);
  }

  Result<void> SeeRange(const HttpHead& head) {
    const ByteRange asked = {0, kStartBytes};
    const auto range = ParseContentRange(head.Header("content-range"));
    if (!range || !range->range || range->range->begin != 0 || range->range->end > asked.end) {
      return OtherRange(head, asked);
    }
    size_bytes_ = range->size_bytes;
    expected_bytes_ = range->range->end;
    return CheckKnownSize(size_bytes_);
  }

  // Before the rest of it is fetched.
  Result<void> CheckKind(uint64_t size_bytes) const {
    const auto& most = source_.place_.most_bytes;
    if (!most || size_bytes <= *most) return {};
    return Error{.problem = "file is too large for what it should hold",
                 .found = fmt::format("{} bytes or more", size_bytes),
                 .expected = fmt::format("at most {} bytes", *most)};
  }

  Result<void> CheckKnownSize(uint64_t size_bytes) const {
    TG_TRY(CheckKind(size_bytes));
    const auto& known = source_.place_.size_bytes;
    if (!known || *known == size_bytes) return {};
    return Error{.problem = "file is not as long as was announced",
                 .found = fmt::format("{} bytes", size_bytes),
                 .expected = fmt::format("{} bytes", *known)};
  }

  const HttpSource& source_;
  Download download_;
  bool seen_ = false;
  uint64_t size_bytes_ = 0;
  uint64_t expected_bytes_ = 0;
  std::vector<std::byte> start_;
};

HttpSource::HttpSource(HttpPlace place, const FetchSettings& settings, InterruptibleWait* wait,
                       std::shared_ptr<HeldDownloads> held)
    : place_(std::move(place)), settings_(settings), wait_(wait), held_(std::move(held)) {}

Result<HttpSource::Opened> HttpSource::Open(HttpConnection& connection) {
  auto opened = OpenAny(connection);
  if (!opened) return WithoutToken(std::move(opened).error());
  return opened;
}

Result<void> HttpSource::Read(HttpConnection& connection, uint64_t begin,
                              std::span<std::byte> out) const {
  auto read = ReadAny(connection, begin, out);
  if (!read) return WithoutToken(std::move(read).error());
  return read;
}

// Servers may repeat what they were sent, in any header.
Error HttpSource::WithoutToken(Error error) const {
  return WithoutText(std::move(error), place_.credential.bearer_token);
}

Result<HttpSource::Opened> HttpSource::OpenAny(HttpConnection& connection) {
  for (Tries tries(*this);;) {
    StartTaker taker(*this);
    HttpExchange exchange = Ask(connection, {0, kStartBytes},
                                [&](const HttpHead& head, std::span<const std::byte> bytes) {
                                  return taker.Take(head, bytes);
                                });
    const HttpHead& head = exchange.head;
    const auto range = ParseContentRange(head.Header("content-range"));
    if (head.status == 416 && range && range->size_bytes == 0) {  // an empty file has no first byte
      return Opened{.whole_file = Download({}).Finish(path())};
    }
    const bool ended_well = !exchange.failure && exchange.interruption.empty();
    if (ended_well && (head.status == 200 || head.status == 206)) {
      auto opened = std::move(taker).Finish(head);
      if (!opened) return std::move(opened).error().InFile(path());
      if (*opened) {
        size_bytes_ = (*opened)->size_bytes;
        version_ = VersionOf(head);
        return **std::move(opened);
      }
      exchange.interruption = "fewer bytes than announced";
    }
    TG_TRY(tries.WaitAfter(exchange));
  }
}

Result<void> HttpSource::ReadAny(HttpConnection& connection, uint64_t begin,
                                 std::span<std::byte> out) const {
  // Progress of less than this does not count: a server that sends a byte at a time would never
  // end.
  constexpr uint64_t kProgressBytes = 64 << 10;
  uint64_t done = 0;
  uint64_t counted = 0;
  for (Tries tries(*this); done < out.size();) {
    const ByteRange asked = {begin + done, begin + out.size()};
    std::optional<uint64_t> announced_end;  // of what comes, counted in `out`
    const auto take = [&](const HttpHead& head, std::span<const std::byte> bytes) -> Result<void> {
      if (!announced_end) {
        TG_ASSIGN(const auto range, CheckRange(head, asked));
        announced_end = range.end - begin;
      }
      if (bytes.size() > *announced_end - done) {
        return Error{.problem = "server sends more bytes than it announced"};
      }
      std::copy(bytes.begin(), bytes.end(), out.begin() + static_cast<ptrdiff_t>(done));
      done += bytes.size();
      return {};
    };
    HttpExchange exchange = Ask(connection, asked, take);
    if (exchange.failure) return Error(*exchange.failure).InFile(path());
    if (done == out.size()) return {};
    if (exchange.head.status == 416) {
      return Changed(exchange.head.Header("content-range"), fmt::format("{} bytes", size_bytes_))
          .InFile(path());
    }
    if (done - counted >= kProgressBytes) {
      tries.SawProgress();
      counted = done;
    }
    if (exchange.interruption.empty() && exchange.head.status < 300) {
      exchange.interruption = "fewer bytes than asked for";
    }
    if (auto waited = tries.WaitAfter(exchange); !waited) return waited;
  }
  return {};
}

HttpExchange HttpSource::Ask(HttpConnection& connection, const ByteRange& range,
                             const TakeBody& take) const {
  std::optional<Redirected> redirected;
  {
    const std::lock_guard lock(mutex_);
    redirected = redirected_;
  }
  if (redirected) {
    HttpExchange exchange =
        AskOnce(connection, redirected->url, redirected->public_only, range, take);
    if (exchange.head.status == 0) {  // gone; asked for again, the first server may name another
      const std::lock_guard lock(mutex_);
      redirected_.reset();
    }
    if (!MayHaveExpired(exchange.head.status)) return exchange;
  }
  return AskOnce(connection, place_.url, /*public_only=*/false, range, take);
}

// `public_only`: a server at a public address led to `url`, or another before it did.
HttpExchange HttpSource::AskOnce(HttpConnection& connection, Url url, bool public_only,
                                 const ByteRange& range, const TakeBody& take) const {
  const auto fail = [](HttpExchange exchange, Error error) {
    exchange.failure = std::move(error);
    return exchange;
  };
  for (unsigned redirects = 0;; ++redirects) {
    const Credential& credential = place_.credential;
    const bool may_see_token = url.origin() == credential.origin;
    HttpExchange exchange =
        connection.Get({.url = url,
                        .range = range,
                        .bearer_token = may_see_token ? credential.bearer_token : std::string(),
                        .public_only = public_only},
                       take);
    if (exchange.failure) return exchange;
    if (auto linked = CheckLinkedFile(exchange.head); !linked) {
      return fail(std::move(exchange), std::move(linked).error());
    }
    if (!IsRedirect(exchange.head)) {
      const std::lock_guard lock(mutex_);
      if (exchange.head.status == 206 && redirects > 0) redirected_ = {url, public_only};
      return exchange;
    }
    public_only |= !exchange.from_private && !settings_.allow_private_redirects;
    auto next = url.Resolve(exchange.head.Header("location"));
    if (!next) return fail(std::move(exchange), std::move(next).error());
    if (url.is_https() && !next->is_https()) {
      return fail(std::move(exchange), {.kind = ErrorKind::kSystem,
                                        .problem = "server redirects from https to http",
                                        .found = next->WithoutQuery()});
    }
    if (redirects == settings_.most_redirects) {
      return fail(std::move(exchange),
                  {.kind = ErrorKind::kSystem,
                   .problem = "server redirects again and again",
                   .found = next->WithoutQuery(),
                   .expected = fmt::format("at most {} redirects", settings_.most_redirects)});
    }
    url = *std::move(next);
  }
}

Result<void> HttpSource::CheckLinkedFile(const HttpHead& head) const {
  const std::string linked = head.Header("x-linked-etag");
  if (linked.empty() || place_.content_digest.empty()) return {};
  if (BareTag(linked) == place_.content_digest) return {};
  return Changed(linked, place_.content_digest);
}

Result<ByteRange> HttpSource::CheckRange(const HttpHead& head, const ByteRange& asked) const {
  const std::string version = VersionOf(head);
  if (version != version_) return Changed(version, version_);
  if (head.status == 200) {
    return Error{.problem = "server gave ranges of the file and does so no longer",
                 .expected = ShownRange(asked)};
  }
  TG_TRY(CheckPlain(head));
  const auto range = ParseContentRange(head.Header("content-range"));
  if (!range || !range->range || range->range->begin != asked.begin ||
      range->range->end > asked.end) {
    return OtherRange(head, asked);
  }
  if (range->size_bytes == size_bytes_) return *range->range;
  return Changed(fmt::format("{} bytes", range->size_bytes), fmt::format("{} bytes", size_bytes_));
}

}  // namespace tensorguard::internal
