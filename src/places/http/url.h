// URLs of files: parsed by the library that asks for them, so that both agree on the host.
#ifndef TENSORGUARD_PLACES_HTTP_URL_H_
#define TENSORGUARD_PLACES_HTTP_URL_H_

#include <string>
#include <string_view>

#include "tensorguard/result.h"

namespace tensorguard::internal {

// An http or https URL without user name, password and fragment.
class Url {
 public:
  // Errors: kUsage for another scheme, a user name in it, control characters, and what is no URL.
  // They do not repeat the query, which may hold a signature.
  static Result<Url> Parse(std::string_view text);

  // Where a "Location: LOCATION" in this URL's answer leads. Errors: as Parse.
  Result<Url> Resolve(std::string_view location) const;

  const std::string& text() const { return text_; }      // what is asked for
  const std::string& origin() const { return origin_; }  // "https://host:443"
  bool is_https() const { return is_https_; }
  std::string WithoutQuery() const;

 private:
  std::string text_;
  std::string origin_;
  bool is_https_ = false;
};

// Percent-encodes what is no letter, digit, "-", ".", "_", "~", or "/" if `keep_slashes`.
std::string PercentEncode(std::string_view text, bool keep_slashes);

// Errors: kUsage for "%" without two hexadecimal digits, and for an encoded zero byte.
Result<std::string> PercentDecode(std::string_view text);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PLACES_HTTP_URL_H_
