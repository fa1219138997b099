#include "places/http/url.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>

namespace tensorguard::internal {
namespace {

constexpr size_t kLongestUrl = 16384;  // signed ones have a few thousand characters

struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using CurlUrl = std::unique_ptr<CURLU, FreeUrl>;

std::string PartOf(CURLU* url, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK) return {};
  std::string copy = text;
  curl_free(text);
  return copy;
}

Error BadUrl(std::string problem, std::string_view text) {
  return {.kind = ErrorKind::kUsage,
          .problem = std::move(problem),
          .found = std::string(text.substr(0, text.find('?'))),
          .expected = "https://HOST/PATH"};
}

bool HasControl(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) == 0x7F;
  });
}

// Spaces and bytes beyond ASCII encoded, as browsers do with what people type.
std::string AsciiOf(std::string_view text) {
  std::string ascii;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    ascii += byte == ' ' || byte >= 0x80 ? fmt::format("%{:02X}", byte) : std::string(1, c);
  }
  return ascii;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

Result<Url> Url::Parse(std::string_view text) { return Url().Resolve(text); }

Result<Url> Url::Resolve(std::string_view location) const {
  if (location.size() > kLongestUrl) return BadUrl("URL is too long", location.substr(0, 100));
  if (HasControl(location)) {
    return BadUrl("URL holds a control character", location);
  }
  const CurlUrl parsed(curl_url());
  const bool known_base =
      text_.empty() || curl_url_set(parsed.get(), CURLUPART_URL, text_.c_str(), 0) == CURLUE_OK;
  const std::string reference = AsciiOf(location);
  if (!known_base || reference.empty() ||
      curl_url_set(parsed.get(), CURLUPART_URL, reference.c_str(), CURLU_NON_SUPPORT_SCHEME) !=
          CURLUE_OK) {
    return BadUrl("not a URL", location);
  }
  const std::string scheme = PartOf(parsed.get(), CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") return BadUrl("URL is not of the web", location);
  if (!PartOf(parsed.get(), CURLUPART_USER).empty() ||
      !PartOf(parsed.get(), CURLUPART_PASSWORD).empty()) {
    return Error{.kind = ErrorKind::kUsage,
                 .problem = "a user name in a URL is not accepted",
                 .expected = "https://HOST/PATH"};
  }
  curl_url_set(parsed.get(), CURLUPART_FRAGMENT, nullptr, 0);
  Url url;
  url.is_https_ = scheme == "https";
  url.text_ = PartOf(parsed.get(), CURLUPART_URL);
  url.origin_ = fmt::format("{}://{}:{}", scheme, PartOf(parsed.get(), CURLUPART_HOST),
                            PartOf(parsed.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT));
  std::transform(url.origin_.begin(), url.origin_.end(), url.origin_.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (url.text_.empty()) return BadUrl("not a URL", location);
  return url;
}

std::string Url::WithoutQuery() const { return text_.substr(0, text_.find('?')); }

std::string PercentEncode(std::string_view text, bool keep_slashes) {
  constexpr std::string_view kPlain = "-._~";
  std::string encoded;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       kPlain.find(c) != kPlain.npos || (keep_slashes && c == '/');
    encoded += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return encoded;
}

Result<std::string> PercentDecode(std::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    const int high = text.size() - i > 2 ? HexDigit(text[i + 1]) : -1;
    const int low = text.size() - i > 2 ? HexDigit(text[i + 2]) : -1;
    if (high < 0 || low < 0 || high + low == 0) {
      return Error{.kind = ErrorKind::kUsage,
                   .problem = "URL is not percent-encoded",
                   .found = std::string(text),
                   .expected = "two hexadecimal digits after each %"};
    }
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

}  // namespace tensorguard::internal
