#include "places/http/http_answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace tensorguard::internal {
namespace {

constexpr size_t kLongestShown = 300;

std::string Shown(std::string text) {
  if (text.size() > kLongestShown) text.resize(kLongestShown);
  return text;
}

// The Hub's own words, which are text from outside.
std::string HubMessage(const HttpHead& head) {
  const std::string code = head.Header("x-error-code");
  const std::string message = head.Header("x-error-message");
  if (code.empty() || message.empty()) return Shown(code + message);
  return Shown(fmt::format("{}: {}", code, message));
}

Error Refused(const HttpHead& head, bool is_hub, bool token_was_sent) {
  Error error = {.kind = ErrorKind::kSystem,
                 .problem = fmt::format("access is refused ({})", head.status),
                 .found = HubMessage(head)};
  if (!is_hub) {
    error.advice = "give a URL that is public or signed; a signature may have expired";
  } else if (head.Header("x-error-code") == "GatedRepo") {
    error.problem = fmt::format("the model is gated ({})", head.status);
    error.advice = "ask for access on the model's page, then set HF_TOKEN or run \"hf auth login\"";
  } else if (token_was_sent) {
    error.advice = "check the name; the token gives no access to this model";
  } else {
    error.advice =
        "check the name; a private or gated model needs a token: set HF_TOKEN or run "
        "\"hf auth login\"";
  }
  return error;
}

}  // namespace

std::optional<uint64_t> ParseCount(std::string_view text) {
  uint64_t count = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (failure != std::errc() || end != text.data() + text.size()) return {};
  return count;
}

std::optional<ContentRange> ParseContentRange(std::string_view text) {
  constexpr std::string_view kUnit = "bytes ";
  if (!text.starts_with(kUnit)) return {};
  text.remove_prefix(kUnit.size());
  const size_t slash = text.find('/');
  if (slash == text.npos) return {};
  const auto size_bytes = ParseCount(text.substr(slash + 1));
  if (!size_bytes) return {};
  if (text.substr(0, slash) == "*") return ContentRange{.range = {}, .size_bytes = *size_bytes};
  const size_t dash = text.find('-');
  if (dash == text.npos || dash > slash) return {};
  const auto first = ParseCount(text.substr(0, dash));
  const auto last = ParseCount(text.substr(dash + 1, slash - dash - 1));
  if (!first || !last || *first > *last || *last >= *size_bytes) return {};
  return ContentRange{.range = ByteRange{*first, *last + 1}, .size_bytes = *size_bytes};
}

std::optional<std::chrono::milliseconds> ParseRetryAfter(std::string_view text) {
  constexpr uint64_t kLongestSeconds = 1'000'000;  // far beyond what anybody waits
  const auto seconds = ParseCount(text);
  if (!seconds) return {};
  return std::chrono::seconds(std::min(*seconds, kLongestSeconds));
}

std::string_view BareTag(std::string_view etag) {
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') {
    etag = etag.substr(1, etag.size() - 2);
  }
  return etag;
}

std::string VersionOf(const HttpHead& head) {
  const std::string etag = head.Header("etag");
  return etag.empty() ? head.Header("last-modified") : std::string(BareTag(etag));
}

bool MayPass(int status) {
  return status == 408 || status == 429 || (status >= 500 && status != 501 && status != 505);
}

Error StatusError(const HttpHead& head, bool is_hub, bool token_was_sent) {
  const int status = head.status;
  const std::string code = head.Header("x-error-code");
  if (status == 401 || status == 403) return Refused(head, is_hub, token_was_sent);
  Error error = {.kind = ErrorKind::kSystem, .problem = {}, .found = HubMessage(head)};
  if (status == 404 || status == 410) {
    error.kind = ErrorKind::kNotFound;
    error.problem = fmt::format("no such file on the server ({})", status);
    if (code == "RepoNotFound") error.problem = "no such model on the Hub";
    if (code == "RevisionNotFound") error.problem = "the model has no such revision";
    if (code == "EntryNotFound") error.problem = "the model has no such file";
  } else if (status == 429) {
    error.problem = "server refuses: too many requests (429)";
    error.advice = is_hub ? "wait, or set HF_TOKEN: known users may ask more often" : "wait";
  } else if (status >= 500) {
    error.problem = fmt::format("server fails ({})", status);
    error.advice = "try again later";
  } else {
    error.problem = fmt::format("server gives an unexpected answer ({})", status);
  }
  return error;
}

Error WithoutText(Error error, const std::string& text) {
  for (std::string* part :
       {&error.problem, &error.file, &error.tensor, &error.found, &error.expected, &error.advice}) {
    for (size_t at = text.empty() ? part->npos : part->find(text); at != part->npos;
         at = part->find(text, at)) {
      part->replace(at, text.size(), "[token]");
    }
  }
  return error;
}

}  // namespace tensorguard::internal
